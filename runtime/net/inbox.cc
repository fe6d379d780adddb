#include "runtime/net/inbox.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace roam::runtime {

using detail::Tcb;

namespace {

template <class T>
void push_on(std::atomic<T*>& list, T* t) {
  T* head = list.load(std::memory_order_relaxed);
  do {
    t->next = head;
  } while (
      !list.compare_exchange_weak(head, t, std::memory_order_seq_cst, std::memory_order_relaxed));
}

template <class T>
T* take_all(std::atomic<T*>& list) {
  if (list.load(std::memory_order_relaxed) == nullptr) return nullptr;
  T* newest = list.exchange(nullptr, std::memory_order_acquire);
  T* oldest = nullptr;
  while (newest != nullptr) {
    T* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  return oldest;
}

}  // namespace

// The owner says that it sleeps before it looks a last time: one of the two sees the other.
void Inbox::wake() {
  if (asleep_.load(std::memory_order_seq_cst) == 0) return;
  asleep_.store(0, std::memory_order_relaxed);
  syscall(SYS_futex, &asleep_, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

void Inbox::push(Tcb* t) {
  push_on(head_, t);
  wake();
}

void Inbox::push(Mail* mail) {
  push_on(mail_, mail);
  wake();
}

Tcb* Inbox::take() { return take_all(head_); }
Mail* Inbox::take_mail() { return take_all(mail_); }

void Inbox::sleep(std::int64_t ns, bool (*called)()) {
  if (ns <= 0) return;
  asleep_.store(1, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // before any look at cards
  if (head_.load(std::memory_order_seq_cst) == nullptr &&
      mail_.load(std::memory_order_seq_cst) == nullptr && !has_card() && !called()) {
    timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
    syscall(SYS_futex, &asleep_, FUTEX_WAIT, 1, &timeout, nullptr, 0);
  }
  asleep_.store(0, std::memory_order_relaxed);
}

}  // namespace roam::runtime
