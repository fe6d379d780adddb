#!/usr/bin/env bash
# A process that executes a program shows an empty /proc/PID/environ for a while, though both before and
# after it has the same variable set: who looks for processes by their environment misses it.
#
# With:     Linux 6.18; no package is needed.
# Needs:    gcc.
# Asked:    a program that runs with MARK=here forks 300 children, each of which executes the same program
#           with the same environment; meanwhile the parent reads the child's environ again and again.
# Seen:     in some of the children the file is read as MARK=here, then as 0 bytes without an error, then as
#           MARK=here again. The process is there all the time, and the open succeeds.
# Expected: one environment or the other, or an error.
# For us:   roam run ends what a lost launcher has left, which it knows by a variable. It looks until two
#           looks in a row, 20 ms apart, find none.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >look.c <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

/* 1: it has the variable; 0: nothing is in it; -1: something else. */
static int look(const char* path) {
  static char bytes[1 << 16];
  const int file = open(path, O_RDONLY);
  if (file < 0) return -1;
  const ssize_t got = read(file, bytes, sizeof bytes);
  close(file);
  if (got <= 0) return got == 0 ? 0 : -1;
  return memmem(bytes, (size_t)got, "MARK=here", 9) != NULL ? 1 : -1;
}

int main(int argc, char** argv) {
  int between = 0;
  if (argc > 1) {
    for (;;) pause();
  }
  for (int i = 0; i < 300; ++i) {
    char path[64], executed[] = "executed";
    char* arguments[] = {argv[0], executed, NULL};
    const pid_t child = fork();
    if (child == 0) {
      usleep(200);
      execve("/proc/self/exe", arguments, environ);
      _exit(1);
    }
    snprintf(path, sizeof path, "/proc/%d/environ", (int)child);
    int before = 0, empty = 0, after = 0;
    for (int n = 0; n < 3000 && !after; ++n) {
      const int seen = look(path);
      if (seen == 1 && !empty) before = 1;
      if (seen == 0 && before) empty = 1;
      if (seen == 1 && empty) after = 1;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    between += after;
  }
  printf("empty between two looks that found it: %s\n", between > 0 ? "yes" : "no");
  fprintf(stderr, "in %d of 300\n", between);
  return 0;
}
C
gcc -O1 -o look look.c 2>log || cannot "gcc: $(tail -n 1 log)"
seen=$(MARK=here ./look)
echo "$seen"
[[ $seen == "empty between two looks that found it: yes" ]] || { echo "the behaviour has changed"; exit 1; }
