#ifndef ROAM_BASE_TEST_CHILD_H_
#define ROAM_BASE_TEST_CHILD_H_

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <string>

namespace roam {

// For tests: runs `body(fd)` in a child of fork, which ends with status 0 if it returns, and gives
// what was written to `fd` until nobody had it open any more. `status`: as waitpid gives it.
template <class Body>
std::string written_by_child(Body body, int* status) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    body(ends[1]);
    for (;;) syscall(SYS_exit_group, 0);  // a program of Roam's has an _exit of its own
  }
  close(ends[1]);
  std::string all;
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    all.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  EXPECT_EQ(waitpid(child, status, 0), child);
  return all;
}

}  // namespace roam

#endif  // ROAM_BASE_TEST_CHILD_H_
