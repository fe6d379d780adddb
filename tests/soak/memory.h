#ifndef ROAM_TESTS_SOAK_MEMORY_H_
#define ROAM_TESTS_SOAK_MEMORY_H_

#include <cstddef>

namespace roam_test {

// What this process takes of the machine's memory now, in bytes.
struct Memory {
  std::size_t resident = 0;  // its own: its heap, stacks, and the arena where it is not shared
  std::size_t arena = 0;     // of the arena that its node shares; 0 without one
};
Memory memory_now();

}  // namespace roam_test

#endif  // ROAM_TESTS_SOAK_MEMORY_H_
