#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "base/test_bytes.h"
#include "isomalloc/arena.h"
#include "isomalloc/test_arena.h"

namespace roam::iso {
namespace {

// Two ranges of a shared arena with bytes in them, the first and the last of one lease.
class ArenaInAChild : public testing::Test {
 protected:
  ArenaInAChild() : arena_(true) {
    const Range lease = arena().layout().lease_range(LeaseRun{Region::kHeap, 2, 1});
    arena().leases().own(lease);
    EXPECT_TRUE(arena().leases().open(lease));
    first_ = Range{lease.begin, 3 * kUnitBytes};
    last_ = Range{lease.end() - 2 * kUnitBytes, 2 * kUnitBytes};
    arena().units().mark(first_, UnitKind::kSpan);
    arena().units().mark(last_, UnitKind::kSpan);
    fill_bytes(reinterpret_cast<void*>(first_.begin + kUnitBytes), kPageBytes, 1);
    fill_bytes(last_.pointer(), last_.bytes, 2);
  }

  static bool holds(Address at, std::size_t bytes, std::uint64_t seed) {
    return first_wrong_byte(reinterpret_cast<void*>(at), bytes, seed) == bytes;
  }

  TestArena arena_;
  Range first_, last_;
};

TEST_F(ArenaInAChild, IsFoundInOrder) {
  std::vector<std::pair<Range, UnitKind>> found;
  arena().for_each_live([&](Range range, UnitKind kind) { found.emplace_back(range, kind); });
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0], std::make_pair(first_, UnitKind::kSpan));
  EXPECT_EQ(found[1], std::make_pair(last_, UnitKind::kSpan));
}

TEST_F(ArenaInAChild, HasCopiesOfItsMemoryAndNothingElse) {
  Arena::ChildMemory memory;
  memory.add(first_);
  int go[2];
  ASSERT_EQ(pipe(go), 0);
  const pid_t child = fork();
  if (child == 0) {
    char byte;
    const bool moved = arena().move_to_child(memory);
    if (read(go[0], &byte, 1) != 1) _exit(1);  // the parent has written over both
    if (!moved || arena().shared() || !arena().ready()) _exit(2);
    if (!holds(first_.begin + kUnitBytes, kPageBytes, 1)) _exit(3);
    if (arena().units().kind(first_.begin) != UnitKind::kSpan) _exit(4);
    if (arena().units().kind(last_.begin) != UnitKind::kNone || readable(last_.begin)) _exit(5);
    fill_bytes(first_.pointer(), first_.bytes, 7);
    // Addresses of its own, and what was away, can be made use of.
    if (!arena().leases().open(last_)) _exit(6);
    arena().seals().unseal(last_);
    fill_bytes(last_.pointer(), last_.bytes, 8);
    _exit(holds(first_.begin, first_.bytes, 7) && holds(last_.begin, last_.bytes, 8) ? 0 : 7);
  }
  fill_bytes(last_.pointer(), last_.bytes, 5);
  ASSERT_EQ(write(go[1], "g", 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "status " << WEXITSTATUS(status);
  EXPECT_TRUE(holds(first_.begin + kUnitBytes, kPageBytes, 1)) << "the child wrote into it";
  EXPECT_TRUE(holds(last_.begin, last_.bytes, 5)) << "the child wrote into it";
  close(go[0]);
  close(go[1]);
}

}  // namespace
}  // namespace roam::iso
