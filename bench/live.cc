// For how long does a large thread stand still when its pages go to another node ahead of it?
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "bench/contest.h"
#include "roam/roam.h"

namespace {

constexpr const char* kQuestion =
    "For how long does a thread stand still that moves to another node with migrate(thread, rank, "
    "Live{})\n"
    "while it writes so many MB of pages a second, and how many bytes are sent? By its own clock: "
    "between the\n"
    "last turn there and the first here. Run on 2 ranks with ROAM_NODE_RANKS=1.";
const std::initializer_list<bench::Option> kOptions = {
    {"heap", "MiB of the thread (1024)"},
    {"dirty", "MB/s that it writes, a page each time; by default 0, 10, 100 and 1000 in turn"},
    {"hops", "of each (5; with --quick 2)"},
};

constexpr std::size_t kPage = 4096;

struct Figures {
  std::vector<double> still_ns, running, still, pause_ns;
  std::string why;
};

// Writes pages all over `memory`, at a steady rate, until it has moved to `to`.
class Writer {
 public:
  Writer(std::size_t bytes, std::size_t dirty_mb) : memory_(bytes), rate_(dirty_mb * 1e6 / kPage) {
    for (std::size_t at = 0; at < bytes; at += 8) std::memcpy(&memory_[at], &at, 8);
  }
  void hop(int to, Figures* figures) {
    roam::migrate(roam::this_thread::self(), to, roam::Live{});
    const std::int64_t begin = bench::now_ns();
    std::int64_t last = begin, pause = 0;
    double written = 0;
    for (;;) {
      const std::int64_t now = bench::now_ns();
      const std::int64_t gap = now - last;
      last = now;
      if (roam::rank() == to) {
        const roam::LiveMove move = roam::this_thread::live_move();
        figures->still_ns.push_back(static_cast<double>(gap));
        figures->pause_ns.push_back(static_cast<double>(pause));
        figures->running.push_back(static_cast<double>(move.bytes_running));
        figures->still.push_back(static_cast<double>(move.bytes_still));
        if (!move.why.empty()) figures->why = move.why;
        return;
      }
      pause = std::max(pause, gap);
      const double due = rate_ * static_cast<double>(now - begin) * 1e-9;
      // Behind by more than a turn's worth: so much cannot be written here.
      if (due - written > 4096) written = due - 4096;
      for (int i = 0; i < 256 && written < due; ++i, ++written) {
        page_ = (page_ + 40'503) % (memory_.size() / kPage);
        ++memory_[page_ * kPage + 64];
      }
      last = bench::now_ns();
      roam::this_thread::yield();
    }
  }

 private:
  std::vector<char> memory_;
  double rate_;  // pages a second
  std::size_t page_ = 0;
};

void measure(const bench::Options& options) {
  const std::size_t mib = options.number("heap", options.quick ? 16 : 1024);
  const std::size_t hops = options.number("hops", options.quick ? 2 : 5);
  std::vector<std::size_t> rates{0, 10, 100, 1000};
  if (options.numbers.contains("dirty")) rates = {options.number("dirty", 0)};
  const double heap = static_cast<double>(mib << 20);
  for (const std::size_t rate : rates) {
    // In the process's memory, which stays: on rank 0, where the last hop ends.
    static Figures* figures = nullptr;
    const roam::Thread t = roam::spawn([mib, rate, hops] {
      Writer writer(mib << 20, rate);
      Figures own;
      for (std::size_t hop = 0; hop < 2 * hops; ++hop) writer.hop(1 - roam::rank(), &own);
      const roam::SystemHeap process;
      figures = new Figures(own);
    });
    t.join();
    const std::string of = "/" + std::to_string(mib) + "MiB/dirty=" + std::to_string(rate);
    bench::print_row("live_still" + of, "ns", figures->still_ns, {}, heap);
    bench::print_row("live_pause" + of, "ns", figures->pause_ns, {}, heap);
    bench::print_row("live_bytes" + of, "B", figures->running, {}, heap);
    bench::print_row("live_bytes_still" + of, "B", figures->still, {}, heap);
    if (!figures->why.empty())
      std::fprintf(stderr, "dirty=%zu MB/s: %s\n", rate, figures->why.c_str());
    delete figures;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, kOptions);
  return roam::run(argc, argv, [&options] {
    if (roam::ranks() != 2 || roam::node_of(1) == 0) {
      std::fprintf(stderr, "this benchmark runs on 2 ranks with ROAM_NODE_RANKS=1\n");
      return 2;
    }
    measure(options);
    return 0;
  });
}
