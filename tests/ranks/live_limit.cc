// Threads whose pages go ahead of them to a node that has little memory (ROAM_MEMORY).
#include <chrono>
#include <cstddef>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/changing_load.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

using namespace std::chrono_literals;

SCENARIO(LiveLimit, WhereThereIsNoRoomItStaysAndSaysWhy, .ranks_needed = 2) {
  static bool let_go = false, holds = false;  // on the holder's rank; on rank 0
  const roam::Thread holder = roam::spawn({.rank = stranger()}, [] {
    const std::vector<char> memory(36 << 20, 'x');
    on_rank(0, [] { holds = true; });
    while (!let_go) roam::this_thread::sleep_for(1ms);
  });
  yield_until([] { return holds; });
  const int to = stranger();
  roam::spawn([to] {
    Load load(21);
    load.add(6000);
    roam::migrate(roam::this_thread::self(), to, roam::Live{});
    for (int i = 0; i < 2000 && roam::this_thread::live_move().why.empty(); ++i)
      roam::this_thread::sleep_for(1ms);
    roam::this_thread::sleep_for(20ms);
    expect_eq(roam::rank(), 0, "where it stays");
    expect_contains(roam::this_thread::live_move().why, {"ROAM_MEMORY"});
    load.verify();
  }).join();
  on_rank(to, [] { let_go = true; });
  holder.join();
}

// What came ahead is given back when another thread comes there that needs the memory.
SCENARIO(LiveLimit, WhatCameAheadGivesWayToOthers, .ranks_needed = 3) {
  for (int round = 0; round < 4; ++round) {
    static bool loaded = false;
    loaded = false;
    const roam::Thread t = roam::spawn({.rank = 0}, [round] {
      Load load(static_cast<std::uint64_t>(round) + 30);
      load.add(6000);
      loaded = true;
      for (int i = 0; i < 100 && roam::rank() == 0; ++i) {
        for (int page = 0; page < 300; ++page) load.write_some();
        roam::this_thread::sleep_for(500us);
      }
      roam::this_thread::sleep_for(10ms);
      load.verify();
    });
    yield_until([] { return loaded; });
    const roam::Thread eater = roam::spawn({.rank = 2}, [round] {
      std::vector<char> memory(30 << 20, 'y');
      on_rank(0, [] { loaded = false; });
      roam::this_thread::sleep_for(10ms * round);
      try {
        roam::this_thread::migrate(1);
      } catch (const roam::Error& error) {  // the other one is there already
        expect_contains(error.what(), {"ROAM_MEMORY"});
      }
      roam::this_thread::sleep_for(3ms);
      expect(memory.back() == 'y' && memory.front() == 'y', "what it has");
    });
    yield_until([] { return !loaded; });
    roam::migrate(t, 1, roam::Live{});
    t.join();
    eater.join();
  }
}

}  // namespace
}  // namespace roam_test
