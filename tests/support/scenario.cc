#include "tests/support/scenario.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"

namespace roam_test {
namespace {

std::vector<Scenario>& scenarios() {
  static std::vector<Scenario> list;
  return list;
}

bool chosen(const std::string& name, int argc, char** argv) {
  if (argc < 2) return true;
  for (int i = 1; i < argc; ++i) {
    if (name.find(argv[i]) != std::string::npos) return true;
  }
  return false;
}

// Empty if it passed. In a function of its own, so that the handler has ended before anything else
// runs.
std::string outcome(const Scenario& scenario) {
  try {
    scenario.body();
    return {};
  } catch (const roam::Error& error) {
    return std::string("roam::Error(") + roam::to_string(error.code()) + "): " + error.what();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

}  // namespace

ScenarioRegistration::ScenarioRegistration(const Scenario& scenario) {
  scenarios().push_back(scenario);
}

int run_scenarios_here(int argc, char** argv) {
  int failed = 0;
  int passed = 0;
  const int home = roam::rank();
  for (const Scenario& scenario : scenarios()) {
    const std::string name = std::string(scenario.suite) + "." + scenario.name;
    if (!chosen(name, argc, argv)) continue;
    if (static_cast<std::size_t>(roam::ranks()) < scenario.ranks_needed) {
      printf("[skipped] %s: needs %zu ranks, the job has %d\n", name.c_str(), scenario.ranks_needed,
             roam::ranks());
      continue;
    }
    printf("[run    ] %s\n", name.c_str());
    fflush(stdout);
    const std::string why = outcome(scenario);
    roam::this_thread::migrate(home);
    printf(why.empty() ? "[ok     ] %s%s\n" : "[FAILED ] %s: %s\n", name.c_str(), why.c_str());
    fflush(stdout);
    ++(why.empty() ? passed : failed);
  }
  printf("%d passed, %d failed, on %d ranks\n", passed, failed, roam::ranks());
  if (passed + failed == 0) {
    printf("no scenario has such a name\n");
    ++failed;
  }
  fflush(stdout);
  return failed;
}

int run_scenarios(int argc, char** argv) {
  return roam::run(argc, argv, [=] { return run_scenarios_here(argc, argv) == 0 ? 0 : 1; });
}

}  // namespace roam_test
