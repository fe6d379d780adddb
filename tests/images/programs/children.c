/* A virtual rank waits for the programs that it has started, and for nobody else's. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "turns.h"

extern char** environ;

static pid_t start(int status, const char* pause) {
  char command[100];
  char* arguments[] = {"sh", "-c", command, NULL};
  pid_t child = -1;
  snprintf(command, sizeof command, "%s exit %d", pause, status);
  return posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ) == 0 ? child : -1;
}
static void say(const char* what, int right) {
  printf("%d: %s: %d\n", my_number(), what, right);
  take_turn();
}

/* Who ignores SIGCHLD has its children forgotten, and nobody else's. */
static void forgotten(int mine) {
  struct sigaction action = {.sa_flags = SA_NOCLDWAIT}, old;
  const int ignores = mine % 2;
  int status = 0, i;
  pid_t child;
  for (i = 0; i < 2; ++i) {
    action.sa_handler = SIG_DFL;
    if (ignores && i == 0) signal(SIGCHLD, SIG_IGN);
    if (ignores && i == 1) sigaction(SIGCHLD, &action, NULL);
    sigaction(SIGCHLD, NULL, &old);
    say("ignored", (old.sa_handler == SIG_IGN) == (ignores && i == 0) &&
                       (old.sa_flags & SA_NOCLDWAIT) == (ignores && i == 1 ? SA_NOCLDWAIT : 0));
    child = start(mine, my_number() < 4 ? "sleep 0.1;" : "");
    say("another turn", child > 0);
    if (ignores) {
      say("forgotten", waitpid(child, &status, 0) == -1 && errno == ECHILD);
      child = start(mine, "");
      say("forgotten by all", wait(&status) == -1 && errno == ECHILD);
    } else {
      say("kept", wait(&status) == child && WIFEXITED(status) && WEXITSTATUS(status) == mine);
      usleep(50000); /* the others' end meanwhile */
    }
    signal(SIGCHLD, SIG_DFL);
  }
}

int main(void) {
  const int mine = 10 + my_number();
  int status = 0, other = 0, file;
  struct rusage usage;
  siginfo_t info;
  pid_t child, second, found;
  say("none", wait(&status) == -1 && errno == ECHILD);
  /* The lower ranks' end last, so somebody else's has ended first. */
  child = start(mine, my_number() < 4 ? "sleep 0.2;" : "");
  take_turn();
  take_turn();
  found = wait(&status);
  say("wait", child > 0 && found == child && WIFEXITED(status) && WEXITSTATUS(status) == mine);
  say("gone", wait(&status) == -1 && errno == ECHILD);
  say("not again", waitpid(child, &status, 0) == -1 && errno == ECHILD);

  child = start(mine, "sleep 0.1;");
  second = start(mine + 20, "");
  found = waitpid(-1, &status, 0);
  if (found == child) {
    child = second;
    second = found;
  }
  say("first of two", found == second && WEXITSTATUS(status) % 20 == mine % 20);
  found = waitpid(0, &other, 0);
  say("other of two", found == child && WEXITSTATUS(status) + WEXITSTATUS(other) == 2 * mine + 20);

  child = start(mine, "sleep 1;");
  say("not yet", waitpid(-1, &status, WNOHANG) == 0);
  memset(&info, 0, sizeof info);
  say("waitid", waitid(P_ALL, 0, &info, WEXITED) == 0 && info.si_pid == child && info.si_status == mine);
  child = start(mine, "sleep 0.1;");
  memset(&info, 0, sizeof info);
  say("waitid by number", syscall(SYS_waitid, P_ALL, 0L, &info, WEXITED, NULL) == 0 &&
                              info.si_pid == child && info.si_status == mine);
  child = start(mine, "");
  file = (int)syscall(SYS_pidfd_open, child, 0);
  memset(&info, 0, sizeof info);
  say("waitid of a descriptor", waitid(P_PIDFD, (id_t)file, &info, WEXITED) == 0 &&
                                    info.si_pid == child && info.si_status == mine && close(file) == 0);
  child = start(mine, "");
  say("wait4", wait4(child, &status, 0, &usage) == child && WEXITSTATUS(status) == mine);
  child = start(mine, "");
  say("wait3", wait3(&status, 0, &usage) == child && WEXITSTATUS(status) == mine);
  say("system", WEXITSTATUS(system("exit 3")) == 3);
  say("none left", waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD);
  forgotten(mine);
  return 0;
}
