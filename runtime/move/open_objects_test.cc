#include "runtime/move/open_objects.h"

#include <gtest/gtest.h>

#include <string>

#include "isomalloc/heap.h"
#include "threads/scheduler.h"
#include "threads/test_threads.h"

namespace roam::runtime {
namespace {

Tcb* make(const char* name) { return threads::scheduler().slots().make(256 << 10, name); }

// What is opened while what a thread is given is copied has no number of a thread yet.
TEST(OpenObjects, WhatWasOpenedInTheMakingIsOfWhoWasMade) {
  threads::TestThreads threads;
  OpenObjects objects;
  const int first = 0, second = 0;
  Tcb* t = make("one");
  objects.note_open(&first, "locale", t);
  objects.note_open(&second, "locale", t);
  t->id = 5;
  objects.renumbered(t, 0);
  EXPECT_NE(objects.pinned_by(t).find("and 1 more such"), std::string::npos);
  objects.note_closed(&first);
  objects.poll();
  EXPECT_EQ(t->open_objects, 1);

  t->id = 0;
  threads::scheduler().slots().retire(t);
  Tcb* next = make("two");
  ASSERT_EQ(next, t);
  next->id = 6;
  objects.note_closed(&second);
  objects.poll();
  EXPECT_EQ(next->open_objects, 0) << "another thread in its place";
  threads::scheduler().slots().retire(next);
}

TEST(OpenObjects, WhatWasOpenedInAMakingThatFailedIsClosedThere) {
  threads::TestThreads threads;
  OpenObjects objects;
  const int object = 0;
  Tcb* t = make("never");
  objects.note_open(&object, "locale", t);
  t->id = 5;
  objects.renumbered(t, 0);
  t->id = 0;
  objects.renumbered(t, 5);
  objects.note_closed(&object);
  objects.poll();
  EXPECT_EQ(t->open_objects, 0);
  threads::scheduler().slots().retire(t);
}

// A thread may end in the midst of a call of libc that pins, by a pointer to its stack.
TEST(OpenObjects, AreClosedByWhoHasOpenedThemInTheSameMemory) {
  threads::TestThreads threads;
  OpenObjects objects;
  const int object = 0;
  const Tcb* first = threads.spawn([&] {
    const iso::HeapScope process;
    Tcb* const self = threads::scheduler().current();
    objects.note_open(&object, "glob", self);
    self->open_objects = 0;  // else TestThreads has something to say
  });
  threads.run();
  const Tcb* second = threads.spawn([&] {
    const iso::HeapScope process;
    Tcb* const self = threads::scheduler().current();
    objects.note_open(&object, "glob", self);
    objects.note_closed(&object);
    EXPECT_EQ(self->open_objects, 0);
  });
  threads.run();
  EXPECT_EQ(second, first);
}

}  // namespace
}  // namespace roam::runtime
