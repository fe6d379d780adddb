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
  --checksum              print one of all particles in the end, to the last bit, which is the same
                          with any number of ranks
  --help                  this text

The environment variable ROAM_NODE_RANKS=K cuts this machine into nodes of K ranks, between which
threads travel through MPI.
)";

Options parse_options(int argc, char** argv) {
  int cells = 1000, steps = 100, k = 1, m = 2, balance_every = 5;
  int particles = 1'000'000, threads_per_rank = 16;
  std::string distribution = "geometric:0.99", load = "particles";
  Runs runs;
  bool checksum = false;
  Arguments arguments;
  CLI::App& app = arguments.app();
  app.add_option("--steps", steps)->check(whole_number(0, 1'000'000));
  app.add_option("--grid", cells)->check(whole_number(2, 20'000));
  app.add_option("--particles", particles)->check(whole_number(1, 1'000'000'000));
  app.add_option("--k", k)->check(whole_number(0, 20'000));
  app.add_option("--m", m)->check(whole_number(0, 20'000));
  app.add_option("--distribution", distribution);
  app.add_option("--threads-per-rank", threads_per_rank)->check(whole_number(1, 10'000));
  app.add_option("--balance-every", balance_every)->check(whole_number(1, 1'000'000));
  app.add_option("--load", load);
  add_runs(app, runs);
  app.add_flag("--checksum", checksum);
  arguments.read(argc, argv);

  if (cells % 2 != 0)
    throw UsageError("--grid: '" + std::to_string(cells) + "' is not allowed: it must be even");
  // A step must be shorter than the grid.
  const auto side = static_cast<std::uint64_t>(cells);
  check_whole("--k", static_cast<std::uint64_t>(k), 0, side / 2 - 1);
  check_whole("--m", static_cast<std::uint64_t>(m), 0, side - 1);
  if (load != "particles" && load != "time")
    throw UsageError("--load: '" + load + "' is not known: give particles or time");
  return {.problem = {.cells = cells,
                      .steps = steps,
                      .k = k,
                      .m = m,
                      .balance_every = balance_every,
                      .load_is_time = load == "time",
                      .distribution = Distribution(distribution, cells, particles)},
          .distribution = distribution,
          .threads_per_rank = threads_per_rank,
          .runs = runs,
          .checksum = checksum,
          .help = arguments.help()};
}
