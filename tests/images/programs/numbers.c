/* A virtual rank has a number of its own as a process: it keeps it, files that are named by it are its
 * own, and calls that are given it mean the process. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "turns.h"

static pid_t begun;

static void say(const char* what, int right) {
  printf("%d: %s: %d\n", my_number(), what, right && getpid() == begun);
  take_turn();
}

static void files(void) {
  char name[400], text[40] = "", wanted[40];
  FILE* file;
  int i, made;
  snprintf(name, sizeof name, "%s/scratch.%d", getenv("HOME"), (int)getpid());
  snprintf(wanted, sizeof wanted, "of %d", my_number());
  made = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);
  say("made", made >= 0);
  say("written", write(made, wanted, strlen(wanted)) == (ssize_t)strlen(wanted));
  close(made);
  for (i = 0; i < 3; ++i) take_turn();
  file = fopen(name, "r");
  say("read", file != NULL && fgets(text, sizeof text, file) != NULL && strcmp(text, wanted) == 0);
  fclose(file);
  for (i = 0; i < 3; ++i) take_turn();
  say("removed", unlink(name) == 0);
}

static void calls(void) {
  const pid_t me = getpid();
  struct sched_param parameter = {0};
  struct timespec time;
  struct rlimit limit;
  cpu_set_t set;
  clockid_t clock;
  int file;
  say("by syscall", syscall(SYS_getpid) == me && syscall(SYS_gettid) == me && gettid() == me);
  say("kill", kill(me, 0) == 0 && syscall(SYS_kill, me, 0) == 0);
  say("nobody", kill(me + 1000000000, 0) == -1 && errno == ESRCH);
  say("tgkill", tgkill(me, gettid(), 0) == 0 && syscall(SYS_tgkill, me, me, 0) == 0);
  say("sigqueue", sigqueue(me, 0, (union sigval){.sival_int = 1}) == 0);
  say("getpgid", getpgid(me) == getpgrp() && syscall(SYS_getpgid, me) == getpgrp());
  say("getsid", getsid(me) == getsid(0));
  say("getpriority", getpriority(PRIO_PROCESS, (id_t)me) == getpriority(PRIO_PROCESS, 0));
  say("setpriority", setpriority(PRIO_PROCESS, (id_t)me, getpriority(PRIO_PROCESS, 0)) == 0);
  say("sched_getaffinity", sched_getaffinity(me, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0);
  say("sched_setaffinity", sched_setaffinity(me, sizeof set, &set) == 0);
  say("by number", syscall(SYS_sched_getaffinity, me, sizeof set, &set) > 0);
  say("sched_getscheduler", sched_getscheduler(me) == sched_getscheduler(0));
  say("sched_getparam", sched_getparam(me, &parameter) == 0);
  say("sched_setscheduler", sched_setscheduler(me, SCHED_OTHER, &parameter) == 0);
  say("sched_rr_get_interval", sched_rr_get_interval(me, &time) == 0);
  say("prlimit", prlimit(me, RLIMIT_NOFILE, NULL, &limit) == 0 && limit.rlim_cur > 0);
  say("clock", clock_getcpuclockid(me, &clock) == 0 && clock_gettime(clock, &time) == 0);
  take_turn(); /* another process's clock of that name would be none */
  say("clock again", clock_gettime(clock, &time) == 0);
  file = (int)syscall(SYS_pidfd_open, me, 0);
  say("pidfd_open", file >= 0 && close(file) == 0);
}

static void memory(void) {
  int* from = malloc(sizeof *from);
  int to = 0;
  struct iovec here = {&to, sizeof to}, there = {from, sizeof *from};
  ssize_t bytes;
  *from = 17 + my_number();
  bytes = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
  /* Containers may forbid it. */
  say("process_vm_readv", (bytes == sizeof to && to == 17 + my_number()) || errno == EPERM);
  free(from);
}

static void folder(void) {
  char name[100], text[100] = "", target[400];
  struct stat about;
  FILE* file;
  DIR* list;
  int descriptor;
  snprintf(name, sizeof name, "/proc/%d/status", (int)getpid());
  file = fopen(name, "r");
  say("status", file != NULL && fgets(text, sizeof text, file) != NULL && memcmp(text, "Name:", 5) == 0);
  if (file != NULL) fclose(file);
  descriptor = open(name, O_RDONLY);
  say("opened", descriptor >= 0 && read(descriptor, text, 5) == 5 && close(descriptor) == 0);
  say("stat", stat(name, &about) == 0 && access(name, R_OK) == 0);
  say("stat by number", syscall(SYS_stat, name, &about) == 0 && syscall(SYS_lstat, name, &about) == 0 &&
                            syscall(SYS_newfstatat, AT_FDCWD, name, &about, 0) == 0);
  say("access by number", syscall(SYS_access, name, R_OK) == 0 && syscall(SYS_faccessat, AT_FDCWD, name, R_OK) == 0);
  descriptor = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY, 0);
  say("opened by number", descriptor >= 0 && syscall(SYS_read, descriptor, text, 5) == 5 && close(descriptor) == 0);
  say("nobody's by number", syscall(SYS_stat, "/proc/0", &about) == -1 && errno == ENOENT);
  snprintf(name, sizeof name, "/proc/self/task/%d/comm", (int)gettid());
  say("own thread", access(name, R_OK) == 0);
  snprintf(name, sizeof name, "/proc/%d/task/%d/comm", (int)getpid(), (int)gettid());
  say("own thread by both", access(name, R_OK) == 0);
  snprintf(name, sizeof name, "/proc/%d", (int)getpid());
  list = opendir(name);
  say("opendir", list != NULL && readdir(list) != NULL && closedir(list) == 0);
  snprintf(name, sizeof name, "/proc/%d/cwd", (int)getpid());
  say("readlink", readlink(name, target, sizeof target) > 0);
  say("readlink by number", syscall(SYS_readlink, name, target, sizeof target) > 0 &&
                                syscall(SYS_readlinkat, AT_FDCWD, name, target, sizeof target) > 0);
}

/* The program, and not what runs it. */
static void program(void) {
  char name[100], text[4000] = "", again[4000] = "";
  struct stat about, link;
  ssize_t bytes = readlink("/proc/self/exe", text, sizeof text - 1);
  int file;
  printf("%d: program %zd %s\n", my_number(), bytes, text);
  say("cut off", readlink("/proc/self/exe", again, 3) == 3 && memcmp(text, again, 3) == 0 && again[3] == 0);
  say("no room", readlink("/proc/self/exe", again, 0) == -1 && errno == EINVAL);
  snprintf(name, sizeof name, "/proc/%d/exe", (int)getpid());
  memset(again, 0, sizeof again);
  say("by number", readlink(name, again, sizeof again) == bytes && strcmp(text, again) == 0);
  memset(again, 0, sizeof again);
  say("readlinkat", readlinkat(AT_FDCWD, name, again, sizeof again) == bytes && strcmp(text, again) == 0);
  memset(again, 0, sizeof again);
  say("by syscall", syscall(SYS_readlink, "/proc/thread-self/exe", again, sizeof again) == bytes && strcmp(text, again) == 0);
  say("realpath", realpath("/proc/self/exe", again) == again && strcmp(text, again) == 0);
  say("a link", lstat("/proc/self/exe", &link) == 0 && S_ISLNK(link.st_mode) &&
                    fstatat(AT_FDCWD, name, &link, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(link.st_mode));
  say("the same", stat("/proc/self/exe", &about) == 0 && stat(text, &link) == 0 && about.st_ino == link.st_ino);
  file = open("/proc/self/exe", O_RDONLY);
  say("opened", fstat(file, &link) == 0 && about.st_ino == link.st_ino && close(file) == 0);
  file = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY, 0);
  say("opened by number", fstat(file, &link) == 0 && about.st_ino == link.st_ino && close(file) == 0);
  say("started", strcmp((const char*)getauxval(AT_EXECFN), text) == 0);
}

int main(void) {
  begun = getpid();
  files();
  calls();
  memory();
  folder();
  program();
  return 0;
}
