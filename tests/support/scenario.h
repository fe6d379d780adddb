#ifndef ROAM_TESTS_SUPPORT_SCENARIO_H_
#define ROAM_TESTS_SUPPORT_SCENARIO_H_

#include <cstddef>

// Tests of the public API over several ranks, one after the other in one job:
//
//   SCENARIO(Migrate, ReturnsOnTheRankAskedFor) { ... expect_eq(...); }
//   int main(int argc, char** argv) { return roam_test::run_scenarios(argc, argv); }
//
// The body runs in the root thread on rank 0, and starts whatever it needs elsewhere. It fails by
// throwing.
namespace roam_test {

struct Scenario {
  const char* suite;
  const char* name;
  void (*body)();
  std::size_t ranks_needed = 1;  // skipped aloud in jobs with fewer
};

struct ScenarioRegistration {
  explicit ScenarioRegistration(const Scenario& scenario);
};

// Runs the scenarios registered whose Suite.Name contains one of the arguments, or all. Returns the
// number of those that failed; prints each, and what the failed ones say.
int run_scenarios(int argc, char** argv);

// The same inside a running job, from a thread; run_scenarios does so.
int run_scenarios_here(int argc, char** argv);

}  // namespace roam_test

#define SCENARIO(group, title, ...)                                                              \
  static void group##_##title();                                                                 \
  static const ::roam_test::ScenarioRegistration registration_##group##_##title(                 \
      ::roam_test::Scenario{                                                                     \
          .suite = #group, .name = #title, .body = group##_##title __VA_OPT__(, ) __VA_ARGS__}); \
  static void group##_##title()

#endif  // ROAM_TESTS_SUPPORT_SCENARIO_H_
