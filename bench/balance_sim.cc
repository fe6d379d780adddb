// What would each balancing strategy do to a job, and what does the decision take?
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/recording.h"
#include "bench/simulation.h"
#include "bench/synthetic_loads.h"
#include "bench/vt_files.h"
#include "demos/common/arguments.h"
#include "runtime/balance/bounds.h"
#include "runtime/balance/load_model.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/strategy.h"
#include "runtime/balance/table_file.h"

namespace {

namespace balance = roam::balance;

constexpr const char* kQuestion =
    "What would each balancing strategy do to a job, and what does its decision take? Nothing "
    "runs: loads are\n"
    "synthetic or recorded. With several steps the loads go on changing: each strategy decides by "
    "what a load\n"
    "model foretells, and is judged by what then comes. (imbalance: the longest rank over the "
    "mean; 1 is perfect)";

struct Settings {
  bench::SyntheticOptions synthetic;
  std::vector<std::string> files;  // tables, a step each
  std::string vt, write, write_vt;
  std::vector<std::string> strategies;
  std::string model = "best";
  std::size_t steps = 0;         // 0: as many as are recorded, or 1
  std::size_t every = 0;         // 0: 1 where steps are recorded, else 10
  double hold = 0;               // 0: as the table says, or `every`
  std::uint64_t rank_limit = 0;  // 0: as the table says
  bool json = false;

  bool recorded() const { return !files.empty() || !vt.empty(); }
};

template <class Names>
std::vector<std::string> strings(const Names& names) {
  return {names.begin(), names.end()};
}

// A whole number in percent, as a part.
void add_percent(CLI::App& app, const std::string& name, double& part, const std::string& text) {
  app.add_option_function<std::size_t>(
         name, [&part](std::size_t percent) { part = static_cast<double>(percent) / 100; }, text)
      ->check(whole_number(0, 1'000'000))
      ->type_name("PERCENT");
}

// Ends the program where the command line asks for help or is wrong.
Settings read_settings(int argc, char** argv) {
  Settings s;
  bench::SyntheticOptions& synthetic = s.synthetic;
  const CLI::Validator at_least_one = whole_number(1, std::uint64_t{1} << 31);
  const CLI::Validator any = whole_number(0, std::uint64_t{1} << 62);
  CLI::App app(kQuestion);
  app.option_defaults()
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->always_capture_default();
  app.add_flag_callback(
         "--quick",
         [&] {
           synthetic.threads = 1'000;
           synthetic.ranks = 16;
           synthetic.node_ranks = 4;
         },
         "1,000 threads on 16 ranks, 4 on a node, if nothing else is said")
      ->trigger_on_parse();
  app.add_option("--strategies", s.strategies, "which, with commas between them (all)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(CLI::IsMember(strings(balance::strategy_names())));
  app.add_option("--loads", synthetic.loads, "shape of synthetic loads")
      ->check(CLI::IsMember(strings(bench::synthetic_names())));
  app.add_option("--threads", synthetic.threads)->check(whole_number(0, std::uint64_t{1} << 31));
  app.add_option("--ranks", synthetic.ranks)->check(at_least_one);
  app.add_option("--node-ranks", synthetic.node_ranks, "ranks of a node")->check(at_least_one);
  app.add_option_function<std::size_t>(
         "--load-us", [&](std::size_t us) { synthetic.mean_s = static_cast<double>(us) * 1e-6; },
         "mean load of a thread in a step (1000)")
      ->check(any);
  app.add_option("--thread-bytes", synthetic.thread_bytes, "mean of what a thread's move sends")
      ->check(any);
  app.add_option("--edge-bytes", synthetic.edge_bytes,
                 "to each of four neighbours in the grid, a step; 0: no messages")
      ->check(any);
  add_percent(app, "--memory", synthetic.memory,
              "limit of a rank, over what it has in the mean; 0: none (0)");
  add_percent(app, "--slow", synthetic.slow, "of the nodes have half the speed (0)");
  add_percent(app, "--noise", synthetic.noise, "by which a load differs from step to step (0)");
  app.add_option("--hold", s.hold, "steps for which a plan is to pay; 0: 10, or --every")
      ->check(CLI::Range(0.0, 1e9));
  app.add_option("--steps", s.steps,
                 "steps of the job (all that are recorded, or 1); 1: one decision about loads that "
                 "are known")
      ->default_str("")
      ->check(at_least_one);
  app.add_option("--every", s.every, "steps between decisions (1 of a recording, else 10)")
      ->default_str("")
      ->check(at_least_one);
  std::vector<std::string> models = strings(balance::load_model_names());
  models.insert(models.begin(), "best");
  app.add_option("--model", s.model, "what foretells loads")->check(CLI::IsMember(models));
  app.add_option("--file", s.files,
                 "a recorded table instead (runtime/balance/table_file.h); several: steps of a job")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(CLI::ExistingFile);
  app.add_option("--vt", s.vt,
                 "a recording of DARMA/vt instead: DIR, or DIR/NAME of files NAME.RANK.json");
  app.add_option("--rank-limit", s.rank_limit,
                 "bytes that a rank may have, in place of the table's; K, M, G: powers of 1024")
      ->transform(byte_size());
  app.add_option("--write", s.write, "writes the table of the first decision to a file, and ends");
  app.add_option("--write-vt", s.write_vt, "writes all steps as files of DARMA/vt, and ends")
      ->type_name("DIR");
  app.add_option("--seed", synthetic.seed)->check(any);
  app.add_flag("--json", s.json, "one JSON object a strategy instead of the table");
  try {
    app.parse(argc, argv);
    if (!s.files.empty() && !s.vt.empty())
      throw CLI::ValidationError("--vt=" + s.vt, "excludes --file: one recording at a time");
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  if (s.strategies.empty()) s.strategies = strings(balance::strategy_names());
  if (s.every == 0) s.every = s.recorded() ? 1 : 10;
  return s;
}

bench::Job job_of_recording(const Settings& settings) {
  const auto recording = std::make_shared<bench::Recording>(
      settings.vt.empty() ? bench::read_tables(settings.files) : bench::read_vt(settings.vt));
  if (recording->left_out != 0) {
    std::fprintf(stderr, "balance_sim: %zu messages from or to what is no task are left out\n",
                 recording->left_out);
  }
  const std::size_t steps = settings.steps != 0 ? settings.steps : recording->steps.size();
  if (steps > recording->steps.size()) {
    throw std::runtime_error("--steps=" + std::to_string(steps) + ", but " +
                             std::to_string(recording->steps.size()) + " are recorded");
  }
  bench::Job job{.first = recording->steps.front(), .steps = steps, .go_to = {}};
  job.go_to = [recording](std::size_t step, balance::LoadTable& table) {
    const balance::LoadTable& now = recording->steps[step];
    table.first_edge = now.first_edge;
    table.edges = now.edges;
    table.block_bytes = now.block_bytes;
    for (std::size_t i = 0; i < table.threads.size(); ++i) {
      const std::int32_t rank = table.threads[i].rank;
      table.threads[i] = now.threads[i];
      table.threads[i].rank = rank;
    }
    for (std::size_t r = 0; r < table.ranks.size(); ++r) {
      table.ranks[r].speed = now.ranks[r].speed;
      table.ranks[r].used_bytes = now.ranks[r].used_bytes;
    }
  };
  return job;
}

bench::Job synthetic_job(const Settings& settings) {
  const bench::SyntheticLoads loads(settings.synthetic);
  bench::Job job{
      .first = loads.table(), .steps = std::max<std::size_t>(settings.steps, 1), .go_to = {}};
  job.go_to = [loads](std::size_t step, balance::LoadTable& table) {
    for (std::size_t i = 0; i < table.threads.size(); ++i)
      table.threads[i].load_s = loads.load_s(i, step);
  };
  job.go_to(0, job.first);
  return job;
}

bench::Job job_of(const Settings& settings) {
  bench::Job job = settings.recorded() ? job_of_recording(settings) : synthetic_job(settings);
  if (settings.hold != 0) {
    job.first.costs.steps = settings.hold;
  } else if (job.steps > 1) {
    job.first.costs.steps = static_cast<double>(settings.every);
  }
  if (settings.rank_limit != 0) {
    for (balance::RankInfo& rank : job.first.ranks) rank.memory_bytes = settings.rank_limit;
  }
  return job;
}

bench::Recording recording_of(const bench::Job& job) {
  bench::Recording recording;
  for (std::size_t step = 0; step < job.steps; ++step) {
    recording.steps.push_back(job.first);
    job.go_to(step, recording.steps.back());
  }
  return recording;
}

std::string amount(double value, const char* unit) {
  static const char* const kPrefixes[] = {"n", "u", "m", "", "k", "M", "G", "T"};
  int prefix = 3;
  for (; std::abs(value) >= 1000 && prefix < 7; ++prefix) value /= 1000;
  for (; value != 0 && std::abs(value) < 1 && prefix > 0; --prefix) value *= 1000;
  char word[64];
  std::snprintf(word, sizeof word, "%.3g %s%s", value, kPrefixes[prefix], unit);
  return word;
}

// What no plan for the first decision goes below (runtime/balance/bounds.h).
struct Floor {
  explicit Floor(const balance::LoadTable& table) {
    const double ideal_s = balance::ideal_step_s(table), step_s = balance::shortest_step_s(table);
    if (ideal_s > 0) imbalance = step_s / ideal_s;
    moves = balance::fewest_moves(table, balance::kFinestGoal * step_s);
  }
  double imbalance = 1;
  std::size_t moves;  // to within kFinestGoal of it
};

void print_header(const balance::LoadTable& table, const Floor& floor) {
  std::printf("%zu threads, %zu ranks, %zu edges; a plan is to hold for %g steps\n",
              table.threads.size(), table.ranks.size(), table.edges.size(), table.costs.steps);
  std::printf(
      "no plan leaves less imbalance than %.3f; within %.2f %% of it takes %zu moves or more\n\n",
      floor.imbalance, 100 * (balance::kFinestGoal - 1), floor.moves);
  std::printf(
      "| strategy      | imbalance before | after | step before |    after |    moves | between "
      "nodes | bytes moved | gain a step | moves take | cut before |    after | decision |  memory "
      "| fullest rank before |    after |\n"
      "|---------------|-----------------:|------:|------------:|---------:|---------:|"
      "--------------:|------------:|------------:|-----------:|-----------:|---------:|"
      "---------:|--------:|--------------------:|---------:|\n");
}

void print_row(const bench::Result& r) {
  std::printf(
      "| %-13s | %16.3f | %5.3f | %11s | %8s | %8zu | %13zu | %11s | %11s | %10s | %10s | "
      "%8s | %8s | %7s | %19s | %8s |\n",
      r.strategy, r.before.imbalance, r.after.imbalance, amount(r.before.step_s, "s").c_str(),
      amount(r.after.step_s, "s").c_str(), r.after.moves, r.after.moves_between_nodes,
      amount(static_cast<double>(r.after.bytes_between_nodes), "B").c_str(),
      amount(r.gain_s, "s").c_str(), amount(r.after.move_s, "s").c_str(),
      amount(static_cast<double>(r.before.cut_node_bytes), "B").c_str(),
      amount(static_cast<double>(r.after.cut_node_bytes), "B").c_str(),
      amount(r.decision_s, "s").c_str(),
      r.memory_bytes < 0 ? "?" : amount(r.memory_bytes, "B").c_str(),
      amount(static_cast<double>(r.most_bytes_before), "B").c_str(),
      amount(static_cast<double>(r.most_bytes), "B").c_str());
  std::fflush(stdout);
}

void print_json(const bench::Result& r, const Floor& floor) {
  std::printf(
      "{\"strategy\": \"%s\", \"decisions\": %zu, \"imbalance_floor\": %.6g, "
      "\"moves_floor\": %zu, \"imbalance_before\": %.6g, "
      "\"imbalance_after\": %.6g, \"step_before_s\": %.6g, \"step_after_s\": %.6g, "
      "\"moves\": %zu, \"moves_between_nodes\": %zu, \"bytes_between_nodes\": %llu, "
      "\"gain_per_step_s\": %.6g, \"move_s\": %.6g, \"cut_node_bytes_before\": %llu, "
      "\"cut_node_bytes_after\": %llu, \"cut_rank_bytes_after\": %llu, "
      "\"rank_bytes_before\": %llu, \"rank_bytes_after\": %llu, \"decision_s\": %.6g, "
      "\"memory_bytes\": %.0f}\n",
      r.strategy, r.decisions, floor.imbalance, floor.moves, r.before.imbalance, r.after.imbalance,
      r.before.step_s, r.after.step_s, r.after.moves, r.after.moves_between_nodes,
      static_cast<unsigned long long>(r.after.bytes_between_nodes), r.gain_s, r.after.move_s,
      static_cast<unsigned long long>(r.before.cut_node_bytes),
      static_cast<unsigned long long>(r.after.cut_node_bytes),
      static_cast<unsigned long long>(r.after.cut_rank_bytes),
      static_cast<unsigned long long>(r.most_bytes_before),
      static_cast<unsigned long long>(r.most_bytes), r.decision_s, r.memory_bytes);
  std::fflush(stdout);
}

int run(const Settings& settings) {
  const bench::Job job = job_of(settings);
  if (!settings.write.empty()) {
    std::ofstream out(settings.write);
    balance::write_table(out, job.first);
    if (!out.flush()) throw std::runtime_error("cannot write " + settings.write);
  }
  if (!settings.write_vt.empty()) bench::write_vt(settings.write_vt, recording_of(job));
  if (!settings.write.empty() || !settings.write_vt.empty()) return 0;
  const Floor floor(job.first);
  if (!settings.json) print_header(job.first, floor);
  const bench::Decisions decisions{.every = settings.every,
                                   .model = balance::find_load_model(settings.model),
                                   .seed = settings.synthetic.seed};
  for (const std::string& name : settings.strategies) {
    const bench::Result result = simulate(*balance::find_strategy(name), job, decisions);
    settings.json ? print_json(result, floor) : print_row(result);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(read_settings(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "balance_sim: %s\n", error.what());
    return 1;
  }
}
