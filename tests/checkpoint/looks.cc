// When it is looked which pages have been written since the checkpoint before: not for a while
// where most had been, and ever more rarely where that stays so. A checkpoint for which it was
// looked has files of others in its folder, for what has not changed.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBytes = 4 << 20, kPage = 4096;
constexpr std::size_t kAll = 1, kPart = 4;  // each page changes, or one of four

class Member {
 public:
  explicit Member(std::string folder) : folder_(std::move(folder)) {
    std::memset(data(), 1, kBytes);
  }

  // Makes checkpoints from the one after the last up to number `last`, before each of which one of
  // `of` pages changes.
  void checkpoints(int last, std::size_t of) {
    for (; made_ < last; ++made_) {
      for (std::size_t at = 0; at < kBytes; at += of * kPage) ++data()[at];
      team_.barrier();
      if (team_.index() == 0) roam::checkpoint(folder_);
      team_.barrier();
    }
  }

  // The numbers of those that have pages in common with others.
  std::vector<int> that_build_on_others() const {
    const roam::SystemHeap process;
    std::vector<int> numbers;
    for (int number = 1; number <= made_; ++number) {
      char name[8];
      std::snprintf(name, sizeof name, "/%06d", number);
      bool builds = false;
      for (const auto& file : fs::directory_iterator(folder_ + name))
        builds = builds || file.path().filename().string().starts_with("base-");
      if (builds) numbers.push_back(number);
    }
    return numbers;
  }
  bool first() const { return team_.index() == 0; }

 private:
  char* data() { return memory_.get(); }

  const std::string folder_;
  const roam::Team team_ = roam::Team::current();
  const std::unique_ptr<char[]> memory_{new char[kBytes]};
  int made_ = 0;
};

// `changes`: up to which checkpoint how much changes.
void expect_to_look_at(const char* name, const std::vector<std::pair<int, std::size_t>>& changes,
                       const std::vector<int>& expected) {
  const std::string folder =
      std::string(std::getenv("TEST_TMPDIR") != nullptr ? std::getenv("TEST_TMPDIR") : "/tmp") +
      "/" + name + "." + std::to_string(getpid());
  roam::spawn_team({.name = "looks"}, roam::ranks(), [folder, changes, expected] {
    Member member(folder);
    for (const auto& [last, of] : changes) member.checkpoints(last, of);
    if (member.first()) expect(member.that_build_on_others() == expected, "who builds on others");
  }).join();
  const roam::SystemHeap process;
  fs::remove_all(folder);
}

SCENARIO(Looks, GoOnWhereAPartChanges) { expect_to_look_at("part", {{6, kPart}}, {2, 3, 4, 5, 6}); }

// The first that looks has nothing to build on; the next one tells how much has changed. Here it
// has some pages of others: stacks, and what nobody has touched.
SCENARIO(Looks, RestWhereMostChangesAndTwiceAsLongTheNextTime) {
  expect_to_look_at("most", {{2, kAll}, {7, kPart}, {8, kAll}, {20, kPart}}, {2, 8, 18, 19, 20});
}

SCENARIO(Looks, RestAsLongAsFirstOnceAPartChangedMeanwhile) {
  expect_to_look_at("both", {{2, kAll}, {8, kPart}, {9, kAll}, {16, kPart}}, {2, 8, 9, 15, 16});
}

}  // namespace
}  // namespace roam_test
