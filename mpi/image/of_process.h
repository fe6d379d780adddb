#ifndef ROAM_MPI_IMAGE_OF_PROCESS_H_
#define ROAM_MPI_IMAGE_OF_PROCESS_H_

#include "isomalloc/heap.h"

namespace roam::mpi {

// A table that a process keeps for all of its virtual ranks. It is made at the first use, whoever
// that is, and never destroyed, since programs may end anywhere. All use goes through a Use, and
// while one lives memory comes from the process: else the table, or what it grows by, would be in
// the heap of the virtual rank that happens to run, and go with it.
//
//   constinit OfProcess<std::map<int, std::string>> names;  // a global variable
//   names.use()->erase(3);
//
// Who has a Use allocates nothing meanwhile that is a virtual rank's, and lets nobody else run.
//
// Context: the rank's kernel thread, on any stack.
template <class T>
class OfProcess {
 public:
  constexpr OfProcess() = default;
  OfProcess(const OfProcess&) = delete;
  OfProcess& operator=(const OfProcess&) = delete;

  class Use {
   public:
    T* operator->() const { return table_; }
    T& operator*() const { return *table_; }

   private:
    friend OfProcess;
    explicit Use(OfProcess* owner) : table_(owner->made()) {}

    const iso::HeapScope process_;  // from before the table is made
    T* const table_;
  };
  Use use() { return Use(this); }

 private:
  T* made() {
    if (made_ == nullptr) made_ = new T();
    return made_;
  }

  T* made_ = nullptr;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_OF_PROCESS_H_
