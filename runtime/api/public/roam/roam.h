// Roam: threads that migrate between the ranks of an MPI job. This header is all that a program
// needs.
#ifndef ROAM_ROAM_H_
#define ROAM_ROAM_H_

#include <memory>
#include <type_traits>
#include <utility>

#include "roam/checkpoint.h"
#include "roam/error.h"
#include "roam/isomalloc.h"
#include "roam/live.h"
#include "roam/pup.h"
#include "roam/rehome.h"
#include "roam/sync.h"
#include "roam/team.h"
#include "roam/thread.h"

namespace roam {

// ---- memory ----

// While one lives, malloc and new in the calling thread use the process's heap: for libraries that
// keep process-lifetime state, MPI among them. Nests. The thread may suspend and migrate meanwhile.
class SystemHeap {
 public:
  SystemHeap();
  ~SystemHeap();
  SystemHeap(const SystemHeap&) = delete;
  SystemHeap& operator=(const SystemHeap&) = delete;

 private:
  void* saved_;
};

// Whether `address` is inside a live part of the calling thread's heap. False in plain code.
bool in_thread_heap(const void* address) noexcept;

// ---- start and end ----

namespace detail {
void set_exit_code(int code);
int run(int& argc, char**& argv, void (*spawn_root)(void*), void* root);
}  // namespace detail

// Runs `root` as the first migratable thread, on rank 0. Every rank calls run(); it returns on
// every rank when every thread has ended, with root's int (0 when root returns void). Starts and
// ends MPI unless the program already did.
//
// Errors: Errc::layout_mismatch       the ranks' code or data lie at different addresses; the
// message names the first
//                                     difference and the cure. Thrown on every rank.
//         Errc::bad_option            a ROAM_ variable is malformed
//         Errc::out_of_address_space  the arena cannot be reserved
//         Errc::not_running           called inside run(), on another kernel thread than an
//                                     earlier run(), or after that ended MPI
// An exception that escapes from root, or one that escaped from another thread and was never
// joined, ends the job with a message and a non-zero status. So does a deadlock: every thread waits
// and nothing can wake one.
template <class F>
int run(int& argc, char**& argv, F&& root) {
  auto spawn_root = [](void* f) {
    spawn(
        SpawnOptions{.name = "root"},
        [](std::decay_t<F> body) {
          if constexpr (std::is_void_v<std::invoke_result_t<std::decay_t<F>>>) {
            std::invoke(std::move(body));
          } else {
            detail::set_exit_code(static_cast<int>(std::invoke(std::move(body))));
          }
        },
        std::forward<F>(**static_cast<std::remove_reference_t<F>**>(f)));
  };
  std::remove_reference_t<F>* f = std::addressof(root);  // a function's address fits in no void*
  return detail::run(argc, argv, spawn_root, &f);
}

}  // namespace roam

#endif  // ROAM_ROAM_H_
