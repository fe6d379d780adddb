#ifndef ROAM_TESTS_RANKS_EVERYWHERE_H_
#define ROAM_TESTS_RANKS_EVERYWHERE_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"

namespace roam_test {

// Writes over memory that ended or moved threads have given back.
inline void reuse_memory() {
  for (std::size_t bytes : {24, 40, 64, 100, 200, 500, 1000, 4000, 20000}) {
    std::vector<std::string> strings(200, std::string(bytes, '#'));
  }
}

// Makes each call first in a thread that then moves away and ends, then in others on the same rank,
// and on other ranks.
inline void call_everywhere(const std::function<void()>& call) {
  for (int r = 0; r < roam::ranks(); ++r) {
    roam::spawn(roam::SpawnOptions{.rank = r}, [call] {
      call();
      roam::this_thread::migrate(next_rank());
      call();
    }).join();
    on_rank(r, [call] {
      reuse_memory();
      call();
      reuse_memory();
      call();
    });
  }
  call();
}

}  // namespace roam_test

#endif  // ROAM_TESTS_RANKS_EVERYWHERE_H_
