#include "runtime/trace/clocks.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <vector>

#include "base/clock.h"

namespace roam::runtime {
namespace {

// The first exchanges make the connection; of the others one is undisturbed. Where ranks share
// cores that takes many: so many at least, then until the error is small or the time is up.
constexpr int kExchanges = 32;
constexpr std::int64_t kGoodErrorNs = 20'000;
constexpr std::int64_t kLongestNs = 50'000'000;

ClockOffset ask(Mpi& mpi, int rank) {
  ClockOffset best{0, INT64_MAX};
  std::vector<char> answer;
  const std::int64_t begin = now_ns();
  std::int64_t asked = begin;
  for (int i = 0; i < kExchanges || (best.error_ns > kGoodErrorNs && asked - begin < kLongestNs);
       ++i) {
    asked = now_ns();
    mpi.send_now(rank, &asked, sizeof asked);
    mpi.receive_now(rank, &answer);
    const std::int64_t answered = now_ns();
    std::int64_t there = 0;
    std::memcpy(&there, answer.data(), sizeof there);
    const std::int64_t error = (answered - asked + 1) / 2;
    if (error < best.error_ns) best = {asked + (answered - asked) / 2 - there, error};
  }
  mpi.send_now(rank, nullptr, 0);
  return best;
}

// Until the question is empty.
void answer(Mpi& mpi) {
  std::vector<char> question;
  for (;;) {
    mpi.receive_now(0, &question);
    if (question.empty()) return;
    const std::int64_t here = now_ns();
    mpi.send_now(0, &here, sizeof here);
  }
}

}  // namespace

ClockOffset compare_clocks(Mpi& mpi, const std::string& clock) {
  const std::vector<int> clocks =
      mpi.gather_ints(static_cast<int>(std::hash<std::string>{}(clock)));
  std::vector<ClockOffset> offsets(clocks.size());
  for (std::size_t r = 0; r < clocks.size(); ++r) {
    const auto first = static_cast<std::size_t>(std::find(clocks.begin(), clocks.end(), clocks[r]) -
                                                clocks.begin());
    if (first == 0) continue;
    if (first < r) {
      offsets[r] = offsets[first];
    } else if (mpi.rank() == 0) {
      offsets[r] = ask(mpi, static_cast<int>(r));
    } else if (mpi.rank() == static_cast<int>(r)) {
      answer(mpi);
    }
  }
  mpi.broadcast(offsets.data(), offsets.size() * sizeof(ClockOffset));
  return offsets[static_cast<std::size_t>(mpi.rank())];
}

}  // namespace roam::runtime
