// Threads that compress files, and a balancer that moves them between ranks in the middle of their
// work.
//
// The work list is sorted by size and dealt out in blocks, so the first ranks have far too much to
// do. Each thread takes one piece of a file through one zlib stream. A balancer, itself a thread,
// goes from rank to rank, reads there how much is left, and sends threads away to ranks with less.
// To those threads a migration is a call of yield() that returns on another rank: the zlib stream,
// buffers and what is compressed so far are where they were, at the same addresses.
//
// Threads of different ranks share nothing here. They meet by travelling.
#include <roam/roam.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "demos/load_balance/gzip.h"
#include "demos/load_balance/options.h"
#include "demos/load_balance/output.h"
#include "demos/load_balance/pieces.h"
#include "demos/load_balance/plan.h"
#include "demos/load_balance/record.h"
#include "demos/load_balance/report.h"

namespace {

// A thread yields after each chunk: often enough for a balancer, too rarely to matter.
constexpr std::size_t kChunkBytes = 16u << 10;

// Before a thread has compressed anything, the balancer believes in this speed.
constexpr double kGuessedSecondsPerByte = 1.0 / (40 << 20);

// What a compressing thread shows to the balancer. Lives on the thread's stack.
struct Worker {
  roam::Thread thread;
  std::uint64_t bytes = 0;
  std::uint64_t done_bytes = 0;
  std::int64_t cpu_ns = 0;
  std::int64_t asked_ns = 0;  // when the balancer last asked it to move

  double seconds_left() const {
    const double per_byte =
        done_bytes == 0 ? kGuessedSecondsPerByte
                        : 1e-9 * static_cast<double>(cpu_ns) / static_cast<double>(done_bytes);
    return per_byte * static_cast<double>(bytes - done_bytes);
  }
};

// Globals belong to a rank's process and stay when a thread leaves: each rank has its own of these.
// So they must not own memory of a thread's heap, which would leave with the thread: what grows
// them does so under a roam::SystemHeap. Nor are they in a checkpoint: in a job that goes on from
// one, threads sign in again.
std::vector<Worker*> workers_here;  // the threads that compress on this rank
int restarts = 0;                   // of the job so far, the same on all ranks

// What threads have brought home: in the memory of root, which stays on rank 0, and for threads
// that are there. What a thread leaves in it when it ends is root's once it has been joined.
struct Home {
  std::vector<Result> results;  // in the order of the work list
  std::size_t arrived = 0;
  std::uint64_t done_bytes = 0;
};

void sign_in(Worker& worker) {
  const roam::SystemHeap process;
  workers_here.push_back(&worker);
}

std::int64_t cpu_now_ns() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

// Compresses result.piece into result.gzip. It may start on one rank and end on another.
void compress(Worker& worker, int level, Result& result) {
  GzipStream stream(level);
  std::vector<unsigned char> chunk(kChunkBytes);
  while (worker.done_bytes < worker.bytes) {
    // Let others run. If the balancer calls meanwhile, this returns on another rank.
    const int before = roam::rank();
    const int restarts_before = restarts;
    roam::this_thread::yield();
    const int now = roam::rank();
    if (now != before || restarts != restarts_before) sign_in(worker);
    if (now != before && restarts == restarts_before) {
      result.moves.push_back(
          {.from = before,
           .to = now,
           .begin_ns = worker.asked_ns,
           .end_ns = now_ns(),
           .state_bytes = GzipStream::kStateBytes + chunk.capacity() + result.gzip.size(),
           .between_nodes = roam::node_of(before) != roam::node()});
    }

    Turn turn{.rank = roam::rank(), .begin_ns = now_ns(), .cpu_ns = -cpu_now_ns()};
    chunk.resize(std::min<std::uint64_t>(kChunkBytes, worker.bytes - worker.done_bytes));
    read_at(result.piece.path, result.piece.offset + worker.done_bytes, chunk);
    const bool last = worker.done_bytes + chunk.size() == worker.bytes;
    stream.write(chunk, last, result.gzip);
    turn.cpu_ns += cpu_now_ns();
    turn.end_ns = now_ns();
    result.turns.push_back(turn);

    worker.cpu_ns += turn.cpu_ns;
    worker.done_bytes += chunk.size();
  }
}

// A worker: compresses, then travels home with what it has made.
void work(Result result, int level, Home* home) {
  Worker worker{.thread = roam::this_thread::self(), .bytes = result.piece.bytes};
  sign_in(worker);
  try {
    compress(worker, level, result);
  } catch (const std::exception& error) {
    result.error = error.what();
  }
  std::erase(workers_here, &worker);

  roam::this_thread::migrate(0);
  Turn turn{.rank = 0, .begin_ns = now_ns(), .cpu_ns = -cpu_now_ns()};
  Result& there = home->results[static_cast<std::size_t>(result.thread)];
  there = std::move(result);
  ++home->arrived;
  home->done_bytes += there.piece.bytes;
  turn.cpu_ns += cpu_now_ns();
  turn.end_ns = now_ns();
  there.turns.push_back(turn);
}

// Sends threads of this rank away while that brings the ranks nearer to each other. Returns how
// many. They are suspended inside yield(), so they leave at once.
std::size_t send_away(std::vector<double>& seconds_left) {
  const int here = roam::rank();
  for (std::size_t sent = 0;; ++sent) {
    std::vector<double> jobs;
    jobs.reserve(workers_here.size());
    for (const Worker* worker : workers_here) jobs.push_back(worker->seconds_left());
    const auto gift = choose_gift(seconds_left, here, jobs);
    if (!gift) return sent;

    Worker& worker = *workers_here[gift->job];
    workers_here.erase(workers_here.begin() + static_cast<std::ptrdiff_t>(gift->job));
    seconds_left[static_cast<std::size_t>(here)] -= jobs[gift->job];
    seconds_left[static_cast<std::size_t>(gift->rank)] += jobs[gift->job];
    worker.asked_ns = now_ns();
    roam::migrate(worker.thread, gift->rank);  // from here on `worker` may be on another node
  }
}

// The balancer: tours the ranks until every result is home. What it learns on one rank it knows on
// the next, for its variables travel with it. `seconds_left` by rank is a guess, until it has been
// there.
void tour(bool balance, std::vector<double>& seconds_left, std::uint64_t total_bytes,
          const Home* home) {
  Progress progress(balance, total_bytes);
  std::size_t moves = 0;
  for (;;) {
    std::uint64_t done_bytes = 0;
    for (int rank = 0; rank < roam::ranks(); ++rank) {
      roam::this_thread::migrate(rank);
      // In a job that went on from a checkpoint meanwhile there may be fewer ranks, or more.
      seconds_left.resize(static_cast<std::size_t>(roam::ranks()));
      double& here = seconds_left[static_cast<std::size_t>(roam::rank())];
      here = 0;
      for (const Worker* worker : workers_here) {
        here += worker->seconds_left();
        done_bytes += worker->done_bytes;
      }
      if (balance) moves += send_away(seconds_left);
    }
    roam::this_thread::migrate(0);
    done_bytes += home->done_bytes;
    const bool over = home->arrived == home->results.size();
    progress.show(done_bytes, seconds_left, moves, over);
    if (over) break;
    roam::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  progress.end();
}

// Makes a thread for each piece, and is the balancer until all have ended. Its life is what a trace
// has of the run.
void lead(const std::vector<Piece>& pieces, int level, bool balance, Home* to) {
  std::vector<roam::Thread> threads;
  std::vector<double> seconds_left(static_cast<std::size_t>(roam::ranks()));
  std::uint64_t total_bytes = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const int home = dealt_to(i, pieces.size(), roam::ranks());
    Result result;
    result.thread = static_cast<int>(i);
    result.home = home;
    result.piece = pieces[i];
    seconds_left.resize(static_cast<std::size_t>(roam::ranks()));
    seconds_left[static_cast<std::size_t>(home)] +=
        kGuessedSecondsPerByte * static_cast<double>(pieces[i].bytes);
    const std::string name = pieces[i].path + ", " + in_bytes(static_cast<double>(pieces[i].bytes));
    threads.push_back(roam::spawn({.name = name, .rank = home}, work, result, level, to));
    total_bytes += pieces[i].bytes;
  }
  roam::this_thread::yield();  // those of this rank sign in
  tour(balance, seconds_left, total_bytes, to);
  for (const roam::Thread thread : threads) thread.join();
}

// Compresses all pieces once.
Run run_once(const std::vector<Piece>& pieces, int level, bool balance) {
  const std::int64_t begin_ns = now_ns();
  Home home;
  home.results.resize(pieces.size());
  roam::spawn({.name = title_of(balance)}, lead, pieces, level, balance, &home).join();
  return {.balanced = balance, .begin_ns = begin_ns, .results = std::move(home.results)};
}

// How long a move takes when no other thread is in its way, with a zlib stream as luggage.
std::vector<double> time_hops(const Piece& piece, int level) {
  constexpr std::size_t kHops = 100;
  std::array<double, kHops> seconds{};
  auto travel = [&piece, level](std::array<double, kHops>* to) {
    std::vector<unsigned char> chunk(std::min<std::uint64_t>(piece.bytes, 256u << 10));
    std::vector<unsigned char> gzip;
    GzipStream stream(level);
    read_at(piece.path, piece.offset, chunk);
    stream.write(chunk, false, gzip);
    std::array<double, kHops> hop_seconds;
    for (double& hop : hop_seconds) {
      const std::int64_t begin_ns = now_ns();
      roam::this_thread::migrate((roam::rank() + 1) % roam::ranks());
      hop = 1e-9 * static_cast<double>(now_ns() - begin_ns);
    }
    roam::this_thread::migrate(0);
    *to = hop_seconds;  // the caller waits on rank 0, so its memory is here
  };
  roam::spawn(travel, &seconds).join();
  return {seconds.begin(), seconds.end()};
}

// What is to be compressed, as `options` say. Says so.
std::vector<Piece> work_list(const Options& options) {
  const Listing listing = list_files(options.inputs);
  const std::size_t most_files =
      static_cast<std::size_t>(options.threads_per_rank) * static_cast<std::size_t>(roam::ranks());
  const std::vector<File> files = choose(listing.files, options.bytes, most_files);
  std::vector<Piece> pieces = cut(files, options.piece_bytes);
  std::string from;
  for (const std::string& input : options.inputs) from += " " + input;
  const std::string skipped =
      listing.unreadable == 0
          ? ""
          : " (skipped as unreadable: " + std::to_string(listing.unreadable) + ")";
  if (pieces.empty()) throw std::runtime_error("no file to compress in" + from + skipped);
  double bytes = 0;
  for (const Piece& piece : pieces) bytes += static_cast<double>(piece.bytes);
  std::printf("%zu threads compress %s: %zu of the %zu files in%s%s\n", pieces.size(),
              in_bytes(bytes).c_str(), files.size(), listing.files.size(), from.c_str(),
              skipped.c_str());
  return pieces;
}

// Of the job now, and where it has been before it went on from a checkpoint.
int most_ranks(const std::vector<Run>& runs) {
  int most = roam::ranks();
  for (const Run& run : runs) {
    for (const Result& result : run.results) {
      most = std::max(most, result.home + 1);
      for (const Turn& turn : result.turns) most = std::max(most, turn.rank + 1);
    }
  }
  return most;
}

int demo(const Options& options) {
  if (!options.output.empty()) make_directory(options.output);  // before the work

  const std::vector<Piece> pieces = work_list(options);
  std::vector<Run> runs;
  runs.push_back(run_once(pieces, options.level, false));
  if (options.balance) runs.push_back(run_once(pieces, options.level, true));
  std::vector<double> hop_seconds;
  if (options.balance && roam::ranks() > 1) hop_seconds = time_hops(pieces[0], options.level);
  print_report(runs, most_ranks(runs), hop_seconds);

  std::size_t wrong = 0;
  double gzip_bytes = 0;
  for (const Run& run : runs) wrong += count_wrong(run);
  for (const Result& result : runs.back().results) {
    gzip_bytes += static_cast<double>(result.gzip.size());
  }
  std::printf("  output     %s of gzip, %s\n", in_bytes(gzip_bytes).c_str(),
              wrong == 0 ? "all of it decompressed and found equal to the input" : "NOT ALL RIGHT");
  if (!options.output.empty()) write_output(runs.back(), options.output);

  std::printf("\n%s\n", machine_note(roam::ranks()).c_str());
  return wrong == 0 ? 0 : 1;
}

// The root thread, on rank 0, where main's arguments are.
int root(int argc, char** argv) {
  try {
    const Options options = parse_options(argc, argv);
    if (!options.help) return demo(options);
    std::fputs(kUsage, stdout);
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "load_balance: %s\nload_balance: see --help\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "load_balance: %s\n", error.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  roam::job_data("restarts", restarts);
  roam::on_restart([] { ++restarts; });
  return roam::run(argc, argv, [&argc, &argv] { return root(argc, argv); });
}
