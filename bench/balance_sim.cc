// What would each balancing strategy do to a job, and what does the decision take?
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/contest.h"
#include "bench/peak_memory.h"
#include "bench/synthetic_loads.h"
#include "runtime/balance/load_model.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/strategy.h"
#include "runtime/balance/table_file.h"

namespace {

namespace balance = roam::balance;

constexpr const char* kQuestion =
    "What would each balancing strategy do to a job, and what does its decision take? Nothing "
    "runs: loads are\n"
    "synthetic or from a file. With --steps the loads go on changing: each strategy decides by "
    "what a load\n"
    "model foretells, and is judged by what then comes. (imbalance: the longest rank over the "
    "mean; 1 is perfect)";
constexpr const char* kUsage =
    "  --strategies=A,B   which (all)\n"
    "  --loads=NAME       uniform, exponential, half, geometric, hot-spot, one (exponential)\n"
    "  --threads=N        (100000)\n"
    "  --ranks=N          (1024)\n"
    "  --node-ranks=N     ranks of a node (64)\n"
    "  --load-us=N        mean load of a thread in a step (1000)\n"
    "  --thread-bytes=N   mean of what a thread's move sends (65536)\n"
    "  --edge-bytes=N     to each of four neighbours in the grid, a step; 0: no messages (1024)\n"
    "  --memory=PERCENT   limit of a rank, over what it has in the mean; 0: none (0)\n"
    "  --slow=PERCENT     of the nodes have half the speed (0)\n"
    "  --noise=PERCENT    by which a load differs from step to step (0)\n"
    "  --hold=N           steps for which a plan is to pay (10, or --every)\n"
    "  --steps=N          steps of the job; 1: one decision about loads that are known (1)\n"
    "  --every=N          steps between decisions (10)\n"
    "  --model=NAME       best, last, smoothed, trend (best)\n"
    "  --file=FILE        a recorded table instead (runtime/balance/table_file.h)\n"
    "  --write=FILE       writes the table of the first decision, and ends\n"
    "  --seed=N           (1)\n"
    "  --json             one JSON object a strategy instead of the table\n";
constexpr const char* kKnown[] = {
    "strategies",   "loads",      "threads", "ranks", "node-ranks", "load-us",
    "thread-bytes", "edge-bytes", "memory",  "slow",  "noise",      "hold",
    "steps",        "every",      "model",   "file",  "write",      "seed"};
constexpr std::size_t kHistory = 8;  // steps that a load model sees

[[noreturn]] void refuse(const std::string& message) {
  std::fprintf(stderr, "balance_sim: %s; --help lists the options\n", message.c_str());
  std::exit(2);
}

struct Settings {
  bench::SyntheticOptions synthetic;
  std::string file, write;
  std::vector<const balance::NamedStrategy*> strategies;
  balance::LoadModel model = nullptr;  // null: the best
  std::size_t steps = 1, every = 10;
  double hold = 0;  // 0: as the file says, or 10
  bool json = false;
};

std::vector<const balance::NamedStrategy*> read_strategies(const std::string& names) {
  std::vector<const balance::NamedStrategy*> result;
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ',');) {
    const balance::NamedStrategy* strategy = balance::find_strategy(name);
    if (strategy == nullptr) refuse("--strategies: there is no strategy '" + name + "'");
    result.push_back(strategy);
  }
  if (!result.empty()) return result;
  for (const std::string_view name : balance::strategy_names()) {
    result.push_back(balance::find_strategy(name));
  }
  return result;
}

void check_words(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    const bool known = std::any_of(std::begin(kKnown), std::end(kKnown), [&](const char* name) {
      return word.rfind("--" + std::string(name) + "=", 0) == 0;
    });
    if (!known && word != "--json") refuse("'" + word + "' is no option");
  }
}

Settings read_settings(const bench::Options& options) {
  check_words(options.words);
  Settings s;
  bench::SyntheticOptions& synthetic = s.synthetic;
  synthetic.threads = options.number("threads", options.quick ? 1'000 : synthetic.threads);
  synthetic.ranks = options.number("ranks", options.quick ? 16 : synthetic.ranks);
  synthetic.node_ranks = options.number("node-ranks", options.quick ? 4 : synthetic.node_ranks);
  synthetic.loads = options.text("loads", synthetic.loads);
  synthetic.mean_s = static_cast<double>(options.number("load-us", 1000)) * 1e-6;
  synthetic.thread_bytes = options.number("thread-bytes", synthetic.thread_bytes);
  synthetic.edge_bytes = options.number("edge-bytes", synthetic.edge_bytes);
  synthetic.memory = static_cast<double>(options.number("memory", 0)) / 100;
  synthetic.slow = static_cast<double>(options.number("slow", 0)) / 100;
  synthetic.noise = static_cast<double>(options.number("noise", 0)) / 100;
  synthetic.seed = options.number("seed", synthetic.seed);
  if (synthetic.ranks == 0 || synthetic.node_ranks == 0) refuse("there must be a rank on a node");
  const auto& names = bench::synthetic_names();
  if (std::find(names.begin(), names.end(), synthetic.loads) == names.end()) {
    refuse("--loads: there is no '" + synthetic.loads + "'");
  }

  s.file = options.text("file", "");
  s.write = options.text("write", "");
  s.strategies = read_strategies(options.text("strategies", ""));
  const std::string model = options.text("model", "best");
  s.model = balance::find_load_model(model);
  if (s.model == nullptr && model != "best") refuse("--model: there is no '" + model + "'");
  s.steps = options.number("steps", 1);
  s.every = options.number("every", 10);
  if (s.steps == 0 || s.every == 0) refuse("--steps and --every are at least 1");
  if (s.steps > 1 && !s.file.empty()) refuse("--steps needs synthetic loads, not --file");
  s.hold = static_cast<double>(options.number("hold", s.steps > 1 ? s.every : 0));
  s.json = std::count(options.words.begin(), options.words.end(), "--json") != 0;
  return s;
}

balance::LoadTable first_table(const Settings& settings) {
  balance::LoadTable table;
  if (!settings.file.empty()) {
    std::ifstream in(settings.file);
    if (!in) refuse("cannot read " + settings.file);
    table = balance::read_table(in, settings.file);
  } else {
    const bench::SyntheticLoads loads(settings.synthetic);
    table = loads.table();
    for (std::size_t i = 0; i < table.threads.size(); ++i) {
      table.threads[i].load_s = loads.load_s(i, 0);
    }
  }
  if (settings.hold != 0) table.costs.steps = settings.hold;
  return table;
}

// One decision, and what it took.
struct Decision {
  balance::Plan plan;
  double seconds = 0;
  double memory_bytes = 0;
};

Decision decide(const balance::NamedStrategy& strategy, const balance::LoadTable& table,
                std::uint64_t seed) {
  const bench::PeakMemory memory;
  const std::int64_t begin_ns = bench::now_ns();
  Decision decision{.plan = strategy.plan(table, seed)};
  decision.seconds = static_cast<double>(bench::now_ns() - begin_ns) * 1e-9;
  decision.memory_bytes = memory.growth();
  check_plan(table, decision.plan);
  return decision;
}

// What a strategy did in a run: means over the steps that follow its decisions, sums of moves.
struct Result {
  const char* strategy = "";
  balance::Outcome before, after;
  double gain_s = 0;  // of time a step, by its decisions' forecasts
  std::size_t decisions = 0;
  double decision_s = 0;    // the longest
  double memory_bytes = 0;  // the most
};

void add(Result& result, const balance::LoadTable& table, const Decision& decision) {
  const balance::Outcome stay = outcome_of(table, plan_to_stay(table));
  const balance::Outcome plan = outcome_of(table, decision.plan);
  if (result.decisions++ == 0) result.before = stay;
  result.gain_s += stay.step_s - plan.step_s;
  result.after.move_s += plan.move_s;
  result.after.moves += plan.moves;
  result.after.moves_between_nodes += plan.moves_between_nodes;
  result.after.bytes_between_nodes += plan.bytes_between_nodes;
  result.after.cut_node_bytes = plan.cut_node_bytes;
  result.after.cut_rank_bytes = plan.cut_rank_bytes;
  result.after.imbalance = plan.imbalance;
  result.after.step_s = plan.step_s;
  result.decision_s = std::max(result.decision_s, decision.seconds);
  result.memory_bytes = std::max(result.memory_bytes, decision.memory_bytes);
}

Result run_once(const balance::NamedStrategy& strategy, const balance::LoadTable& table,
                std::uint64_t seed) {
  Result result;
  result.strategy = strategy.name;
  add(result, table, decide(strategy, table, seed));
  return result;
}

// The loads of a thread lie side by side, the oldest first; they are moved up when all is full.
class History {
 public:
  explicit History(std::size_t threads) : loads_s_(threads * kHistory) {}
  void begin_step() {
    if (count_ < kHistory) {
      ++count_;
      return;
    }
    std::copy(loads_s_.begin() + 1, loads_s_.end(), loads_s_.begin());
  }
  double& newest(std::size_t thread) { return loads_s_[thread * kHistory + count_ - 1]; }
  std::span<const double> of(std::size_t thread) const {
    return {loads_s_.data() + thread * kHistory, count_};
  }

 private:
  std::vector<double> loads_s_;
  std::size_t count_ = 0;
};

void foretell(balance::LoadTable& table, const History& history, balance::LoadModel model) {
  if (model == nullptr) {
    balance::ModelChoice choice(table.ranks.size());
    for (std::size_t i = 0; i < table.threads.size(); ++i)
      choice.add(static_cast<std::size_t>(table.threads[i].rank), balance::forecast(history.of(i)));
    model = balance::find_load_model(balance::load_model_names()[choice.best()]);
  }
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    table.threads[i].load_s = model(history.of(i));
  }
}

Result run_steps(const balance::NamedStrategy& strategy, const Settings& settings) {
  const bench::SyntheticLoads loads(settings.synthetic);
  balance::LoadTable table = first_table(settings);
  History history(table.threads.size());
  Result result;
  result.strategy = strategy.name;
  double imbalance = 0, step_s = 0;
  for (std::size_t step = 0; step < settings.steps; ++step) {
    if (step % settings.every == 1 || (settings.every == 1 && step > 0)) {
      foretell(table, history, settings.model);
      const Decision decision = decide(strategy, table, settings.synthetic.seed + step);
      add(result, table, decision);
      for (std::size_t i = 0; i < table.threads.size(); ++i) {
        table.threads[i].rank = decision.plan.rank_of[i];
      }
    }
    history.begin_step();
    for (std::size_t i = 0; i < table.threads.size(); ++i) {
      history.newest(i) = table.threads[i].load_s = loads.load_s(i, step);
    }
    const balance::Outcome now = outcome_of(table, plan_to_stay(table));
    imbalance += step > 0 ? now.imbalance : 0;
    step_s += step > 0 ? now.step_s : 0;
  }
  const auto judged = static_cast<double>(settings.steps - 1);
  result.after.imbalance = imbalance / judged;
  result.after.step_s = step_s / judged;
  result.gain_s /= static_cast<double>(result.decisions);
  return result;
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

void print_header(const balance::LoadTable& table) {
  std::printf("%zu threads, %zu ranks, %zu edges; a plan is to hold for %g steps\n\n",
              table.threads.size(), table.ranks.size(), table.edges.size(), table.costs.steps);
  std::printf(
      "| strategy      | imbalance before | after | step before |    after |    moves | between "
      "nodes | bytes moved | gain a step | moves take | cut before |    after | decision |  memory "
      "|\n"
      "|---------------|-----------------:|------:|------------:|---------:|---------:|"
      "--------------:|------------:|------------:|-----------:|-----------:|---------:|"
      "---------:|--------:|\n");
}

void print_row(const Result& r) {
  std::printf(
      "| %-13s | %16.3f | %5.3f | %11s | %8s | %8zu | %13zu | %11s | %11s | %10s | %10s | "
      "%8s | %8s | %7s |\n",
      r.strategy, r.before.imbalance, r.after.imbalance, amount(r.before.step_s, "s").c_str(),
      amount(r.after.step_s, "s").c_str(), r.after.moves, r.after.moves_between_nodes,
      amount(static_cast<double>(r.after.bytes_between_nodes), "B").c_str(),
      amount(r.gain_s, "s").c_str(), amount(r.after.move_s, "s").c_str(),
      amount(static_cast<double>(r.before.cut_node_bytes), "B").c_str(),
      amount(static_cast<double>(r.after.cut_node_bytes), "B").c_str(),
      amount(r.decision_s, "s").c_str(),
      r.memory_bytes < 0 ? "?" : amount(r.memory_bytes, "B").c_str());
  std::fflush(stdout);
}

void print_json(const Result& r) {
  std::printf(
      "{\"strategy\": \"%s\", \"decisions\": %zu, \"imbalance_before\": %.6g, "
      "\"imbalance_after\": %.6g, \"step_before_s\": %.6g, \"step_after_s\": %.6g, "
      "\"moves\": %zu, \"moves_between_nodes\": %zu, \"bytes_between_nodes\": %llu, "
      "\"gain_per_step_s\": %.6g, \"move_s\": %.6g, \"cut_node_bytes_before\": %llu, "
      "\"cut_node_bytes_after\": %llu, \"cut_rank_bytes_after\": %llu, \"decision_s\": %.6g, "
      "\"memory_bytes\": %.0f}\n",
      r.strategy, r.decisions, r.before.imbalance, r.after.imbalance, r.before.step_s,
      r.after.step_s, r.after.moves, r.after.moves_between_nodes,
      static_cast<unsigned long long>(r.after.bytes_between_nodes), r.gain_s, r.after.move_s,
      static_cast<unsigned long long>(r.before.cut_node_bytes),
      static_cast<unsigned long long>(r.after.cut_node_bytes),
      static_cast<unsigned long long>(r.after.cut_rank_bytes), r.decision_s, r.memory_bytes);
  std::fflush(stdout);
}

int simulate(const Settings& settings) {
  const balance::LoadTable table = first_table(settings);
  if (!settings.write.empty()) {
    std::ofstream out(settings.write);
    balance::write_table(out, table);
    if (!out.flush()) refuse("cannot write " + settings.write);
    return 0;
  }
  if (!settings.json) print_header(table);
  for (const balance::NamedStrategy* strategy : settings.strategies) {
    const Result result = settings.steps > 1 ? run_steps(*strategy, settings)
                                             : run_once(*strategy, table, settings.synthetic.seed);
    settings.json ? print_json(result) : print_row(result);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings = read_settings(bench::read_options(argc, argv, kQuestion, kUsage));
  try {
    return simulate(settings);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "balance_sim: %s\n", error.what());
    return 1;
  }
}
