// alarm, setitimer and what waits for SIGALRM: each virtual rank has a timer of its own (alarm.h).
// Timers of processor time are the process's, and are refused.

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "base/job_clock.h"
#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

constexpr std::int64_t kUs = 1000, kSecond = 1'000'000'000;

Alarm& own_alarm() { return Image::running()->alarm(); }

// Whether the signal is blocked now, by whatever call.
void note_mask() {
  sigset_t now;
  if (::sigprocmask(SIG_BLOCK, nullptr, &now) == 0)
    own_alarm().set_blocked(sigismember(&now, SIGALRM) == 1);
}

// ---- timers ----

bool is_time(const timeval& t) { return t.tv_sec >= 0 && t.tv_usec >= 0 && t.tv_usec < 1'000'000; }
// The kernel has no longer ones either.
std::int64_t to_ns(std::int64_t seconds, std::int64_t ns) {
  constexpr std::int64_t kMostSeconds = INT64_MAX / kSecond - 1;
  return std::min(seconds, kMostSeconds) * kSecond + ns;
}
std::int64_t to_ns(const timeval& t) { return to_ns(t.tv_sec, t.tv_usec * kUs); }
// What is left is more than nothing.
timeval to_time(std::int64_t ns) {
  const std::int64_t us = (ns + kUs - 1) / kUs;
  return {us / 1'000'000, us % 1'000'000};
}
itimerval to_timer(const Alarm::Times& times) {
  return {to_time(times.interval_ns), to_time(times.left_ns)};
}

Alarm::Times set_own(const Alarm::Times& next) {
  note_mask();
  return own_alarm().set(next);
}

// As the kernel rounds it.
unsigned set_alarm(unsigned seconds) {
  const timeval before = to_time(set_own({seconds * kSecond, 0}).left_ns);
  const bool up = before.tv_usec >= 500'000 || (before.tv_sec == 0 && before.tv_usec != 0);
  return static_cast<unsigned>(before.tv_sec) + (up ? 1 : 0);
}
useconds_t set_short_alarm(useconds_t us, useconds_t interval_us) {
  const timeval before = to_time(set_own({us * kUs, interval_us * kUs}).left_ns);
  return static_cast<useconds_t>(before.tv_sec * 1'000'000 + before.tv_usec);
}

bool is_of_processor(int which) { return which == ITIMER_VIRTUAL || which == ITIMER_PROF; }

int set_timer(int which, const itimerval* next, itimerval* before) {
  const itimerval wanted = next == nullptr ? itimerval{} : *next;
  if (!is_time(wanted.it_value) || !is_time(wanted.it_interval) ||
      (which != ITIMER_REAL && !is_of_processor(which))) {
    errno = EINVAL;
    return -1;
  }
  const Alarm::Times times{to_ns(wanted.it_value), to_ns(wanted.it_interval)};
  if (which == ITIMER_REAL) {
    const Alarm::Times old = set_own(times);
    if (before != nullptr) *before = to_timer(old);
    return 0;
  }
  if (times.left_ns != 0) {
    report_refused("setitimer(ITIMER_VIRTUAL or ITIMER_PROF)",
                   "processor time is the process's, with all of its virtual ranks. Use "
                   "ITIMER_REAL, or clock_gettime");
    errno = ENOSYS;
    return -1;
  }
  if (before != nullptr) *before = {};
  return 0;
}
int get_timer(int which, itimerval* now) {
  if (which != ITIMER_REAL && !is_of_processor(which)) {
    errno = EINVAL;
    return -1;
  }
  *now = which == ITIMER_REAL ? to_timer(own_alarm().times()) : itimerval{};
  return 0;
}

// ---- the mask ----

int set_mask(int how, const sigset_t* set, sigset_t* old) {
  const int result = ::sigprocmask(how, set, old);
  if (set != nullptr) note_mask();
  return result;
}
int set_thread_mask(int how, const sigset_t* set, sigset_t* old) {
  const int result = ::pthread_sigmask(how, set, old);
  if (set != nullptr) note_mask();
  return result;
}
template <int kHow>
int set_one(int signal) {
  sigset_t one;
  return sigemptyset(&one) == 0 && sigaddset(&one, signal) == 0 ? set_mask(kHow, &one, nullptr)
                                                                : -1;
}
int tell_pending(sigset_t* set) {
  const int result = ::sigpending(set);
  if (result == 0 && own_alarm().is_kept()) sigaddset(set, SIGALRM);
  return result;
}

// ---- waits ----

int tell_signal(siginfo_t* info) {
  if (info != nullptr) {
    *info = {};
    info->si_signo = SIGALRM;
    info->si_code = SI_KERNEL;
  }
  return SIGALRM;
}

timespec to_timespec(std::int64_t ns) { return {ns / kSecond, ns % kSecond}; }

// For what comes to the process, no longer than until the own alarm comes.
int wait_for_signal(const sigset_t* set, siginfo_t* info, const timespec* timeout) {
  const bool is_wrong = timeout != nullptr && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 ||
                                               timeout->tv_nsec >= kSecond);
  if (sigismember(set, SIGALRM) != 1 || is_wrong) return ::sigtimedwait(set, info, timeout);
  note_mask();
  Alarm& alarm = own_alarm();
  std::int64_t until_ns = INT64_MAX;
  if (timeout != nullptr &&
      __builtin_add_overflow(job_now_ns(), to_ns(timeout->tv_sec, timeout->tv_nsec), &until_ns))
    until_ns = INT64_MAX;
  for (;;) {
    if (alarm.take()) return tell_signal(info);
    const std::int64_t own_ns = alarm.times().left_ns;
    if (alarm.is_kept()) continue;  // it has come between
    const std::int64_t left_ns = std::max<std::int64_t>(until_ns - job_now_ns(), 0);
    if (own_ns == 0 && timeout == nullptr) return ::sigwaitinfo(set, info);
    const bool own_is_first = own_ns != 0 && own_ns < left_ns;
    const timespec pause = to_timespec(own_is_first ? own_ns : left_ns);
    const int result = ::sigtimedwait(set, info, &pause);
    if (result >= 0 || errno != EAGAIN || !own_is_first) return result;
  }
}
int wait_for_any_signal(const sigset_t* set, siginfo_t* info) {
  return wait_for_signal(set, info, nullptr);
}
int wait_for_one_signal(const sigset_t* set, int* signal) {
  if (sigismember(set, SIGALRM) != 1) return ::sigwait(set, signal);
  const int before = errno;
  int result;
  do {
    result = wait_for_signal(set, nullptr, nullptr);
  } while (result < 0 && errno == EINTR);
  const int error = errno;
  errno = before;
  if (result < 0) return error;
  *signal = result;
  return 0;
}

}  // namespace

void add_alarm_calls() {
  add_launcher_call("alarm", &set_alarm);
  add_launcher_call("ualarm", &set_short_alarm);
  add_launcher_call("setitimer", &set_timer);
  add_launcher_call("getitimer", &get_timer);
  add_launcher_call("sigprocmask", &set_mask);
  add_launcher_call("pthread_sigmask", &set_thread_mask);
  add_launcher_call("sighold", &set_one<SIG_BLOCK>);
  add_launcher_call("sigrelse", &set_one<SIG_UNBLOCK>);
  add_launcher_call("sigpending", &tell_pending);
  add_launcher_call("sigtimedwait", &wait_for_signal);
  add_launcher_call("sigwaitinfo", &wait_for_any_signal);
  add_launcher_call("sigwait", &wait_for_one_signal);
}

}  // namespace roam::mpi
