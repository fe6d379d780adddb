// Waits for messages and semaphores of the system, POSIX's and System V's.

#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include <algorithm>
#include <climits>

#include "threads/descriptor_waits.h"
#include "threads/kernel_reach.h"

namespace {

using roam::threads::reach_for_kernel;
using roam::threads::Tcb;
using namespace roam::threads::wait_calls;

Real<ssize_t(mqd_t, char*, std::size_t, unsigned*, const timespec*)> real_receive("mq_timedreceive",
                                                                                  nullptr);
Real<int(mqd_t, const char*, std::size_t, unsigned, const timespec*)> real_send("mq_timedsend",
                                                                                nullptr);
Real<int(int, const void*, std::size_t, int)> real_msgsnd("msgsnd", nullptr);
Real<ssize_t(int, void*, std::size_t, long, int)> real_msgrcv("msgrcv", nullptr);
Real<int(int, sembuf*, std::size_t, const timespec*)> real_semtimedop("semtimedop", nullptr);

constexpr timespec kPast{};
constexpr std::size_t kMostOperations = 32'000;  // more than Linux takes in one call of semop

bool is_time(const timespec* t) {
  return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < 1'000'000'000;
}

// Of a time by the system's clock.
std::int64_t deadline_at(const timespec* when) {
  if (when == nullptr) return kForEver;
  if (!is_time(when)) return kByLibc;
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return deadline_after(to_ns(when->tv_sec - now.tv_sec, when->tv_nsec - now.tv_nsec));
}

// `call(until)` passes a time on: one that is past asks without waiting.
template <class F>
auto exchange(Tcb* self, const char* name, mqd_t queue, const timespec* until, F call) {
  decltype(call(until)) result = -1;
  const Asked asked = ask_outside(
      self, name, queue, [&] { return deadline_at(until); },
      [&] { return (result = call(&kPast)) >= 0 || errno != ETIMEDOUT; });
  if (asked == Asked::kByLibc) return call(until);
  if (asked == Asked::kTimeOut) errno = ETIMEDOUT;
  if (asked == Asked::kDone) note_vain(self, result < 0 && errno == EAGAIN);
  return result;
}

// What was there when the wait began has been removed meanwhile: asked again, the system says that
// there is no such thing.
void tell_removed(int asked) {
  if (asked > 1 && errno == EINVAL) errno = EIDRM;
}

// `call(flags)`, where IPC_NOWAIT asks without waiting and `busy` says that it would wait.
template <class F>
auto exchange_v(Tcb* self, const char* name, int flags, int busy, F call) {
  decltype(call(flags)) result = -1;
  int times = 0;
  const Asked asked = ask_outside(
      self, name, -1, [&] { return (flags & IPC_NOWAIT) != 0 ? kAtOnce : kForEver; },
      [&] {
        ++times;
        result = call(flags | IPC_NOWAIT);
        return result >= 0 || (errno != busy && errno != EINTR);
      });
  if (asked == Asked::kByLibc) return call(flags);
  if (asked == Asked::kDone && result < 0) tell_removed(times);
  if (asked == Asked::kTimeOut) errno = busy;
  return result;
}

int change(Tcb* self, const char* name, int set, sembuf* list, std::size_t count,
           const timespec* timeout) {
  reach_for_kernel(list, std::min(count, kMostOperations) * sizeof *list);
  const auto real = [&](const timespec* time) { return real_semtimedop(set, list, count, time); };
  // Which of them would wait, where some are not to, is not told.
  if (std::any_of(list, list + count,
                  [](const sembuf& s) { return (s.sem_flg & IPC_NOWAIT) != 0; })) {
    const int result = real(timeout);
    note_vain(self, result < 0 && errno == EAGAIN);
    return result;
  }
  int result = -1;
  const auto deadline = [&] {
    if (timeout == nullptr) return kForEver;
    return is_time(timeout) ? deadline_after(to_ns(timeout->tv_sec, timeout->tv_nsec)) : kByLibc;
  };
  int times = 0;
  const Asked asked = ask_outside(self, name, -1, deadline, [&] {
    ++times;
    result = real(&kPast);
    return result == 0 || (errno != EAGAIN && errno != EINTR);
  });
  if (asked == Asked::kByLibc) return real(timeout);
  if (asked == Asked::kDone && result < 0) tell_removed(times);
  if (asked == Asked::kTimeOut) errno = EAGAIN;
  return result;
}

ssize_t receive_from(Tcb* self, const char* name, mqd_t queue, char* to, std::size_t bytes,
                     unsigned* priority, const timespec* until) {
  reach_for_kernel(to, bytes);
  reach_for_kernel(priority, priority != nullptr ? sizeof *priority : 0);
  return exchange(self, name, queue, until, [&](const timespec* time) {
    return real_receive(queue, to, bytes, priority, time);
  });
}
int send_from(Tcb* self, const char* name, mqd_t queue, const char* data, std::size_t bytes,
              unsigned priority, const timespec* until) {
  reach_for_kernel(data, bytes);
  return exchange(self, name, queue, until, [&](const timespec* time) {
    return real_send(queue, data, bytes, priority, time);
  });
}

}  // namespace

ROAM_EXPORT ssize_t mq_receive(mqd_t queue, char* to, std::size_t bytes, unsigned* priority) {
  return receive_from(asker(__builtin_return_address(0)), "mq_receive", queue, to, bytes, priority,
                      nullptr);
}
ROAM_EXPORT ssize_t mq_timedreceive(mqd_t queue, char* to, std::size_t bytes, unsigned* priority,
                                    const timespec* until) {
  return receive_from(asker(__builtin_return_address(0)), "mq_timedreceive", queue, to, bytes,
                      priority, until);
}
ROAM_EXPORT int mq_send(mqd_t queue, const char* data, std::size_t bytes, unsigned priority) {
  return send_from(asker(__builtin_return_address(0)), "mq_send", queue, data, bytes, priority,
                   nullptr);
}
ROAM_EXPORT int mq_timedsend(mqd_t queue, const char* data, std::size_t bytes, unsigned priority,
                             const timespec* until) {
  return send_from(asker(__builtin_return_address(0)), "mq_timedsend", queue, data, bytes, priority,
                   until);
}

// A message of System V begins with its type, a long, that `bytes` does not count.
ROAM_EXPORT int msgsnd(int queue, const void* message, std::size_t bytes, int flags) {
  reach_for_kernel(message, sizeof(long) + std::min<std::size_t>(bytes, LONG_MAX));
  return exchange_v(asker(__builtin_return_address(0)), "msgsnd", flags, EAGAIN,
                    [&](int with) { return real_msgsnd(queue, message, bytes, with); });
}
ROAM_EXPORT ssize_t msgrcv(int queue, void* message, std::size_t bytes, long type, int flags) {
  reach_for_kernel(message, sizeof(long) + std::min<std::size_t>(bytes, LONG_MAX));
  return exchange_v(asker(__builtin_return_address(0)), "msgrcv", flags, ENOMSG,
                    [&](int with) { return real_msgrcv(queue, message, bytes, type, with); });
}
ROAM_EXPORT int semop(int set, sembuf* list, std::size_t count) noexcept {
  return change(asker(__builtin_return_address(0)), "semop", set, list, count, nullptr);
}
ROAM_EXPORT int semtimedop(int set, sembuf* list, std::size_t count,
                           const timespec* timeout) noexcept {
  return change(asker(__builtin_return_address(0)), "semtimedop", set, list, count, timeout);
}
