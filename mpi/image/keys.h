#ifndef ROAM_MPI_IMAGE_KEYS_H_
#define ROAM_MPI_IMAGE_KEYS_H_

#include <cstddef>
#include <vector>

namespace roam::mpi {

// The keys of pthread_key_create of a virtual rank, and its values: so that they are as many as a
// process has, and mean the same wherever it is. It has one thread, whose end calls no destructors,
// as the end of a process does not, but by pthread_exit.
class Keys {
 public:
  static constexpr std::size_t kMost = 1024;  // PTHREAD_KEYS_MAX

  // False: all are in use.
  bool make(unsigned* key, void (*destructor)(void*) = nullptr);
  bool has(unsigned key) const { return key < entries_.size() && entries_[key].used; }
  // REQUIRES: has(key)
  void drop(unsigned key) { entries_[key] = {}; }
  void set(unsigned key, const void* value) { entries_[key].value = const_cast<void*>(value); }
  // Of all values, and of those that they set, as often as libc does it.
  void run_destructors();
  void* get(unsigned key) const { return has(key) ? entries_[key].value : nullptr; }

 private:
  struct Entry {
    bool used = false;
    void* value = nullptr;
    void (*destructor)(void*) = nullptr;
  };
  std::vector<Entry> entries_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_KEYS_H_
