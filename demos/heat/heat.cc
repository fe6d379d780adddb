// A plate under a travelling laser, on a team of threads: a stencil whose cost is where it is hot.
//
// The plate is cut in tiles, one for each member of the team. Members exchange the edges of their
// tiles with their neighbours each step, and each few steps call team.balance(), from which those
// that are better elsewhere return there: as the laser moves on, so do threads, away from the ranks
// that it heats. What comes out is compared with a serial computation, bit by bit.
#include <roam/roam.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "demos/common/arguments.h"
#include "demos/common/meter.h"
#include "demos/common/record.h"
#include "demos/common/tiling.h"
#include "demos/heat/plate.h"

namespace {

const char kUsage[] =
    R"(A plate under a travelling laser, computed by threads that migrate away from where it is hot.

usage: mpiexec.hydra -n RANKS heat [option...]

  --grid=L                cells along a side (default 400)
  --steps=T               (default 100)
  --threads-per-rank=N    (default 16)
  --balance-every=S       steps (default 5)
  --compare               without balancing, then with (default)
  --balance, --no-balance only one of the two
  --no-check              no serial computation to compare with, which takes as long as all ranks
  --help                  this text

The environment variable ROAM_NODE_RANKS=K cuts this machine into nodes of K ranks, between which
threads travel through MPI.
)";

struct Options {
  int cells = 400;
  int steps = 100;
  int threads_per_rank = 16;
  int balance_every = 5;
  Runs runs;
  bool no_check = false;
  bool help = false;
};

Options parse_options(int argc, char** argv) {
  Options options;
  Arguments arguments;
  CLI::App& app = arguments.app();
  app.add_option("--grid", options.cells)->check(whole_number(1, 20'000));
  app.add_option("--steps", options.steps)->check(whole_number(1, 1'000'000));
  app.add_option("--threads-per-rank", options.threads_per_rank)->check(whole_number(1, 10'000));
  app.add_option("--balance-every", options.balance_every)->check(whole_number(1, 1'000'000));
  add_runs(app, options.runs);
  app.add_flag("--no-check", options.no_check);
  arguments.read(argc, argv);
  options.help = arguments.help();
  return options;
}

// Tags say which edge of the sender's tile a message is.
enum Edge : int { kLeft = 1, kRight, kBottom, kTop, kWholeTile };

// One member's part of the plate.
class Part {
 public:
  Part(roam::Team team, int cells)
      : team_(team),
        tiling_(cells, team.size()),
        now_(tiling_.tile(team.index())),
        next_(now_.tile()) {
    const int index = team.index();
    const int rows = tiling_.rows();
    if (index >= rows) left_ = index - rows;
    if (index + rows < team.size()) right_ = index + rows;
    if (index % rows > 0) below_ = index - 1;
    if (index % rows < rows - 1) above_ = index + 1;
  }

  // Gets the cells next to the tile from its neighbours and gives them their like. Where the plate
  // ends they stay 0.
  void exchange() {
    const int width = now_.tile().width();
    const int height = now_.tile().height();
    // Rows are messages where they lie; columns are packed.
    const std::vector<double> first = now_.column(0);
    const std::vector<double> last = now_.column(width - 1);
    std::vector<double> from_left(first.size());
    std::vector<double> from_right(first.size());
    std::vector<roam::Request> requests;
    auto swap_edges = [&](const std::optional<int>& neighbour, Edge mine,
                          std::span<const double> out, Edge theirs, std::span<double> in) {
      if (!neighbour) return;
      requests.push_back(team_.irecv(*neighbour, theirs, in));
      requests.push_back(team_.isend(*neighbour, mine, out));
    };
    swap_edges(left_, kLeft, first, kRight, from_left);
    swap_edges(right_, kRight, last, kLeft, from_right);
    swap_edges(below_, kBottom, now_.row(0), kTop, now_.row(-1));
    swap_edges(above_, kTop, now_.row(height - 1), kBottom, now_.row(height));
    roam::wait_all(requests);
    now_.set_column(-1, from_left);
    now_.set_column(width, from_right);
  }

  void step(const Laser& laser) {
    advance(now_, next_, laser);
    std::swap(now_, next_);
  }

  // The whole plate at member 0, row by row; nothing elsewhere. All members together.
  std::vector<double> assemble(int cells) const {
    const Tile& own = now_.tile();
    std::vector<double> mine;
    for (int y = 0; y < own.height(); ++y)
      mine.insert(mine.end(), now_.row(y).begin(), now_.row(y).end());
    std::vector<double> plate;
    if (team_.index() != 0) {
      team_.send(0, kWholeTile, mine);
      return plate;
    }
    const auto side = static_cast<std::size_t>(cells);
    plate.resize(side * side);
    for (int i = 0; i < team_.size(); ++i) {
      if (i > 0) mine = team_.recv<std::vector<double>>(i, kWholeTile);
      const Tile tile = tiling_.tile(i);
      for (int y = 0; y < tile.height(); ++y) {
        std::copy_n(mine.begin() + static_cast<long>(y) * tile.width(), tile.width(),
                    plate.begin() + static_cast<long>(tile.y_begin + y) * cells + tile.x_begin);
      }
    }
    return plate;
  }

 private:
  roam::Team team_;
  Tiling tiling_;
  Field now_;
  Field next_;
  std::optional<int> left_, right_, below_, above_;  // neighbours' members
};

struct Result {
  Record record;
  std::vector<double> plate;
};

// One member's part in a run; the result is at member 0.
Result run(roam::Team team, const Options& options, bool balanced) {
  Part part(team, options.cells);
  Meter meter(team);
  for (int step = 0; step < options.steps; ++step) {
    if (step > 0 && step % options.balance_every == 0) {
      // Without this line the runtime takes the thread's running time, which on a rank that shares
      // its core is partly another rank's.
      roam::this_thread::set_load(meter.busy_seconds());
      meter.end_interval(step - 1, balanced);
    }
    part.exchange();
    meter.busy([&] { part.step(laser_at(step, options.steps, options.cells)); });
  }
  Result result;
  result.record = meter.end(options.steps - 1, balanced);
  result.plate = part.assemble(options.cells);
  return result;
}

std::vector<double> run_serially(const Options& options) {
  const Tile all{0, options.cells, 0, options.cells};
  Field now(all);
  Field next(all);
  for (int step = 0; step < options.steps; ++step) {
    advance(now, next, laser_at(step, options.steps, options.cells));
    std::swap(now, next);
  }
  std::vector<double> plate;
  for (int y = 0; y < options.cells; ++y)
    plate.insert(plate.end(), now.row(y).begin(), now.row(y).end());
  return plate;
}

// Whether both runs made the plate that a serial computation makes.
bool check(const Options& options, const std::vector<Result>& results) {
  const std::vector<double> expected = run_serially(options);
  bool right = true;
  std::printf("\n");
  for (const Result& result : results) {
    long different = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) different += result.plate[i] != expected[i];
    const std::string count = with_commas(static_cast<long>(expected.size()));
    std::printf("  %-22s", result.record.balanced ? "with balancing" : "without balancing");
    if (different == 0) {
      std::printf("%s cells, each as a serial computation has it to the last bit\n", count.c_str());
    } else {
      std::printf("WRONG: %s of %s cells differ from a serial computation\n",
                  with_commas(different).c_str(), count.c_str());
    }
    right &= different == 0;
  }
  return right;
}

// What each member does: the whole.
void work(const Options& options) {
  const roam::Team team = roam::Team::current();
  std::vector<Result> results;
  if (options.runs.without) results.push_back(run(team, options, false));
  if (options.runs.with) results.push_back(run(team, options, true));
  if (team.index() != 0) return;
  roam::this_thread::migrate(0);  // what is printed comes from one process, in order
  std::vector<Record> records;
  records.reserve(results.size());
  for (const Result& result : results) records.push_back(result.record);
  print_runs(records);
  std::fflush(stdout);
  if (!options.no_check && !check(options, results)) throw std::runtime_error("the plate is wrong");
}

int demo(const Options& options) {
  const int members = options.threads_per_rank * roam::ranks();
  if (!Tiling::fits(options.cells, members)) {
    throw UsageError("--grid: '" + std::to_string(options.cells) +
                     "' is too small to give each of " + std::to_string(members) +
                     " threads a cell");
  }
  const Tiling tiling(options.cells, members);
  std::printf("  a plate of %d x %d cells, %d steps\n", options.cells, options.cells,
              options.steps);
  std::printf("  %d ranks, %d threads, a tile each: %d x %d of them\n", roam::ranks(), members,
              tiling.columns(), tiling.rows());
  std::fflush(stdout);
  roam::spawn_team({.name = "tile"}, members, work, options).join();
  return 0;
}

int root(int argc, char** argv) {
  try {
    const Options options = parse_options(argc, argv);
    if (!options.help) return demo(options);
    std::fputs(kUsage, stdout);
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "heat: %s\nheat: see --help\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "heat: %s\n", error.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  return roam::run(argc, argv, [&argc, &argv] { return root(argc, argv); });
}
