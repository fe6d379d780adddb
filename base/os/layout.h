#ifndef ROAM_BASE_OS_LAYOUT_H_
#define ROAM_BASE_OS_LAYOUT_H_

#include <optional>
#include <string>
#include <vector>

// Where this process's code and data lie. Return addresses, vtables and function pointers travel
// inside a thread's image, so every rank must be laid out alike.
namespace roam::os {

// How the start-up re-execution without address randomisation went.
enum class Layout {
  kFixed,   // randomisation is off
  kRandom,  // it is on and was left on (ROAM_REEXEC=0, or a tool such as Valgrind runs the program)
  kDenied,  // the kernel refused personality(ADDR_NO_RANDOMIZE)
};
Layout layout();
const char* layout_cure();  // one sentence: what the user can do where the layout is not fixed

// One line a fact, in a fixed order: modules present when the program started (path, base,
// build-id), thread-local storage, errno, the stack's kernel-given limits that move mappings, CPU
// features. Ranks can exchange threads where each is_same_fact().
std::vector<std::string> layout_facts();

// What a fact about a module says; nullopt: it is about something else.
struct ModuleFact {
  std::string path, where, build;  // build: "none", if it has no build-id

  // The same bytes at the same place, wherever they were read from. What sets library paths for the
  // ranks that it starts, as Open MPI's agents on other hosts do, gives libraries other names
  // there.
  bool operator==(const ModuleFact& other) const {
    return where == other.where && build == other.build && (build != "none" || path == other.path);
  }
};
std::optional<ModuleFact> module_of(const std::string& fact);
bool is_same_fact(const std::string& a, const std::string& b);

}  // namespace roam::os

#endif  // ROAM_BASE_OS_LAYOUT_H_
