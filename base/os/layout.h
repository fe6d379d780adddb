#ifndef ROAM_BASE_OS_LAYOUT_H_
#define ROAM_BASE_OS_LAYOUT_H_

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
// features. Equal on ranks that can exchange threads.
std::vector<std::string> layout_facts();

}  // namespace roam::os

#endif  // ROAM_BASE_OS_LAYOUT_H_
