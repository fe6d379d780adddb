#include "tests/survive/case.h"

#include <algorithm>
#include <cstring>

namespace roam_test {
namespace {

std::vector<Case>& registry() {
  static std::vector<Case> list;
  return list;
}

}  // namespace

CaseRegistration::CaseRegistration(const Case& one) {
  std::vector<Case>& list = registry();
  auto after = std::upper_bound(list.begin(), list.end(), one, [](const Case& a, const Case& b) {
    return std::strcmp(a.name, b.name) < 0;
  });
  list.insert(after, one);
}

const std::vector<Case>& cases() { return registry(); }

}  // namespace roam_test
