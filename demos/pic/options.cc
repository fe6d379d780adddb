#include "demos/pic/options.h"

const char kUsage[] =
    R"(Charged particles that drift over a grid, computed by threads that migrate to where there is room.

usage: mpiexec.hydra -n RANKS pic [option...]

  --steps=T               iterations 0 to T (default 100)
  --grid=L                cells along a side, even (default 1000)
  --particles=N           about so many (default 1000000)
  --k=K --m=M             particles move 2K+1 cells a step in x and M in y (default 1 and 2)
  --distribution=KIND     where they start (default geometric:0.99):
                            geometric:RHO, sinusoidal, linear:ALPHA,BETA, patch:LEFT,RIGHT,BOTTOM,TOP
  --threads-per-rank=N    (default 16)
  --balance-every=S       steps (default 5)
  --load=KIND             what balancing goes by: particles (default), or time, as it is measured
  --compare               without balancing, then with (default)
  --balance, --no-balance only one of the two
  --help                  this text

The environment variable ROAM_NODE_RANKS=K cuts this machine into nodes of K ranks, between which
threads travel through MPI.
)";

Options parse_options(int argc, char** argv) {
  Arguments arguments(argc, argv);
  const bool help = arguments.flag("--help");
  const int cells = arguments.whole("--grid", 1000, 2, 20'000);
  if (cells % 2 != 0)
    throw UsageError("--grid '" + std::to_string(cells) + "' is not allowed: it must be even");
  const int particles = arguments.whole("--particles", 1'000'000, 1, 1'000'000'000);
  const std::string distribution = arguments.text("--distribution").value_or("geometric:0.99");
  const std::string load = arguments.text("--load").value_or("particles");
  if (load != "particles" && load != "time")
    throw UsageError("--load '" + load + "' is not known: give particles or time");
  Options options{.problem = {.cells = cells,
                              .steps = arguments.whole("--steps", 100, 0, 1'000'000),
                              .k = arguments.whole("--k", 1, 0, cells / 2 - 1),
                              .m = arguments.whole("--m", 2, 0, cells - 1),
                              .balance_every = arguments.whole("--balance-every", 5, 1, 1'000'000),
                              .load_is_time = load == "time",
                              .distribution = Distribution(distribution, cells, particles)},
                  .distribution = distribution,
                  .threads_per_rank = arguments.whole("--threads-per-rank", 16, 1, 10'000),
                  .runs = take_runs(arguments),
                  .help = help};
  arguments.end();
  return options;
}
