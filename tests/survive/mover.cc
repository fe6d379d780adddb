#include "tests/survive/mover.h"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"

namespace roam_test {
namespace {

using namespace std::chrono_literals;

constexpr Mode kModes[] = {Mode::stay,          Mode::migrate,     Mode::there_and_back,
                           Mode::ring,          Mode::asked_ready, Mode::asked_asleep,
                           Mode::asked_waiting, Mode::asked_afar,  Mode::live,
                           Mode::checkpoint,    Mode::restart};

// A thread on `rank` that asks for the calling thread to be moved to `target`.
roam::Thread spawn_asker(int rank, int target) {
  return roam::spawn(
      roam::SpawnOptions{.name = "asker", .rank = rank},
      [](roam::Thread whom, int where) { roam::migrate(whom, where); }, roam::this_thread::self(),
      target);
}

// The caller is ready, or asleep, whenever another thread of its rank runs. What the move does to
// errno shows; what spawn and join may do to it does not.
void be_asked(int asker_rank, int target, bool asleep) {
  const int errno_before = errno;
  const roam::Thread asker = spawn_asker(asker_rank, target);
  errno = errno_before;
  while (roam::rank() != target) {
    if (asleep) {
      roam::this_thread::sleep_for(1ms);
    } else {
      roam::this_thread::yield();
    }
  }
  const int errno_after = errno;
  roam::join(asker);
  errno = errno_after;
}

void be_asked_while_waiting(int target) {
  const int errno_before = errno;
  roam::join(spawn_asker(-1, target));
  errno = errno_before;
  expect_eq(roam::rank(), target, "rank after join, which a request to migrate preceded");
}

// Small heaps are not sent ahead. What the move does to errno shows.
void move_live(int target) {
  int errno_before = errno;
  std::vector<std::uint64_t> ballast(std::size_t{2} << 17);
  std::iota(ballast.begin(), ballast.end(), std::uint64_t{7});
  errno = errno_before;
  roam::migrate(roam::this_thread::self(), target, roam::Live{});
  for (std::size_t i = 0; roam::rank() != target; i = (i + 1237) % ballast.size()) {
    ballast[i] = i + 7;
    roam::this_thread::yield();
  }
  errno_before = errno;
  for (std::size_t i = 0; i < ballast.size(); ++i) {
    if (ballast[i] != i + 7) expect_eq(ballast[i], i + 7, "what went along");
  }
  std::vector<std::uint64_t>().swap(ballast);
  errno = errno_before;
}

}  // namespace

std::string checkpoint_folder;
bool goes_on_from_checkpoint = false;
int moves_begun = 0;

std::span<const Mode> all_modes() { return std::span(kModes).first(std::size(kModes) - 2); }

const char* to_string(Mode mode) {
  switch (mode) {
    case Mode::stay:
      return "stay";
    case Mode::migrate:
      return "migrate";
    case Mode::there_and_back:
      return "there_and_back";
    case Mode::ring:
      return "ring";
    case Mode::asked_ready:
      return "asked_ready";
    case Mode::asked_asleep:
      return "asked_asleep";
    case Mode::asked_waiting:
      return "asked_waiting";
    case Mode::asked_afar:
      return "asked_afar";
    case Mode::live:
      return "live";
    case Mode::checkpoint:
      return "checkpoint";
    case Mode::restart:
      return "restart";
  }
  return "?";
}

Mode mode_from(std::string_view name) {
  std::string known;
  for (Mode mode : kModes) {
    if (name == to_string(mode)) return mode;
    known += std::string(" ") + to_string(mode);
  }
  throw std::invalid_argument("no mode \"" + std::string(name) + "\"; there are" + known);
}

bool Mover::leaves() const {
  return roam::ranks() > 1 && mode_ != Mode::stay && mode_ != Mode::there_and_back &&
         mode_ != Mode::ring && mode_ != Mode::checkpoint;
}

void Mover::operator()() {
  const roam::Thread self = roam::this_thread::self();
  const int start = roam::rank();
  const int next = (start + 1) % roam::ranks();
  int want = next;
  ++moves_;
  switch (mode_) {
    case Mode::stay:
      roam::this_thread::yield();
      want = start;
      break;
    case Mode::migrate:
      roam::this_thread::migrate(next);
      break;
    case Mode::there_and_back:
      roam::this_thread::migrate(next);
      expect_eq(roam::rank(), next, "rank on the way");
      roam::this_thread::migrate(start);
      want = start;
      break;
    case Mode::ring:
      for (int i = 1; i <= roam::ranks(); ++i) {
        const int to = (start + i) % roam::ranks();
        roam::this_thread::migrate(to);
        expect_eq(roam::rank(), to, "rank on the way");
      }
      want = start;
      break;
    case Mode::asked_ready:
      be_asked(-1, next, false);
      break;
    case Mode::asked_asleep:
      be_asked(-1, next, true);
      break;
    case Mode::asked_waiting:
      be_asked_while_waiting(next);
      break;
    case Mode::asked_afar:
      be_asked((start + 2) % roam::ranks(), next, false);
      break;
    case Mode::live:
      move_live(next);
      break;
    case Mode::checkpoint: {
      const int errno_before = errno;
      expect(roam::checkpoint(checkpoint_folder) == roam::Resumed::no, "the job goes on");
      errno = errno_before;
      want = start;
      break;
    }
    case Mode::restart:
      ++moves_begun;
      while (!goes_on_from_checkpoint) roam::this_thread::sleep_for(1ms);
      want = start % roam::ranks();
      break;
  }
  expect_eq(roam::rank(), want, "rank after the move");
  expect(roam::this_thread::self() == self, "the thread is itself after the move");
}

}  // namespace roam_test
