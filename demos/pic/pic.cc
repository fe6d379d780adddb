// Particles in cells on a team of threads: the kernel that this field judges load balancing by.
//
// The grid is cut in tiles, one for each member of the team, and a member computes the particles
// above its tile. Most start at the left, and all drift to the right: what a member has to do
// changes by orders of magnitude, and no assignment of tiles to ranks stays good. With
// balancing, each few steps begin with team.balance(), a call that may return on another rank. That
// is all there is to it: particles are in a std::vector, members send each other what leaves
// their tiles, and neither has to know where anybody is.
//
// Where each particle must be in the end is known in closed form (kernel.h), and all are checked.
#include <roam/roam.h>

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "demos/common/meter.h"
#include "demos/common/record.h"
#include "demos/common/tiling.h"
#include "demos/pic/kernel.h"
#include "demos/pic/options.h"

namespace {

constexpr int kTag = 1;
constexpr std::size_t kChunk = 512;  // particles that stay in the first-level cache meanwhile

// The particles above one member's tile, and what it takes to keep them there.
class Domain {
 public:
  Domain(roam::Team team, const Problem& problem)
      : team_(team),
        cells_(problem.cells),
        tiling_(problem.cells, team.size()),
        tile_(tiling_.tile(team.index())) {
    for (int x = tile_.x_begin; x < tile_.x_end; ++x) {
      for (int y = tile_.y_begin; y < tile_.y_end; ++y) {
        const int count = problem.distribution.count(x, y);
        particles_.insert(particles_.end(), static_cast<std::size_t>(count),
                          at_centre(x, y, problem.k, problem.m));
      }
    }
    // Every particle moves by the same number of cells, so it is known beforehand whom this member
    // sends to and receives from. As a rule these are three others; with a large k or m they
    // may be far away.
    to_ = tiling_.owners_after(team.index(), 2 * problem.k + 1, problem.m);
    from_ = tiling_.owners_after(team.index(), -(2 * problem.k + 1), -problem.m);
    std::erase(to_, team.index());
    std::erase(from_, team.index());
    leaving_.resize(to_.size());
  }

  // Moves all particles by a step and takes out those that are then above another tile.
  void push_all() {
    for (std::vector<Particle>& some : leaving_) some.clear();
    std::size_t kept = 0;
    for (std::size_t first = 0; first < particles_.size(); first += kChunk) {
      const std::size_t count = std::min(kChunk, particles_.size() - first);
      const std::span<Particle> chunk(particles_.data() + first, count);
      push(chunk, cells_);
      for (const Particle& particle : chunk) {
        if (is_inside(particle)) {
          particles_[kept++] = particle;
        } else {
          leaving_[destination(particle)].push_back(particle);
        }
      }
    }
    particles_.resize(kept);
  }

  // One message to each whom particles may go to, one from each whom they may come from.
  void exchange() {
    std::vector<roam::Request> sends;
    for (std::size_t i = 0; i < to_.size(); ++i)
      sends.push_back(team_.isend(to_[i], kTag, leaving_[i]));
    for (const int from : from_) {
      const auto arrived = team_.recv<std::vector<Particle>>(from, kTag);
      particles_.insert(particles_.end(), arrived.begin(), arrived.end());
    }
    roam::wait_all(sends);
  }

  const std::vector<Particle>& particles() const { return particles_; }

 private:
  bool is_inside(const Particle& p) const {
    return p.x >= tile_.x_begin && p.x < tile_.x_end && p.y >= tile_.y_begin && p.y < tile_.y_end;
  }
  // Where in to_ the owner of a particle's cell is.
  std::size_t destination(const Particle& particle) const {
    const int owner = tiling_.owner(static_cast<int>(particle.x), static_cast<int>(particle.y));
    const auto at = std::find(to_.begin(), to_.end(), owner);
    if (at == to_.end()) throw std::logic_error("a particle moves otherwise than all the others");
    return static_cast<std::size_t>(at - to_.begin());
  }

  roam::Team team_;
  int cells_;
  Tiling tiling_;
  Tile tile_;
  std::vector<Particle> particles_;
  std::vector<int> to_;                         // members that particles may go to,
  std::vector<std::vector<Particle>> leaving_;  // and those that go now
  std::vector<int> from_;                       // members that they may come from
};

// How many particles there are, how many are where they must not be, and a sum that tells their
// births: a particle that is lost and one that is there twice do not make up for each other.
struct Census {
  std::int64_t count = 0;
  std::int64_t misplaced = 0;
  std::uint64_t births = 0;
  std::uint64_t checksum = 0;

  friend Census operator+(const Census& a, const Census& b) {
    return {a.count + b.count, a.misplaced + b.misplaced, a.births + b.births,
            a.checksum + b.checksum};
  }
};

// Of all particles, at every member.
Census take_census(roam::Team team, const Problem& problem, const Domain& domain, long moves) {
  Census census;
  for (const Particle& p : domain.particles()) {
    const std::uint64_t birth = (std::uint64_t{p.birth_x} << 32 | p.birth_y) + 1;
    ++census.count;
    census.misplaced += !is_in_place(p, moves, problem.k, problem.m, problem.cells);
    census.births += birth * birth;
    census.checksum += checksum(p);
  }
  return team.allreduce(census);
}

// What a run amounts to, at member 0.
struct Result {
  Record record;
  Census before;
  Census after;

  bool is_right() const {
    return before.misplaced == 0 && after.misplaced == 0 && after.count == before.count &&
           after.births == before.births;
  }
};

// One member's part in a run.
Result run(roam::Team team, const Problem& problem, bool balanced) {
  Domain domain(team, problem);
  Result result;
  result.before = take_census(team, problem, domain, 0);
  Meter meter(team);
  for (int step = 0; step <= problem.steps; ++step) {
    meter.busy([&] { domain.push_all(); });
    domain.exchange();
    // Running time, which is measured, would do; the count does not depend on who else uses the
    // cores.
    if (!problem.load_is_time)
      roam::this_thread::set_load(static_cast<double>(domain.particles().size()));
    if (step % problem.balance_every == 0 && step > 0 && step < problem.steps)
      meter.end_interval(step, balanced);
  }
  result.record = meter.end(problem.steps, balanced);
  result.after = take_census(team, problem, domain, problem.moves());
  return result;
}

void print(const std::vector<Result>& results, bool with_checksum) {
  std::vector<Record> records;
  records.reserve(results.size());
  for (const Result& result : results) records.push_back(result.record);
  print_runs(records);
  std::printf("\n");
  for (const Result& r : results) {
    std::printf("  %-22s", r.record.balanced ? "with balancing" : "without balancing");
    if (r.is_right()) {
      std::printf("%s particles, all where they must be\n", with_commas(r.after.count).c_str());
    } else {
      std::printf("WRONG: %s particles of %s, of which %s are where they must not be\n",
                  with_commas(r.after.count).c_str(), with_commas(r.before.count).c_str(),
                  with_commas(r.after.misplaced).c_str());
    }
    if (with_checksum) std::printf("  %-22schecksum %016" PRIx64 "\n", "", r.after.checksum);
  }
}

// What each member does: the whole.
void work(const Options& options) {
  const roam::Team team = roam::Team::current();
  std::vector<Result> results;
  if (options.runs.without) results.push_back(run(team, options.problem, false));
  if (options.runs.with) results.push_back(run(team, options.problem, true));
  if (team.index() != 0) return;
  roam::this_thread::migrate(0);  // what is printed comes from one process, in order
  print(results, options.checksum);
  if (!std::all_of(results.begin(), results.end(), [](const Result& r) { return r.is_right(); }))
    throw std::runtime_error("particles are not where they must be");
}

int demo(const Options& options) {
  const Problem& problem = options.problem;
  const int members = options.threads_per_rank * roam::ranks();
  if (!Tiling::fits(problem.cells, members)) {
    throw UsageError("--grid: '" + std::to_string(problem.cells) +
                     "' is too small to give each of " + std::to_string(members) +
                     " threads a cell");
  }
  const Tiling tiling(problem.cells, members);
  std::printf("  %s on %d x %d cells, %ld moves of %d x %d cells\n", options.distribution.c_str(),
              problem.cells, problem.cells, problem.moves(), 2 * problem.k + 1, problem.m);
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
    std::fprintf(stderr, "pic: %s\npic: see --help\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pic: %s\n", error.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  return roam::run(argc, argv, [&argc, &argv] { return root(argc, argv); });
}
