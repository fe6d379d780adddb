#ifndef ROAM_RUNTIME_CHECKPOINT_QUIET_ROUNDS_H_
#define ROAM_RUNTIME_CHECKPOINT_QUIET_ROUNDS_H_

#include <cstdint>
#include <string>

#include "base/text.h"

namespace roam::runtime {

// Finds out that no message is under way while no thread runs, from what all ranks count in rounds.
//
// Rank 0 sends a question to each other rank, counts, and then hears their answers; each counts
// when it is asked, before it answers. So questions of a round are in the counts of that round, its
// answers in those of the next. Two rounds in which every rank was quiet, as many messages had been
// received as sent, and between which nothing was sent but questions and answers, mean that nothing
// was under way in between. Source: Mattern 1987, four-counter method.
class QuietRounds {
 public:
  explicit QuietRounds(int ranks) : own_(2 * static_cast<std::uint64_t>(ranks - 1)) {}

  // A new round begins.
  void begin() {
    sent_ = received_ = 0;
    quiet_ = true;
  }
  // What one rank says.
  void add(std::uint64_t sent, std::uint64_t received, bool quiet) {
    sent_ += sent;
    received_ += received;
    quiet_ = quiet_ && quiet;
  }
  // All have: whether it was the second of two such rounds.
  bool end() {
    const bool good = quiet_ && sent_ == received_;
    const bool same = was_good_ && sent_ == last_sent_ + own_;
    last_sent_ = sent_;
    was_good_ = good;
    return good && same;
  }

  // Whether the round that begins may be the second of two.
  bool may_end() const { return was_good_; }

  // What the last round counted, for a message.
  std::string last() const {
    return text("%llu sent, %llu received, %s", static_cast<unsigned long long>(sent_),
                static_cast<unsigned long long>(received_), quiet_ ? "quiet" : "not quiet");
  }

 private:
  std::uint64_t own_;  // questions and answers of a round
  std::uint64_t sent_ = 0, received_ = 0, last_sent_ = 0;
  bool quiet_ = true, was_good_ = false;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_QUIET_ROUNDS_H_
