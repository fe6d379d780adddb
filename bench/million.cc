// Are a million threads ordinary?
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "bench/contest.h"
#include "bench/crowd.h"
#include "bench/fibers.h"
#include "bench/process_memory.h"
#include "roam/roam.h"

namespace {

constexpr const char* kQuestion =
    "What does a thread cost when 1,000 live at once, and when 1,000,000 do? Each has 48 B in its "
    "heap and\n"
    "is suspended. On one rank: time of a thread to spawn and begin, for one round of yields, and "
    "to end\n"
    "and be joined, and its memory with page tables; beside raw fibers on fresh stacks, and what "
    "the\nkernel takes to give a page to each. On several "
    "ranks of\n"
    "a node the threads are spread, and then every tenth moves to the next rank; times are of the "
    "whole job.\n"
    "Each also beside the same with 1,000 threads. (ns a thread, bytes a thread)";
const std::initializer_list<bench::Option> kOptions = {
    {"most", "no more threads at once than N (1000000)"},
};

constexpr std::size_t kLevels[] = {1'000, 10'000, 100'000, 1'000'000};
constexpr std::size_t kObjectBytes = 48;
constexpr std::size_t kRounds = 5;  // of yields
constexpr std::size_t kMoverOf = 10;
// What must be free for a thread, so that the machine is not driven out of memory.
constexpr double kNeededBytes = 10'000;

std::unique_ptr<char[]> make_object() {
  auto object = std::make_unique_for_overwrite<char[]>(kObjectBytes);
  std::memset(object.get(), 1, kObjectBytes);
  return object;
}

double since(std::int64_t begin_ns, std::size_t count) {
  return static_cast<double>(bench::now_ns() - begin_ns) / static_cast<double>(count);
}

double process_bytes() {
  const bench::ProcessMemory memory = bench::process_memory();
  return memory.pss + memory.page_tables;
}

// Figures of one number of threads, by name, and of as many raw fibers.
struct Figures {
  std::map<std::string, std::vector<double>> threads, fibers;
};

const char* unit_of(const std::string& figure) { return figure == "memory" ? "B" : "ns"; }

// `few`: the figures of 1,000 threads.
void print(std::size_t count, const Figures& figures, const Figures& few) {
  const std::string of = "/" + std::to_string(count) + "/ranks=" + std::to_string(roam::ranks());
  for (const auto& [name, samples] : figures.threads) {
    bench::print_row("million/" + name + of, unit_of(name), samples, few.threads.at(name));
  }
  for (const auto& [name, samples] : figures.fibers) {
    bench::print_row("million/" + name + of + "/over_fiber", unit_of(name),
                     figures.threads.at(name), samples);
  }
}

template <class Measure>
void measure_levels(const bench::Options& options, Measure measure) {
  const std::size_t most = options.number("most", options.quick ? 10'000 : 1'000'000);
  Figures few;
  for (const std::size_t count : kLevels) {
    if (count > most) break;
    const double needed = static_cast<double>(count) * kNeededBytes;
    if (const double available = bench::machine_memory().available; available < needed) {
      std::printf("SKIP /%zu/ranks=%d: %.1f GB of memory are available, of %.1f needed\n", count,
                  roam::ranks(), available / 1e9, needed / 1e9);
      continue;
    }
    const Figures figures = measure(count);
    if (count == kLevels[0]) few = figures;
    print(count, figures, few);
  }
}

// ---- one rank ----

// The same with raw fibers on stacks that are touched for the first time, as Roam's are.
void measure_fibers(std::size_t count, Figures& figures) {
  std::optional<bench::FiberRing> ring;
  std::int64_t begin_ns = bench::now_ns();
  ring.emplace(count, true);
  ring->lap();
  figures.fibers["spawn"] = {since(begin_ns, count)};
  for (std::size_t i = 0; i < kRounds; ++i) {
    begin_ns = bench::now_ns();
    ring->lap();
    figures.fibers["yield"].push_back(since(begin_ns, count));
  }
  begin_ns = bench::now_ns();
  ring.reset();
  figures.fibers["join"] = {since(begin_ns, count)};
}

void measure_threads(std::size_t count, Figures& figures) {
  roam::Latch end(1);
  std::vector<roam::Thread> threads(count);
  const double bytes_before = process_bytes();

  std::int64_t begin_ns = bench::now_ns();
  for (roam::Thread& t : threads) {
    t = roam::spawn([&end] {
      const auto object = make_object();
      for (std::size_t i = 0; i <= kRounds; ++i) roam::this_thread::yield();
      end.wait();
    });
  }
  roam::this_thread::yield();  // each begins
  const double spawn_ns = since(begin_ns, count);
  std::vector<double>& yield_ns = figures.threads["yield"];
  for (std::size_t i = 0; i < kRounds; ++i) {
    begin_ns = bench::now_ns();
    roam::this_thread::yield();
    yield_ns.push_back(since(begin_ns, count + 1));
  }
  roam::this_thread::yield();  // each waits
  figures.threads["memory"] = {(process_bytes() - bytes_before) / static_cast<double>(count)};

  begin_ns = bench::now_ns();
  end.count_down();
  for (const roam::Thread t : threads) t.join();
  const double join_ns = since(begin_ns, count);
  figures.threads["spawn"] = {spawn_ns};
  figures.threads["join"] = {join_ns};
  figures.threads["life"] = {spawn_ns + yield_ns.back() + join_ns};
}

// What the kernel alone takes: pages as far apart as stacks, touched for the first time. No Roam.
void measure_pages(std::size_t count, Figures& figures) {
  constexpr std::size_t kApart = 320 << 10;
  void* memory = mmap(nullptr, count * kApart, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mmap of pages");
    std::exit(1);
  }
  const std::int64_t begin_ns = bench::now_ns();
  for (std::size_t i = 0; i < count; ++i) static_cast<volatile char*>(memory)[i * kApart] = 1;
  figures.threads["page"] = {since(begin_ns, count)};
  munmap(memory, count * kApart);
}

Figures measure_on_one(std::size_t count) {
  Figures figures;
  measure_pages(count, figures);
  measure_fibers(count, figures);
  measure_threads(count, figures);
  return figures;
}

// ---- several ranks ----

// In memory that all ranks of the node see. Each phase is begun by the root when all leaders are
// through with the one before.
struct Job {
  enum Phase { kPrepare, kSpawn, kMove, kMeasure, kJoin, kDone };
  std::atomic<int> phase{kPrepare};
  std::atomic<std::size_t> leaders_ready{0};
  std::atomic<std::size_t> waiting{0};  // threads that have come to where they wait
  std::atomic<std::size_t> bytes{0};
};

// What the threads of a rank wait on, wherever they were spawned; in the process's memory.
struct Gates {
  roam::Latch move{1};
  roam::Latch end{1};
};
Gates* gates = nullptr;

void await(const std::atomic<int>& phase, Job::Phase wanted) {
  while (phase.load() < wanted) roam::this_thread::yield();
}

// Spawns the rank's part of the threads and joins them.
void lead(Job& job, std::size_t count) {
  {
    const roam::SystemHeap process;
    gates = new Gates;
  }
  std::vector<roam::Thread> threads(count);
  const double bytes_before = process_bytes();
  ++job.leaders_ready;
  await(job.phase, Job::kSpawn);

  for (std::size_t i = 0; i < count; ++i) {
    threads[i] = roam::spawn([&job, moves = i % kMoverOf == 0] {
      const auto object = make_object();
      ++job.waiting;
      if (moves) {
        gates->move.wait();
        roam::this_thread::migrate((roam::rank() + 1) % roam::ranks());
        ++job.waiting;
      }
      gates->end.wait();
    });
  }
  await(job.phase, Job::kMove);
  gates->move.count_down();
  await(job.phase, Job::kMeasure);
  const double grown = process_bytes() - bytes_before;
  job.bytes += static_cast<std::size_t>(std::max(0.0, grown));
  ++job.leaders_ready;
  await(job.phase, Job::kJoin);
  gates->end.count_down();
  for (const roam::Thread t : threads) t.join();
  ++job.leaders_ready;
  await(job.phase, Job::kDone);
  const roam::SystemHeap process;
  delete gates;
}

Figures measure_on_many(Job& job, std::size_t count) {
  const auto ranks = static_cast<std::size_t>(roam::ranks());
  const std::size_t each = count / ranks;
  const std::size_t movers = (each + kMoverOf - 1) / kMoverOf * ranks;
  const auto await_count = [](std::atomic<std::size_t>& counter, std::size_t wanted) {
    while (counter.load() < wanted) roam::this_thread::yield();
    counter = 0;
  };
  Figures figures;
  std::vector<roam::Thread> leaders(ranks);
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    leaders[rank] = roam::spawn({.name = "leader", .rank = static_cast<int>(rank)},
                                [&job, each] { lead(job, each); });
  }
  await_count(job.leaders_ready, ranks);

  std::int64_t begin_ns = bench::now_ns();
  job.phase = Job::kSpawn;
  await_count(job.waiting, each * ranks);
  figures.threads["spawn"] = {since(begin_ns, each * ranks)};

  begin_ns = bench::now_ns();
  job.phase = Job::kMove;
  await_count(job.waiting, movers);
  figures.threads["move"] = {since(begin_ns, movers)};

  job.phase = Job::kMeasure;
  await_count(job.leaders_ready, ranks);
  figures.threads["memory"] = {static_cast<double>(job.bytes) / static_cast<double>(each * ranks)};

  begin_ns = bench::now_ns();
  job.phase = Job::kJoin;
  await_count(job.leaders_ready, ranks);
  figures.threads["join"] = {since(begin_ns, each * ranks)};
  job.phase = Job::kDone;
  for (const roam::Thread t : leaders) t.join();
  return figures;
}

int measure(const bench::Options& options) {
  if (roam::node_of(roam::ranks() - 1) != 0) {
    std::fprintf(stderr, "this benchmark runs on one node\n");
    return 2;
  }
  if (roam::ranks() == 1) {
    // All code has run once before the smallest number is measured, and its stacks are not ones
    // that were used before.
    const bench::Crowd warm(kLevels[0]);
    measure_levels(options, measure_on_one);
    return 0;
  }
  measure_levels(options, [](std::size_t count) {
    Job* job = new (iso_malloc(sizeof(Job))) Job;
    const Figures figures = measure_on_many(*job, count);
    iso_free(job);
    return figures;
  });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, kOptions);
  return roam::run(argc, argv, [&options] { return measure(options); });
}
