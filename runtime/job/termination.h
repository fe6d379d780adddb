#ifndef ROAM_RUNTIME_JOB_TERMINATION_H_
#define ROAM_RUNTIME_JOB_TERMINATION_H_

#include <cstdint>

namespace roam::runtime {

// Finds out when every thread of the job has ended, and when none can ever run again. Kernel
// threads of the program are outside of that: they wake threads, but make none.
//
// Ranks that have nothing to do add up their counts in waves; a wave ends when every rank has
// joined it. Two waves in a row with the same sums, and as many messages received as sent, mean
// that nothing happened in between: no message is under way and no rank can wake another. Then the
// job is over if no thread lives, and deadlocked if one does. Source: Mattern 1987, four-counter
// method. Messages that concern no thread are not counted: kernel threads that use memory may have
// ranks ask each other for addresses for ever.
//
// `Net` is Mpi, or what stands in for it in a test.
class Termination {
 public:
  // kOutsiders: kernel threads of the program could wake a thread, and nothing else could.
  enum class Verdict { kGoOn, kOver, kDeadlock, kOutsiders };

  std::uint64_t created = 0;  // threads, on this rank
  std::uint64_t ended = 0;
  std::uint64_t handed_off = 0;  // inside the node
  std::uint64_t taken_over = 0;
  std::uint64_t exit_code = 0;
  std::uint64_t outsiders = 0;  // kernel threads that the program made

  // Call when this rank is passive: no thread is ready or asleep, nothing is under way. A rank
  // alone decides at once.
  template <class Net>
  Verdict step(Net& mpi) {
    if (done_) return Verdict::kOver;
    std::uint64_t sums[Net::kWaveCounts] = {created,
                                            ended,
                                            handed_off + mpi.sent_for_threads(),
                                            taken_over + mpi.received_for_threads(),
                                            exit_code,
                                            outsiders};
    if (mpi.ranks() == 1) return decide(sums, true);
    if (mpi.wave_started()) return look(mpi);
    mpi.start_wave(sums);
    return Verdict::kGoOn;
  }
  // Call when this rank is not passive, of a job of several: a wave that it joined may end. It
  // decides what the sums say, as on every other rank: what keeps this one busy has come since it
  // joined, from outside of what is counted, and wakes no thread where the verdict is that none
  // can run again.
  template <class Net>
  Verdict look(Net& mpi) {
    std::uint64_t sums[Net::kWaveCounts];
    if (!mpi.wave_started() || !mpi.wave_done(sums)) return Verdict::kGoOn;
    bool same = have_last_;
    for (int i = 0; i < 4; ++i) {
      same = same && last_[i] == sums[i];
      last_[i] = sums[i];
    }
    have_last_ = true;
    return decide(sums, same && sums[2] == sums[3]);
  }
  bool done() const { return done_; }
  int total_exit_code() const { return static_cast<int>(total_code_); }
  std::uint64_t total_outsiders() const { return total_outsiders_; }
  std::uint64_t alive() const { return last_[0] - last_[1]; }

 private:
  Verdict decide(const std::uint64_t* sums, bool quiet) {
    if (!quiet) return Verdict::kGoOn;
    last_[0] = sums[0];
    last_[1] = sums[1];
    total_outsiders_ = sums[5];
    if (sums[0] != sums[1]) return sums[5] == 0 ? Verdict::kDeadlock : Verdict::kOutsiders;
    done_ = true;
    total_code_ = sums[4];
    return Verdict::kOver;
  }

  bool done_ = false;
  bool have_last_ = false;
  std::uint64_t last_[4] = {};
  std::uint64_t total_code_ = 0;
  std::uint64_t total_outsiders_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_JOB_TERMINATION_H_
