// Is a thread's malloc as good as the best?
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "bench/contest.h"
#include "bench/heap_loops.h"
#include "bench/peer.h"
#include "roam/roam.h"

// glibc's own, under the names that no capture replaces.
extern "C" void* __libc_malloc(std::size_t bytes);
extern "C" void __libc_free(void* block);

namespace {

constexpr const char* kQuestion =
    "What do malloc and free cost inside a thread, beside glibc, mimalloc and jemalloc, which run "
    "the same\n"
    "loops in processes of their own, in turn with this one, on one core? And what does the "
    "capture cost\n"
    "plain code of a program with Roam? On 2 ranks of a node: blocks that a thread of one rank "
    "allocates\n"
    "and a thread of the other frees, beside threads of one rank. (ns an operation)";
const std::initializer_list<bench::Option> kOptions = {
    {"loop", "that loop only (heap_loops.h names them)", true},
};

constexpr const char* kLoops[] = {"pair/16",         "pair/256",    "pair/4096",    "pair/65536",
                                  "pair/1048576",    "burst/16",    "burst/256",    "burst/4096",
                                  "churn/256",       "churn/4096",  "churn/65536",  "map",
                                  "strings",         "aligned/256", "aligned/4096", "grow/16777216",
                                  "append/16777216", "pass/64",     "pass/4096"};

// A thread that frees what the caller allocates, on `rank`. The object lies in the caller's memory.
class Pass {
 public:
  Pass(std::size_t bytes, int rank)
      : blocks_(bytes), consumer_(roam::spawn({.name = "consumer", .rank = rank}, [this] {
          for (;;) {
            wait_for(kConsumer);
            if (end_) return;
            release_ns_ += blocks_.release();
            turn_.store(kProducer, std::memory_order_release);
          }
        })) {}
  ~Pass() {
    end_ = true;
    turn_.store(kConsumer, std::memory_order_release);
    consumer_.join();
  }
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

  double slice() {
    double allocate_ns = 0;
    release_ns_ = 0;
    for (std::size_t i = 0; i < bench::PassedBlocks::kBatches; ++i) {
      allocate_ns += blocks_.allocate();
      turn_.store(kConsumer, std::memory_order_release);
      wait_for(kProducer);
    }
    return (allocate_ns + release_ns_) / bench::PassedBlocks::kBatches;
  }

 private:
  static constexpr int kProducer = 0, kConsumer = 1;
  void wait_for(int turn) const {
    while (turn_.load(std::memory_order_acquire) != turn) roam::this_thread::yield();
  }

  bench::PassedBlocks blocks_;
  double release_ns_ = 0;
  bool end_ = false;
  std::atomic<int> turn_{kProducer};
  roam::Thread consumer_;
};

struct Allocator {
  Allocator(const char* name_, const char* preload)
      : name(name_), process("heap_peer", preload), there(process.ask("is/" + name) != 0) {
    if (!there) std::printf("SKIP /over_%s: %s is not installed\n", name_, preload);
  }
  std::string name;  // as in the name of its shared object
  bench::Peer process;
  bool there;
};

// The release of mimalloc that is installed: its name says so, and Debian 12 and 13 differ.
const char* mimalloc() {
  const bool third = std::filesystem::exists("/usr/lib/x86_64-linux-gnu/libmimalloc.so.3");
  return third ? "libmimalloc.so.3" : "libmimalloc.so.2";
}

class Allocators {
 public:
  void measure(const bench::Options& options, const std::string& loop) const {
    std::unique_ptr<Pass> pass;
    if (loop.rfind("pass/", 0) == 0) {
      pass = std::make_unique<Pass>(std::stoul(loop.substr(5)), roam::rank());
    }
    bench::HeapLoops loops;
    bench::Contest contest(options.quick);
    const auto ours = contest.add([&] { return pass ? pass->slice() : loops.time(loop); });
    for (const Allocator* other : all()) contest.add([=] { return other->process.ask(loop); });
    contest.run(1.2);
    std::size_t theirs = ours;
    for (const Allocator* other : all()) {
      contest.row("heap/" + loop + "/over_" + other->name, ours, ++theirs);
      other->process.ask("end");
    }
  }

  void measure_waste() const {
    double ours = 0;
    // A thread of its own: nothing was freed in its heap before.
    roam::spawn([&ours] { ours = bench::HeapLoops::resident_over_live(); }).join();
    for (const Allocator* other : all()) {
      bench::print_row("heap/resident_over_live/over_" + other->name, "x", {ours},
                       {other->process.ask("resident_over_live")});
    }
  }

 private:
  std::vector<const Allocator*> all() const {
    std::vector<const Allocator*> found;
    for (const Allocator* other : {&mimalloc_, &glibc_, &jemalloc_}) {
      if (other->there) found.push_back(other);
    }
    return found;
  }

  Allocator mimalloc_{"mimalloc", mimalloc()};
  Allocator glibc_{"libc", ""};
  Allocator jemalloc_{"jemalloc", "libjemalloc.so.2"};
};

void measure_ranks(const bench::Options& options) {
  for (const std::size_t bytes : {64, 4096}) {
    Pass here(bytes, 0);
    Pass there(bytes, 1);
    bench::Contest contest(options.quick);
    const auto floor = contest.add([&] { return here.slice(); });
    const auto across = contest.add([&] { return there.slice(); });
    contest.run(1.5);
    contest.row("heap_ranks/pass/" + std::to_string(bytes), across, floor);
  }
}

// In a program with Roam, outside threads.
void measure_plain(const bench::Options& options) {
  bench::HeapLoops loops;
  bench::Contest contest(options.quick);
  const auto plain = contest.add([&] { return loops.time("pair/16"); });
  const auto floor = contest.add([] {
    constexpr std::size_t kPairs = 10'000;
    const auto pairs = [](std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) {
        void* block = __libc_malloc(16);
        bench::use(block);
        __libc_free(block);
      }
    };
    pairs(kPairs / 20);
    const std::int64_t begin_ns = bench::now_ns();
    pairs(kPairs);
    return static_cast<double>(bench::now_ns() - begin_ns) / kPairs;
  });
  contest.run(1.2);
  contest.row("plain_malloc/16", plain, floor);
}

int measure(const bench::Options& options) {
  if (roam::ranks() > 1) {
    if (roam::ranks() != 2 || roam::node_of(1) != 0) {
      std::fprintf(stderr, "this benchmark runs on 1 rank, or on 2 of one node\n");
      return 2;
    }
    measure_ranks(options);
    return 0;
  }
  bench::stay_on_this_core();
  const Allocators allocators;
  const std::string only = options.text("loop", "");
  if (only.empty()) allocators.measure_waste();
  for (const std::string loop : kLoops) {
    if (only.empty() || loop == only) allocators.measure(options, loop);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, kOptions);
  bool alone = false;
  const int status = roam::run(argc, argv, [&options, &alone] {
    alone = roam::ranks() == 1;
    return measure(options);
  });
  // The capture has started, and no thread is left.
  if (alone) measure_plain(options);
  return status;
}
