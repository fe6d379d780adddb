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
    // Nobody asks for a live move of this one.
    on_rank(0, [to] {
      Load other(22);
      other.add(6000);
      expect_error(roam::Errc::out_of_memory, {"ROAM_MEMORY"},
                   [to] { roam::this_thread::migrate(to); });
      expect_eq(roam::this_thread::live_move().why, std::string(), "of no live move");
    });
  }).join();
  on_rank(to, [] { let_go = true; });
  holder.join();
}

// What came ahead is given back when another thread comes there that needs the memory. The thread
// is held where it is until then, and its move is an ordinary one, unless little had come.
SCENARIO(LiveLimit, WhatCameAheadGivesWayToOthers, .ranks_needed = 3) {
  for (int round = 0; round < 2; ++round) {
    static bool loaded = false, asked = false, go = false;
    loaded = asked = go = false;
    const roam::Thread t = roam::spawn({.rank = 0}, [round] {
      Load load(static_cast<std::uint64_t>(round) + 30);
      load.add(6000);
      loaded = true;
      while (!asked) roam::this_thread::yield();
      {
        const roam::this_thread::Pin pin;
        while (!go) {
          load.write_some();
          roam::this_thread::sleep_for(200us);
        }
      }
      while (roam::rank() == 0) roam::this_thread::yield();
      load.verify();
      const roam::LiveMove move = roam::this_thread::live_move();
      expect(move.live || !move.why.empty(), "an ordinary move says why");
    });
    yield_until([] { return loaded; });
    roam::migrate(t, 1, roam::Live{});
    asked = true;
    roam::this_thread::sleep_for(50ms);
    roam::spawn({.rank = 2}, [] {
      const std::vector<char> memory(30 << 20, 'y');
      roam::this_thread::migrate(1);
      roam::this_thread::sleep_for(3ms);
      expect(memory.back() == 'y' && memory.front() == 'y', "what it has");
    }).join();
    go = true;
    t.join();
  }
}

}  // namespace
}  // namespace roam_test
