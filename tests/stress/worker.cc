#include "tests/stress/worker.h"

#include <alloca.h>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/stress/counts.h"
#include "tests/stress/holdings.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"

namespace roam_test {
namespace {

// The exception with which some workers end.
struct Mishap : std::runtime_error {
  explicit Mishap(std::uint64_t s)
      : std::runtime_error("mishap " + std::to_string(s)), seed(s), evidence(s % 20'000) {
    Pattern(seed).fill(evidence.data(), evidence.size());
  }
  void verify(std::uint64_t want) const {
    expect_eq(seed, want, "seed of a mishap");
    expect_eq(std::string(what()), "mishap " + std::to_string(want), "what() of a mishap");
    expect_eq(evidence.size(), want % 20'000, "bytes of evidence");
    Pattern(seed).verify(evidence.data(), evidence.size(), "evidence of a mishap");
    counts().bytes_verified += evidence.size();
  }
  std::uint64_t seed;
  std::vector<unsigned char> evidence;
};

bool will_throw(std::uint64_t seed) { return mix(seed ^ 0x7468726f77) % 8 == 0; }

// Between the threads of a rank; one on each rank. A message is its seed, and text that follows
// from it.
roam::Channel<std::pair<std::uint64_t, std::string>>& channel() {
  static roam::Channel<std::pair<std::uint64_t, std::string>> it(50);
  return it;
}

std::string text_of_message(std::uint64_t seed) { return Random(seed).text(seed % 300); }

void receive() {
  const auto message = channel().try_recv();
  if (!message) return;
  expect_eq(message->second, text_of_message(message->first), "text of a message");
  ++counts().received;
}

int random_rank(Random& rng) { return static_cast<int>(rng.below(roam::ranks())); }

int random_rank_of_the_node(Random& rng) {
  for (;;) {
    const int rank = random_rank(rng);
    if (roam::node_of(rank) == roam::node()) return rank;
  }
}

class Worker {
 public:
  Worker(const WorkerOptions& options, std::uint64_t seed)
      : options_(options), seed_(seed), rng_(seed), holdings_(seed) {}

  void run() {
    ++counts().started;
    for (int i = 0; i < options_.steps; ++i) step();
    while (!children_.empty()) join_one();
    holdings_.verify_all();
    ++counts().ended;
    if (will_throw(seed_)) {
      ++counts().threw;
      throw Mishap(seed_);
    }
  }

 private:
  struct Child {
    roam::Thread thread;
    std::uint64_t seed;
  };

  void step() {
    switch (rng_.below(32)) {
      case 0:
      case 1:
      case 2:
        return move();
      case 3:
      case 4:
        return roam::this_thread::yield();
      case 5:
        ++counts().slept;
        return roam::this_thread::sleep_for(std::chrono::microseconds(rng_.below(2000)));
      case 6:
        return spawn();
      case 7:
        if (!children_.empty()) join_one();
        return;
      case 8:
        return ask();
      case 9:
        move_deep(static_cast<int>(rng_.between(1, 30)));
        return;
      case 10:
        return move_in_handler();
      case 11:
        if (options_.sharing) let_others_free();
        return;
      case 12:
        if (options_.sharing) let_others_allocate();
        return;
      case 13:
        return carry_block();
      case 14:
        if (options_.channels) send();
        return;
      case 15:
        if (options_.channels) receive();
        return;
      case 16:
        return holdings_.verify_all();
      default:
        return holdings_.change(rng_);
    }
  }

  // Where it is afterwards nobody knows: its parent may have asked for it meanwhile.
  void move() {
    roam::this_thread::migrate(random_rank(rng_));
    ++counts().moved;
  }

  void spawn() {
    if (options_.generations == 0 || children_.size() >= 6) return;
    WorkerOptions options = options_;
    --options.generations;
    options.steps /= 2;
    const std::uint64_t seed = rng_.next();
    children_.push_back({spawn_worker(options, seed, random_rank(rng_)), seed});
  }

  void join_one() {
    std::swap(children_[rng_.below(children_.size())], children_.back());
    const Child child = children_.back();
    children_.pop_back();
    join_worker(child.thread, child.seed);
  }

  // A child, or itself, wherever it is and whatever it does.
  void ask() {
    const bool self = children_.empty() || rng_.one_in(4);
    const roam::Thread whom =
        self ? roam::this_thread::self() : children_[rng_.below(children_.size())].thread;
    ++counts().asked;
    try {
      roam::migrate(whom, random_rank(rng_));
    } catch (const roam::Error& error) {
      ++counts().refused;
      if (error.code() != roam::Errc::thread_ended && error.code() != roam::Errc::pinned) throw;
    }
  }

  [[gnu::noinline]] std::uint64_t move_deep(int depth) {
    const std::size_t bytes = rng_.between(8, 1500);
    const std::uint64_t seed = rng_.next();
    void* block = alloca(bytes);
    Pattern(seed).fill(block, bytes);
    std::uint64_t below = 0;
    if (depth == 0) {
      move();
    } else {
      below = move_deep(depth - 1);
    }
    Pattern(seed).verify(block, bytes, "block in a frame");
    counts().bytes_verified += bytes;
    return below + 1;
  }

  void move_in_handler() {
    const std::uint64_t seed = rng_.next();
    bool caught = false;
    try {
      try {
        Holdings doomed(seed);
        for (int i = 0; i < 10; ++i) doomed.change(rng_);
        throw Mishap(seed);
      } catch (const std::runtime_error&) {
        move();
        throw;
      }
    } catch (const Mishap& mishap) {
      mishap.verify(seed);
      holdings_.change(rng_);
      move();
      mishap.verify(seed);
      caught = true;
    }
    expect(caught, "the mishap was caught");
  }

  // Another thread of the node frees this one's blocks, while this one goes on with its heap.
  void let_others_free() {
    roam::this_thread::Pin pin;
    std::vector<Block> given = holdings_.give(rng_);
    const roam::Thread freer =
        roam::spawn(roam::SpawnOptions{.name = "freer", .rank = random_rank_of_the_node(rng_)},
                    [blocks = &given] {
                      for (Block& block : *blocks) {
                        block.verify_and_free();
                        ++counts().freed_for_others;
                        if (block.seed % 8 == 0) roam::this_thread::yield();
                      }
                    });
    for (int i = 0; i < 20; ++i) {
      holdings_.change(rng_);
      if (i % 7 == 0) roam::this_thread::yield();
    }
    freer.join();
  }

  // What another thread of the node allocated and left is this one's once it has joined it.
  void let_others_allocate() {
    roam::this_thread::Pin pin;
    std::vector<Block> got(rng_.below(10));
    roam::spawn(
        roam::SpawnOptions{.name = "giver", .rank = random_rank_of_the_node(rng_)},
        [blocks = &got](std::uint64_t seed) {
          Random rng(seed);
          for (Block& block : *blocks) block = Block::make(rng);
        },
        rng_.next())
        .join();
    holdings_.take(got);
  }

  // An isomalloc block does not move with its thread: it is packed, carried and unpacked.
  void carry_block() {
    const std::size_t bytes = rng_.between(1, 20'000);
    const Pattern pattern(rng_.next());
    void* const block = iso_malloc(bytes);
    expect(block != nullptr, "iso_malloc gave a block");
    pattern.fill(block, bytes);
    void* pointer = block;
    roam::PupSizer sizer;
    roam::pup_block(sizer, &pointer);
    std::vector<char> image(sizer.bytes());
    roam::PupToMemory packer(image.data(), true);
    roam::pup_block(packer, &pointer);
    move();
    roam::PupFromMemory unpacker(image.data(), image.size());
    roam::pup_block(unpacker, &pointer);
    expect_eq(pointer, block, "address of a carried block");
    pattern.verify(pointer, bytes, "a carried block");
    counts().bytes_verified += bytes;
    ++counts().carried;
    iso_free(pointer);
  }

  void send() {
    const std::uint64_t seed = rng_.next();
    if (channel().try_send({seed, text_of_message(seed)})) {
      ++counts().sent;
    } else {
      receive();
    }
  }

  WorkerOptions options_;
  std::uint64_t seed_;
  Random rng_;
  Holdings holdings_;
  std::vector<Child> children_;
};

// Says which worker failed.
void run_worker(WorkerOptions options, std::uint64_t seed) {
  try {
    Worker(options, seed).run();
  } catch (const Failure& failure) {
    throw Failure("worker of seed " + std::to_string(seed) + ": " + failure.what());
  }
}

}  // namespace

Counts& counts() {
  static Counts counts;
  return counts;
}

roam::Thread spawn_worker(const WorkerOptions& options, std::uint64_t seed, int rank) {
  return roam::spawn(roam::SpawnOptions{.name = "worker " + std::to_string(seed), .rank = rank},
                     run_worker, options, seed);
}

void join_worker(roam::Thread worker, std::uint64_t seed) {
  ++counts().joined;
  bool threw = false;
  try {
    worker.join();
  } catch (const Mishap& mishap) {
    mishap.verify(seed);
    threw = true;
  }
  expect_eq(threw, will_throw(seed),
            "whether the worker of seed " + std::to_string(seed) + " threw");
}

void drain_channel() {
  while (!channel().empty()) receive();
}

}  // namespace roam_test
