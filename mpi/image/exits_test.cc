#include "mpi/image/exits.h"

#include <gtest/gtest.h>

#include <string>

namespace roam::mpi {
namespace {

std::string called;
Exits* exits = nullptr;

void note(void* letter) { called += *static_cast<char*>(letter); }
void note_and_ask(void* letter) {
  note(letter);
  static char later = 'x';
  exits->add(note, &later, nullptr);
}

TEST(Exits, ComeLastFirstAndThoseAskedForMeanwhileToo) {
  Exits mine;
  exits = &mine;
  called.clear();
  char a = 'a', b = 'b', c = 'c', t = 't';
  mine.add(note, &a, nullptr);
  mine.add(note_and_ask, &b, nullptr);
  mine.add(note, &c, nullptr);
  mine.add_of_thread(note, &t);
  mine.run_of_thread();
  EXPECT_EQ(called, "t");
  mine.run_at_exit(0);
  EXPECT_EQ(called, "tcbxa");
  mine.run_at_exit(0);
  EXPECT_EQ(called, "tcbxa");
}

TEST(Exits, AreGivenTheStatusIfTheyAskForIt) {
  Exits mine;
  called.clear();
  char a = 'a';
  mine.add(note, &a, nullptr);
  mine.add_with_status(
      [](int status, void* letter) {
        note(letter);
        called += std::to_string(status);
      },
      &a);
  mine.run_of_module(&a);
  EXPECT_EQ(called, "");
  mine.run_at_exit(300);
  EXPECT_EQ(called, "a300a");
}

TEST(Exits, OfOneModuleComeWhenItGoes) {
  Exits mine;
  called.clear();
  char a = 'a', b = 'b', c = 'c';
  mine.add(note, &a, &a);
  mine.add(note, &b, &b);
  mine.add(note, &c, &a);
  mine.run_of_module(&a);
  EXPECT_EQ(called, "ca");
  mine.run_at_exit(0);
  EXPECT_EQ(called, "cab");
}

}  // namespace
}  // namespace roam::mpi
