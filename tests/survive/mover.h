#ifndef ROAM_TESTS_SURVIVE_MOVER_H_
#define ROAM_TESTS_SURVIVE_MOVER_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace roam_test {

// How a case's thread is moved.
enum class Mode {
  stay,            // only yields: what fails here is the case, not the move
  migrate,         // to the next rank, and stays there (inside a node: a hand-off)
  there_and_back,  // to the next rank and back
  ring,            // over every rank in turn, back to where it was
  asked_ready,     // another thread asks for the next rank while this one is ready
  asked_asleep,    // ... while it sleeps
  asked_waiting,   // ... while it waits, in join
  asked_afar,      // a thread of a third rank asks, while this one is ready
  live,            // its pages go ahead of it to the next rank, with some more that it has then
  checkpoint,      // it has a checkpoint of the job made, in checkpoint_folder, and goes on
  restart,         // it waits until the job is ended, and goes on in one from its checkpoint
};

// But for the last two, which want a folder.
std::span<const Mode> all_modes();
const char* to_string(Mode mode);
// Throws std::invalid_argument, naming the modes there are.
Mode mode_from(std::string_view name);

// Of every rank's process.
extern std::string checkpoint_folder;
extern bool goes_on_from_checkpoint;
// How many moves have been begun on this rank; all of mode restart wait in theirs.
extern int moves_begun;

// What a case calls in the middle to be moved. Copyable, for cases of several threads: each moves
// itself.
class Mover {
 public:
  Mover(Mode mode, std::uint64_t seed) : mode_(mode), seed_(seed) {}

  // Moves the calling thread as the mode says; checks that it arrived, and as itself.
  void operator()();

  Mode mode() const { return mode_; }
  // Whether the thread is on another rank after a move, in a job of several.
  bool leaves() const;
  std::uint64_t seed() const { return seed_; }
  int moves() const { return moves_; }

 private:
  Mode mode_;
  std::uint64_t seed_;
  int moves_ = 0;
};

}  // namespace roam_test

#endif  // ROAM_TESTS_SURVIVE_MOVER_H_
