// While threads stand still for a checkpoint, ranks are written one after the other: a range of
// free addresses that went from one to another meanwhile would be in both their pieces.
#include <vector>

#include "isomalloc/block.h"
#include "isomalloc/range_pool.h"
#include "roam/isomalloc.h"
#include "roam/roam.h"
#include "runtime/job/job.h"
#include "runtime/move/lease_broker.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"
#include "threads/scheduler.h"

namespace roam_test {
namespace {

constexpr std::size_t kBlocks = 4000;

struct Pieces {
  std::size_t before, still, after;
};

// What another rank's addresses are freed into here, in pieces, a broker of this rank may tidy.
Pieces look() {
  Pieces pieces{};
  roam::threads::on_rank_stack([&] {
    roam::iso::end_all_rests();
    roam::iso::RangePool& pool = roam::iso::pool(roam::iso::Region::kBlocks);
    pool.trim(0);
    roam::runtime::LeaseBroker broker(roam::runtime::the_job().net());
    pieces.before = pool.pieces();
    roam::threads::scheduler().stand_still(true);
    broker.poll();
    pieces.still = pool.pieces();
    roam::threads::scheduler().stand_still(false);
    broker.poll();
    pieces.after = pool.pieces();
  });
  return pieces;
}

SCENARIO(StandsStill, NoAddressesGoFromRankToRank) {
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < kBlocks; ++i) blocks.push_back(iso_malloc(1));
  const int other = (roam::rank() + 1) % roam::ranks();
  Pieces pieces{};
  roam::spawn(roam::SpawnOptions{.rank = other}, [&] {
    for (std::size_t i = 0; i < kBlocks; i += 2) iso_free(blocks[i]);
    pieces = look();
  }).join();
  for (std::size_t i = 1; i < kBlocks; i += 2) iso_free(blocks[i]);
  expect(pieces.before > kBlocks / 4,
         "there are only " + std::to_string(pieces.before) + " pieces");
  expect(pieces.after < pieces.before / 2, "none are tidied");
  expect(pieces.still == pieces.before,
         std::to_string(pieces.before - pieces.still) + " pieces left while threads stood still");
}

}  // namespace
}  // namespace roam_test
