#include "tests/soak/traffic.h"

#include <roam/converse.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"

namespace roam_test {
namespace {

int random_rank(Random& random) {
  return static_cast<int>(random.below(static_cast<std::uint64_t>(roam::ranks())));
}

// Threads that begin on any rank and end on any other.
void threads(std::uint64_t seed) {
  Random random(seed);
  std::vector<roam::Thread> all;
  for (int i = 0; i < 20; ++i) {
    const int to = random_rank(random);
    all.push_back(roam::spawn(roam::SpawnOptions{.rank = random_rank(random)}, [to] {
      roam::this_thread::migrate(to);
      roam::this_thread::yield();
    }));
  }
  for (roam::Thread thread : all) thread.join();
}

// What they leave is freed by their joiner, here or after a move.
void results(std::uint64_t seed) {
  Random random(seed);
  std::vector<std::string*> texts;
  for (int i = 0; i < 60; ++i) {
    std::string* text = nullptr;
    std::string** to = &text;
    const std::size_t bytes = random.below(300);
    roam::spawn([=] { *to = new std::string(bytes, 'r'); }).join();
    texts.push_back(text);
    expect_eq(text->size(), bytes, "bytes of a result");
  }
  roam::this_thread::migrate(random_rank(random));
  for (std::string* text : texts) delete text;
}

// Exceptions and long names; some are joined long after the end, on another rank.
void exceptions(std::uint64_t seed) {
  Random random(seed);
  std::vector<roam::Thread> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(roam::spawn(
        roam::SpawnOptions{.name = std::string(60, 'n'), .rank = random_rank(random)}, [i] {
          throw std::runtime_error("exception " +
                                   std::string(static_cast<std::size_t>(i) * 20, 'e'));
        }));
  }
  roam::this_thread::migrate(random_rank(random));
  for (roam::Thread thread : all)
    expect_contains(expect_throws<std::runtime_error>([&] { thread.join(); }, "join").what(),
                    {"exception "});
}

// Blocks of all sizes that travel with their thread and grow elsewhere.
void memory(std::uint64_t seed) {
  Random random(seed);
  std::vector<void*> blocks;
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 80; ++i) {
    const std::size_t bytes = random.below(10) == 0 ? random.below(3 << 20) : random.below(6000);
    blocks.push_back(std::malloc(bytes));
    sizes.push_back(bytes);
    Pattern(seed + bytes).fill(blocks.back(), bytes);
    if (i % 20 == 19) roam::this_thread::migrate(random_rank(random));
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    Pattern(seed + sizes[i]).verify(blocks[i], sizes[i], "a block");
    if (i % 8 == 0) blocks[i] = std::realloc(blocks[i], sizes[i] * 2 + 1);
    std::free(blocks[i]);
  }
}

// Explicit blocks, some packed on one rank and unpacked on the next.
void isomalloc(std::uint64_t seed) {
  Random random(seed);
  for (int i = 0; i < 5; ++i) {
    const std::size_t bytes = 1 + random.below(200'000);
    void* block = iso_malloc(bytes);
    void* const address = block;
    Pattern(seed).fill(block, bytes);
    pup_er sizer = pup_new_sizer();
    iso_pup(sizer, &block);
    std::vector<char> image(pup_size(sizer));
    pup_destroy(sizer);
    pup_er packer = pup_new_toMem(image.data());
    pup_set_deleting(packer, 1);
    iso_pup(packer, &block);
    pup_destroy(packer);
    roam::this_thread::migrate(random_rank(random));
    block = nullptr;
    pup_er unpacker = pup_new_fromMem(image.data());
    iso_pup(unpacker, &block);
    pup_destroy(unpacker);
    expect(block == address, "the block is where it was");
    Pattern(seed).verify(block, bytes, "a block");
    iso_free(block);
  }
}

// A team whose members send short and long messages, combine, move and balance.
void teams(std::uint64_t seed) {
  const int members = 2 + static_cast<int>(seed % 5);
  roam::spawn_team(members, [seed] {
    const roam::Team team = roam::Team::current();
    Random random(mix(seed + static_cast<std::uint64_t>(team.index())));
    const int right = (team.index() + 1) % team.size();
    const int left = (team.index() + team.size() - 1) % team.size();
    for (int i = 0; i < 4; ++i) {
      std::vector<int> data(i == 2 ? 60'000 : 100);
      std::iota(data.begin(), data.end(), team.index());
      roam::Request sent = team.isend(right, i, data);
      if (random.below(3) == 0) roam::this_thread::migrate(random_rank(random));
      const auto got = team.recv<std::vector<int>>(left, i);
      expect_eq(got.size(), data.size(), "numbers that came");
      expect_eq(got.back(), left + static_cast<int>(got.size()) - 1, "the last that came");
      sent.wait();
      expect_eq(team.allreduce(1), team.size(), "members");
    }
    team.balance();
    team.barrier();
  }).join();
}

// What threads of one rank share: locks, channels, promises, sleeps.
void synchronisation(std::uint64_t seed) {
  roam::Mutex mutex;
  roam::Channel<std::string> channel(3);
  roam::Promise<std::string> promise;
  roam::Future<std::string> future = promise.get_future();
  roam::Barrier barrier(3);
  int count = 0;
  std::vector<roam::Thread> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(roam::spawn([&] {
      barrier.arrive_and_wait();
      const std::lock_guard lock(mutex);
      ++count;
      roam::this_thread::sleep_for(std::chrono::microseconds(seed % 50));
      channel.send(std::string(seed % 500, 'c'));
    }));
  }
  all.push_back(roam::spawn([&] { promise.set_value(std::string(seed % 700, 'p')); }));
  for (int i = 0; i < 3; ++i) expect_eq(channel.recv()->size(), seed % 500, "a message's bytes");
  expect_eq(future.get().size(), seed % 700, "a promise's bytes");
  for (roam::Thread thread : all) thread.join();
  expect_eq(count, 3, "threads that had the lock");
}

// Moves that cannot be.
void refusals(std::uint64_t seed) {
  Random random(seed);
  const roam::this_thread::Pin pin;
  const int elsewhere = (roam::rank() + 1) % roam::ranks();
  if (elsewhere != roam::rank())
    expect_error(roam::Errc::pinned, {}, [&] { roam::this_thread::migrate(elsewhere); });
  roam::Thread ended = roam::spawn([] {});
  ended.join();
  expect_error(roam::Errc::thread_ended, {}, [&] { roam::migrate(ended, elsewhere); });
}

}  // namespace

const Traffic kTraffic[] = {
    {"threads", threads},
    {"results", results},
    {"exceptions", exceptions},
    {"memory", memory},
    {"isomalloc", isomalloc},
    {"teams", teams},
    {"synchronisation", synchronisation},
    {"refusals", refusals},
};
const int kKindsOfTraffic = static_cast<int>(std::size(kTraffic));

}  // namespace roam_test
