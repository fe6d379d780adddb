// Messages flood a rank until it has no address range left for them, in the middle of one: it asks
// for more, and what comes before the answer is neither lost nor overtaken.
#include <cstdint>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

constexpr int kDataTag = 1, kLastTag = 2;
constexpr int kMessages = 6000;
constexpr std::size_t kBytes = 24'000;  // as one message of MPI

// Who sends does not look up until all are sent: whom it floods waits for its answer.
SCENARIO(Lease, IsAskedForWhileAMessageIsTakenIn) {
  roam::spawn_team(roam::ranks(), [] {
    const roam::Team team = roam::Team::current();
    const int last = team.size() - 1;
    if (team.index() == 0) {
      std::vector<unsigned char> data(kBytes);
      for (int i = 0; i < kMessages; ++i) {
        Pattern(static_cast<std::uint64_t>(i)).fill(data.data(), data.size());
        team.send(last, kDataTag, data);
      }
      team.send(last, kLastTag, kMessages);
    }
    if (team.index() == last) {
      expect_eq(team.recv<int>(0, kLastTag), kMessages, "the last message");
      std::vector<unsigned char> data(kBytes);
      for (int i = 0; i < kMessages; ++i) {
        expect_eq(team.recv(0, kDataTag, data).count, kBytes, "bytes that came");
        Pattern(static_cast<std::uint64_t>(i)).verify(data.data(), data.size(), "a message");
      }
    }
  }).join();
}

}  // namespace
}  // namespace roam_test
