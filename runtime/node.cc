#include "runtime/node.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace roam::runtime {

using detail::Tcb;

void Inbox::push(Tcb* t) {
  Tcb* head = head_.load(std::memory_order_relaxed);
  do {
    t->next = head;
  } while (
      !head_.compare_exchange_weak(head, t, std::memory_order_seq_cst, std::memory_order_relaxed));
  // The owner says that it sleeps before it looks a last time: one of the two sees the other.
  if (asleep_.load(std::memory_order_seq_cst) != 0) {
    asleep_.store(0, std::memory_order_relaxed);
    syscall(SYS_futex, &asleep_, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }
}

Tcb* Inbox::take() {
  if (empty()) return nullptr;
  Tcb* newest = head_.exchange(nullptr, std::memory_order_acquire);
  Tcb* oldest = nullptr;
  while (newest != nullptr) {
    Tcb* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  return oldest;
}

void Inbox::sleep(std::int64_t ns) {
  if (ns <= 0) return;
  asleep_.store(1, std::memory_order_seq_cst);
  if (head_.load(std::memory_order_seq_cst) == nullptr) {
    timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
    syscall(SYS_futex, &asleep_, FUTEX_WAIT, 1, &timeout, nullptr, 0);
  }
  asleep_.store(0, std::memory_order_relaxed);
}

}  // namespace roam::runtime
