// Put before libc by LD_PRELOAD: of the calls of fork of a process and those that it makes, the one
// whose number is FORK_FAILS fails.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t fork(void) {
  static int calls;
  const char* fails = getenv("FORK_FAILS");
  if (fails != NULL && ++calls == atoi(fails)) {
    errno = EAGAIN;
    return -1;
  }
  return (pid_t)syscall(SYS_fork);
}
