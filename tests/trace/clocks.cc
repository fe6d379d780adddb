// Two clocks that are in truth the same: what compare_clocks() finds out about them is known.
#include "runtime/trace/clocks.h"

#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  using roam::runtime::ClockOffset;
  roam::runtime::Mpi mpi;
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
  mpi.finish();
  return ok ? 0 : 1;
}
