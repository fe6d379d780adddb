#ifndef ROAM_MPI_IMAGE_IMAGE_H_
#define ROAM_MPI_IMAGE_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/range.h"
#include "mpi/image/descriptors.h"
#include "mpi/image/environment.h"
#include "mpi/image/exits.h"
#include "mpi/image/keys.h"
#include "mpi/image/layout.h"
#include "mpi/image/libc_answers.h"
#include "mpi/image/libc_state.h"
#include "mpi/image/options.h"
#include "mpi/image/streams.h"
#include "mpi/image/working_place.h"
#include "threads/guest.h"

namespace roam::mpi {

// A program laid once, for one virtual rank: variables of the program and of its private libraries,
// and what of a process it has for itself. All of it lies in the heap of the thread that made it
// and goes where that goes; the code between the variables is pages of the files, laid by the
// process in which the thread is.
//
//   block of the thread's heap, a module each
//   | head | code and constants (pages of the file) | .data | .bss |
class Image final : public threads::Guest {
 public:
  // Lays an image and makes it the calling thread's, until it is destroyed by that thread. At most
  // one lives in a thread. Context: threads of Roam.
  // Errors: std::bad_alloc; Error(out_of_memory): the process has no room for more mappings.
  Image(const Layout& layout, const std::vector<std::string>& arguments,
        const std::vector<std::string>& environment);
  ~Image();
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  // That of the thread that runs, if it runs code of the program; else the last one's of which that
  // is so, or null.
  static Image* running();

  // Of the variables of libc, if `module` is the count of modules.
  Address begin_of(std::size_t module) const {
    return module < modules_.size() ? modules_[module].begin
                                    : reinterpret_cast<Address>(own_variables_);
  }
  // The function or object at `offset` of a module.
  template <class T>
  T at(std::size_t module, std::uint64_t offset) const {
    return reinterpret_cast<T>(begin_of(module) + offset);
  }
  // The module whose code has the address; its number, or the count of modules.
  std::size_t module_of(const void* address) const;
  // Whether that is code or a constant: pages of a file, which other ranks do not see.
  bool is_of_file(const void* address) const;
  const Layout& layout() const;

  template <class T>
  T& variable(LibcVariable v) const {
    const Layout::Variable& place = layout().variable(v);
    return *at<T*>(place.module, place.offset);
  }

  int argument_count() const { return static_cast<int>(arguments_.size()) - 1; }
  char** arguments() { return arguments_.data(); }
  Environment& environment() { return environment_; }
  Exits& exits() { return exits_; }
  LibcState& libc_state() { return libc_state_; }
  // Made at the first use.
  LibcAnswers& libc_answers() {
    if (libc_answers_ == nullptr) libc_answers_ = std::make_unique<LibcAnswers>();
    return *libc_answers_;
  }
  Descriptors& descriptors() { return descriptors_; }
  Streams& streams() { return streams_; }
  WorkingPlace& working_place() { return working_place_; }
  Keys& keys() { return keys_; }
  Options& options() { return options_; }

  // Where main is left: see entry.cc.
  void* leave[5] = {};
  int status = 0;
  // What whoever runs the program keeps of this virtual rank, in its thread's memory.
  void* attached = nullptr;

  void enter() override;
  void depart() override;

 private:
  struct Module {
    void* block = nullptr;  // of the thread's heap
    Address begin = 0;
    std::size_t bytes = 0;
  };
  void lay_module(const ModuleLayout& m, Module* to);
  void add_begins(const ModuleLayout& m, const Module& to);
  void copy_thread_locals();
  void finish();
  void copy_variables();
  void begin_libc_variables();
  template <class T>
  void begin_variable(LibcVariable v, T value) {
    if (layout().variable(v).fresh) variable<T>(v) = value;
  }
  bool cover_texts();
  void uncover_texts(std::size_t modules);
  void save_thread_locals();

  std::vector<Module> modules_;
  std::vector<char> thread_locals_;  // while another image's are in place
  bool covered_ = false;
  std::vector<std::string> argument_texts_;
  std::vector<char*> arguments_;  // and a null
  alignas(16) char own_variables_[kLibcVariables * kLibcVariableBytes] = {};
  Environment environment_;
  Exits exits_;
  LibcState libc_state_;
  std::unique_ptr<LibcAnswers> libc_answers_;
  Descriptors descriptors_;
  Streams streams_{&descriptors_};
  WorkingPlace working_place_;
  Keys keys_;
  Options options_;
};

// The layout that all images of this process follow; set once, before the first.
void set_layout(const Layout* layout);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_IMAGE_H_
