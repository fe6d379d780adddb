// Two clocks that are in truth the same: what compare_clocks() finds out about them is known. And
// traces of runs one after another, whose text goes event by event.
#include "runtime/trace/clocks.h"

#include <unistd.h>
#include <x86intrin.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "runtime/trace/progress.h"
#include "runtime/trace/trace.h"
#include "runtime/trace/trace_file.h"

namespace {

using roam::runtime::Mpi;

// No thread ends, and no message is sent: nothing is left to be written behind the last event.
// Whether rank 0 finds each rank's thread.
bool record(Mpi& mpi, const std::string& path) {
  constexpr std::uint64_t kThread = 5;
  roam::runtime::TraceFile file(mpi, path);
  roam::runtime::Trace trace(mpi.ranks(), file.begin_ticks());
  trace.named(kThread, "thread of rank " + std::to_string(mpi.rank()));
  const std::uint64_t begin = __rdtsc();
  trace.ran(kThread, begin, begin + 1000);
  trace.close(begin + 2000, 0, 0);
  file.write(trace, 0, {}, /*part_bytes=*/1);
  if (mpi.rank() != 0) return true;
  std::ifstream in(path);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  unlink(path.c_str());
  bool ok = true;
  for (int r = 0; r < mpi.ranks(); ++r) {
    if (all.find("thread of rank " + std::to_string(r)) != std::string::npos) continue;
    ok = false;
    std::fprintf(stderr, "what rank %d has done is not in the trace\n", r);
  }
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  using roam::runtime::ClockOffset;
  Mpi mpi;
  mpi.start(&argc, &argv);
  bool ok = true;
  const auto expect = [&](bool holds, const char* what, const ClockOffset& offset) {
    if (holds) return;
    ok = false;
    std::fprintf(stderr, "rank %d: %s: %lld ns, error %lld ns\n", mpi.rank(), what,
                 static_cast<long long>(offset.ns), static_cast<long long>(offset.error_ns));
  };

  const ClockOffset same = compare_clocks(mpi, "one clock");
  expect(same.ns == 0 && same.error_ns == 0, "ranks of one clock", same);

  // Ranks 0 and 1, 2 and 3, ... say that they share a clock.
  const ClockOffset other = compare_clocks(mpi, "clock " + std::to_string(mpi.rank() / 2));
  if (mpi.rank() < 2) {
    expect(other.ns == 0 && other.error_ns == 0, "rank 0's clock", other);
  } else {
    expect(other.error_ns > 0 && other.error_ns < 1'000'000'000, "another clock", other);
    expect(std::llabs(other.ns) <= other.error_ns, "another clock is off by more than it says",
           other);
    std::printf("rank %d: off by %lld ns, at most %lld\n", mpi.rank(),
                static_cast<long long>(other.ns), static_cast<long long>(other.error_ns));
  }
  const std::string path = "/tmp/roam_trace_" + std::to_string(getpid());
  for (int run = 0; run < 3; ++run) ok = record(mpi, path) && ok;
  mpi.finish();
  return ok ? 0 : 1;
}
