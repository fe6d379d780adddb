#include "bench/simulation.h"

#include <algorithm>
#include <span>
#include <vector>

#include "bench/contest.h"
#include "bench/peak_memory.h"

namespace bench {
namespace {

namespace balance = roam::balance;

constexpr std::size_t kHistory = 8;  // steps that a load model sees

// One decision, and what it took.
struct Decision {
  balance::Plan plan;
  double seconds = 0;
  double memory_bytes = 0;
};

Decision decide(const balance::NamedStrategy& strategy, const balance::LoadTable& table,
                std::uint64_t seed) {
  const PeakMemory memory;
  const std::int64_t begin_ns = now_ns();
  Decision decision{.plan = strategy.plan(table, seed)};
  decision.seconds = static_cast<double>(now_ns() - begin_ns) * 1e-9;
  decision.memory_bytes = memory.growth();
  check_plan(table, decision.plan);
  return decision;
}

std::uint64_t most_bytes(const balance::LoadTable& table, const balance::Plan& plan) {
  const std::vector<std::uint64_t> bytes = bytes_on_ranks(table, plan);
  return *std::max_element(bytes.begin(), bytes.end());
}

void add(Result& result, const balance::LoadTable& table, const Decision& decision) {
  const balance::Outcome stay = outcome_of(table, plan_to_stay(table));
  const balance::Outcome plan = outcome_of(table, decision.plan);
  if (result.decisions++ == 0) {
    result.before = stay;
    result.most_bytes_before = most_bytes(table, plan_to_stay(table));
  }
  result.gain_s += stay.step_s - plan.step_s;
  result.after.move_s += plan.move_s;
  result.after.moves += plan.moves;
  result.after.moves_between_nodes += plan.moves_between_nodes;
  result.after.bytes_between_nodes += plan.bytes_between_nodes;
  result.after.cut_node_bytes = plan.cut_node_bytes;
  result.after.cut_rank_bytes = plan.cut_rank_bytes;
  result.after.imbalance = plan.imbalance;
  result.after.step_s = plan.step_s;
  result.most_bytes = std::max(result.most_bytes, most_bytes(table, decision.plan));
  result.decision_s = std::max(result.decision_s, decision.seconds);
  result.memory_bytes = std::max(result.memory_bytes, decision.memory_bytes);
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

}  // namespace

Result simulate(const balance::NamedStrategy& strategy, const Job& job,
                const Decisions& decisions) {
  balance::LoadTable table = job.first;
  Result result;
  result.strategy = strategy.name;
  if (job.steps == 1) {
    add(result, table, decide(strategy, table, decisions.seed));
    return result;
  }
  History history(table.threads.size());
  double imbalance = 0, step_s = 0;
  for (std::size_t step = 0; step < job.steps; ++step) {
    if (step > 0 && (step - 1) % decisions.every == 0) {
      foretell(table, history, decisions.model);
      const Decision decision = decide(strategy, table, decisions.seed + step);
      add(result, table, decision);
      for (std::size_t i = 0; i < table.threads.size(); ++i) {
        table.threads[i].rank = decision.plan.rank_of[i];
      }
    }
    job.go_to(step, table);
    history.begin_step();
    for (std::size_t i = 0; i < table.threads.size(); ++i) {
      history.newest(i) = table.threads[i].load_s;
    }
    const balance::Outcome now = outcome_of(table, plan_to_stay(table));
    imbalance += step > 0 ? now.imbalance : 0;
    step_s += step > 0 ? now.step_s : 0;
  }
  const auto judged = static_cast<double>(job.steps - 1);
  result.after.imbalance = imbalance / judged;
  result.after.step_s = step_s / judged;
  result.gain_s /= static_cast<double>(result.decisions);
  return result;
}

}  // namespace bench
