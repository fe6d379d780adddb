#ifndef ROAM_MPI_IMAGE_EXITS_H_
#define ROAM_MPI_IMAGE_EXITS_H_

#include <vector>

namespace roam::mpi {

// What a program has asked to be called at its end, last first, as libc does it for a process.
class Exits {
 public:
  // `argument` is the function's; `module` names who asked, as __dso_handle.
  void add(void (*function)(void*), void* argument, void* module) {
    at_exit_.push_back({function, argument, module});
  }
  // As on_exit: the function is given the status too.
  void add_with_status(void (*function)(int, void*), void* argument) {
    at_exit_.push_back({nullptr, argument, nullptr, function});
  }
  // Destructors of thread_local variables.
  void add_of_thread(void (*function)(void*), void* argument) {
    of_thread_.push_back({function, argument, nullptr});
  }
  void add_quick(void (*function)(void*), void* argument) {
    quick_.push_back({function, argument, nullptr});
  }

  // Calls and forgets. What is asked for meanwhile is called too.
  void run_of_thread() { run(&of_thread_, nullptr, 0); }
  void run_at_exit(int status) { run(&at_exit_, nullptr, status); }
  void run_of_module(void* module) { run(&at_exit_, module, 0); }  // null: of all
  void run_quick() { run(&quick_, nullptr, 0); }

  void* clean_up = nullptr;  // the innermost of pthread_cleanup_push

 private:
  struct Call {
    void (*function)(void*);
    void* argument;
    void* module;
    void (*with_status)(int, void*) = nullptr;
  };
  static void run(std::vector<Call>* calls, void* module, int status);

  std::vector<Call> at_exit_, of_thread_, quick_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_EXITS_H_
