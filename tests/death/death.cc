// Does what must not be done: death NAME.
#include "tests/death/death.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "roam/roam.h"

namespace roam_test {
namespace {

std::map<std::string, void (*)()>& bodies() {
  static std::map<std::string, void (*)()> map;
  return map;
}

}  // namespace

DeathRegistration::DeathRegistration(const char* name, void (*body)()) { bodies()[name] = body; }

}  // namespace roam_test

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  const auto body = roam_test::bodies().find(name);
  if (body == roam_test::bodies().end()) {
    printf("death: no such name: %s\n", name.c_str());
    return 0;  // so that a test that expects a failure notices
  }
  roam::run(argc, argv, [body = body->second] {
    // Others live on while the victim dies: they end with the job.
    for (int r = 0; r < roam::ranks(); ++r) {
      roam::spawn(roam::SpawnOptions{.name = "bystander", .rank = r}, [] {
        for (;;) roam::this_thread::sleep_for(std::chrono::milliseconds(20));
      });
    }
    roam::spawn(
        roam::SpawnOptions{.name = "victim", .stack_bytes = 128 * 1024, .rank = roam::ranks() - 1},
        body)
        .join();
    printf("death: survived\n");
    fflush(stdout);
    std::_Exit(0);
  });
}
