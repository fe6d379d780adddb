#ifndef ROAM_MPI_IMAGE_ALARM_H_
#define ROAM_MPI_IMAGE_ALARM_H_

#include <atomic>
#include <cstdint>

namespace roam::mpi {

// The timer of a virtual rank that sends it SIGALRM (alarm, setitimer). A process has one, which
// would be that of all its virtual ranks, and stay there: so each has a deadline on the job's clock
// that goes where it goes. A kernel thread of the process waits for the first one of those that are
// there, whatever they compute or wait for meanwhile. Of one that has come asleep it does not know:
// who sleeps wakes for its own. The signal is nobody else's: it ends the job,
// does nothing where its virtual rank ignores it, and is kept for that where it is blocked.
//
// Context: the virtual rank's thread, but for arrive and depart, which are as Guest's.
class Alarm {
 public:
  // `number`: of the virtual rank, for messages.
  explicit Alarm(int number) : number_(number) {}
  ~Alarm() { depart(); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  struct Times {
    std::int64_t left_ns = 0;      // 0: none is set
    std::int64_t interval_ns = 0;  // 0: once
  };
  Times times();
  // Gives what there was.
  Times set(const Times& next);
  // When it comes next, on the job's clock; INT64_MAX: none is set.
  std::int64_t deadline_ns();
  bool is_set() const { return deadline_ns_.load(std::memory_order_relaxed) != 0; }

  // What its virtual rank has the signal do. One that is kept ends the job when it is let in.
  void set_ignored(bool ignored);
  void set_blocked(bool blocked);
  // Whether a signal is kept; and takes it.
  bool is_kept();
  bool take();

  void arrive();
  void depart();

 private:
  static void watch();
  static void begin_to_watch();
  void note(bool here);
  void look(std::int64_t now_ns);

  const int number_;
  // Of the job's clock, 0: none is set. This and all that follows is looked at and written under
  // the lock of all, but that the virtual rank's thread asks whether there is one.
  std::atomic<std::int64_t> deadline_ns_ = 0;
  std::int64_t interval_ns_ = 0;
  bool ignored_ = false, blocked_ = false, kept_ = false;
  bool here_ = false;  // the process looks at it
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_ALARM_H_
