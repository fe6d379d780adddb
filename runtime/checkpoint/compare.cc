#include <optional>
#include <string>

#include "base/os/layout.h"
#include "base/text.h"
#include "runtime/checkpoint/manifest.h"

namespace roam::runtime {
namespace {

using os::ModuleFact;

// The kernel's own: no thread is suspended in it, and what points to it is the process's.
bool is_kernels(const std::string& fact) {
  const std::optional<ModuleFact> module = os::module_of(fact);
  return module && module->path.starts_with("linux-vdso");
}

std::vector<std::string> of_threads(const std::vector<std::string>& facts) {
  std::vector<std::string> ours;
  for (const std::string& fact : facts) {
    if (!is_kernels(fact)) ours.push_back(fact);
  }
  return ours;
}

constexpr const char* kOther =
    "Start the binary that made the checkpoint, with the libraries, library paths and stack limit "
    "(ulimit -s) that it had.";

std::string module_difference(const ModuleFact& a, const ModuleFact& b, bool program) {
  const char* what = program ? "the program" : "the library";
  if (a.build != b.build) {
    return text("%s %s had the build-id %s when the checkpoint was made, and %s has %s now. %s",
                what, a.path.c_str(), a.build.c_str(), a.path == b.path ? "it" : b.path.c_str(),
                b.build.c_str(), kOther);
  }
  if (a.where != b.where) {
    return text("%s %s was at %s when the checkpoint was made, and is at %s now. %s", what,
                a.path.c_str(), a.where.c_str(), b.where.c_str(), kOther);
  }
  return text(
      "%s was %s when the checkpoint was made, and is %s now, and neither has a build-id. "
      "%s",
      what, a.path.c_str(), b.path.c_str(), kOther);
}

std::string fact_difference(const std::string& then, const std::string& now, bool program) {
  if (os::is_same_fact(then, now)) return {};
  if (const auto a = os::module_of(then), b = os::module_of(now); a && b)
    return module_difference(*a, *b, program);
  if (then.starts_with("cpu features") && now.starts_with("cpu features")) {
    return text(
        "this processor has other features than the one on which the checkpoint was made: "
        "'%s', and '%s' then. Start the job on the same kind of processor.",
        now.c_str(), then.c_str());
  }
  return text(
      "the process was laid out otherwise when the checkpoint was made: '%s', and '%s' now. "
      "%s",
      then.c_str(), now.c_str(), kOther);
}

}  // namespace

std::string compare(const Manifest& then, const Manifest& now) {
  const std::vector<std::string> a = of_threads(then.layout), b = of_threads(now.layout);
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (std::string difference = fact_difference(a[i], b[i], i == 0); !difference.empty())
      return difference;
  }
  if (a.size() != b.size()) {
    const bool more = b.size() > a.size();
    return text("'%s' is %s. %s", (more ? b[a.size()] : a[b.size()]).c_str(),
                more ? "here now, and was not when the checkpoint was made"
                     : "not here, and was when the checkpoint was made",
                kOther);
  }
  if (now.arena.bytes != 0 && then.arena != now.arena) {
    return text(
        "the arena was 0x%zx bytes at 0x%zx when the checkpoint was made, and ROAM_ARENA has 0x%zx "
        "bytes at 0x%zx. Start the job without it, or with ROAM_ARENA=0x%zx,0x%zx.",
        then.arena.bytes, then.arena.begin, now.arena.bytes, now.arena.begin, then.arena.begin,
        then.arena.bytes);
  }
  if (now.lease_bytes != 0 && then.lease_bytes != now.lease_bytes) {
    return text(
        "the arena was cut into leases of 0x%zx bytes when the checkpoint was made, and is "
        "cut into leases of 0x%zx bytes now. Start the job with the library that made the "
        "checkpoint.",
        then.lease_bytes, now.lease_bytes);
  }
  return {};
}

}  // namespace roam::runtime
