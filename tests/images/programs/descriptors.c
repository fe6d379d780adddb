/* Every way to get a descriptor and to be rid of it: while one is open its owner stays, afterwards it
 * moves again, and what it has closed is never closed for another one that has the number by then. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "turns.h"

extern int AMPI_Migrate_to_pe(int rank) __attribute__((weak));

static char path[400], template[400], name[100];
static int failures;

/* A process stays for ever, and may go where it is. */
static int stays(void) { return !AMPI_Migrate_to_pe || AMPI_Migrate_to_pe(1) != 0; }
static int goes(void) { return !AMPI_Migrate_to_pe || AMPI_Migrate_to_pe(0) == 0; }

static void check(int good, const char* what) {
  if (good) return;
  ++failures;
  printf("%d: wrong: %s\n", my_number(), what);
}
static int is_open(int fd) { return fcntl(fd, F_GETFD) != -1; }
/* What this system does not allow at all is passed over. */
static void check_one(int fd, const char* what) {
  if (fd < 0) return;
  check(is_open(fd), what);
  check(stays(), what);
  take_turn();
  check(close(fd) == 0, what);
  check(!is_open(fd) && close(fd) == -1 && errno == EBADF, what);
  check(goes(), what);
}
static char* temporary(const char* end) {
  snprintf(template, sizeof template, "%s/XXXXXX%s", getenv("TMPDIR"), end);
  return template;
}
static int made(int fd) {
  if (fd >= 0) unlink(template);
  return fd;
}

static void open_in_every_way(void) {
  volatile int create = O_RDWR | O_CREAT, plain = O_RDONLY;
  sigset_t signals;
  int first, second, file;
  snprintf(path, sizeof path, "%s/file.%d", getenv("TMPDIR"), my_number());
  snprintf(name, sizeof name, "/roam_test.%d.%d", (int)getpid(), my_number());
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  check_one(open(path, create, 0600), "open");
  check_one(open64(path, plain), "open64");
  check_one(openat(AT_FDCWD, path, create, 0600), "openat");
  check_one(openat64(AT_FDCWD, path, plain), "openat64");
  check_one(creat(path, 0600), "creat");
  check_one(creat64(path, 0600), "creat64");
  check_one(made(mkstemp(temporary(""))), "mkstemp");
  check_one(made(mkstemp64(temporary(""))), "mkstemp64");
  check_one(made(mkostemp(temporary(""), O_APPEND)), "mkostemp");
  check_one(made(mkostemp64(temporary(""), O_APPEND)), "mkostemp64");
  check_one(made(mkstemps(temporary(".c"), 2)), "mkstemps");
  check_one(made(mkstemps64(temporary(".c"), 2)), "mkstemps64");
  check_one(made(mkostemps(temporary(".c"), 2, O_APPEND)), "mkostemps");
  check_one(made(mkostemps64(temporary(".c"), 2, O_APPEND)), "mkostemps64");
  check_one(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
  check_one(epoll_create(1), "epoll_create");
  check_one(epoll_create1(0), "epoll_create1");
  check_one(eventfd(0, 0), "eventfd");
  check_one(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create");
  check_one(signalfd(-1, &signals, 0), "signalfd");
  check_one(inotify_init(), "inotify_init");
  check_one(inotify_init1(0), "inotify_init1");
  check_one(memfd_create("name", 0), "memfd_create");
  check_one(shm_open(name, O_RDWR | O_CREAT, 0600), "shm_open");
  shm_unlink(name);
  check_one(mq_open(name, O_RDWR | O_CREAT, 0600, NULL), "mq_open");
  mq_unlink(name);
  check_one(posix_openpt(O_RDWR | O_NOCTTY), "posix_openpt");
  check_one(getpt(), "getpt");
  check_one(pidfd_open(getpid(), 0), "pidfd_open");
  check_one((int)syscall(SYS_memfd_create, "name", 0), "syscall(SYS_memfd_create)");
  check_one((int)syscall(SYS_eventfd2, 0, 0), "syscall(SYS_eventfd2)");
  check_one((int)syscall(SYS_signalfd4, -1, &signals, 8L, 0), "syscall(SYS_signalfd4)");
  check_one((int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY), "syscall(SYS_openat)");
  first = posix_openpt(O_RDWR | O_NOCTTY);
  if (grantpt(first) == 0 && unlockpt(first) == 0)
    check_one(ioctl(first, TIOCGPTPEER, O_RDWR | O_NOCTTY), "ioctl(TIOCGPTPEER)");
  close(first);
  if (openpty(&first, &second, NULL, NULL, NULL) == 0) {
    check_one(second, "openpty's second");
    check(stays(), "openpty's first");
    syscall(SYS_close, first);
  }
  file = open(path, plain);
  check_one(dup(file), "dup beside another one");
  return (void)close(file);
}

static void duplicate_in_every_way(void) {
  const int wanted = 500 + my_number(), file = open(path, O_RDWR | O_CREAT, 0600);
  int copies[6], i;
  copies[0] = dup(file);
  copies[1] = fcntl(file, F_DUPFD, 100);
  copies[2] = fcntl(file, F_DUPFD_CLOEXEC, 100);
  copies[3] = dup2(file, wanted);
  copies[4] = dup3(file, wanted + 50, O_CLOEXEC);
  copies[5] = (int)syscall(SYS_dup, file);
  check(copies[1] >= 100 && copies[2] >= 100, "F_DUPFD's number");
  check(copies[3] == wanted && copies[4] == wanted + 50, "dup2's number");
  check(dup2(copies[0], wanted) == wanted, "dup2 over its own");
  check(dup2(file, file) == file && dup3(file, file, 0) == -1 && errno == EINVAL, "dup2 to itself");
  check(dup2(file, 2000000000) == -1 && errno == EBADF, "dup2 to no number");
  close(file);
  for (i = 0; i < 6; ++i) {
    take_turn();
    check(is_open(copies[i]) && stays(), "copy");
    check(close(copies[i]) == 0, "close of a copy");
  }
  check(goes(), "after copies");
}

static void receive_some(void) {
  union {
    struct cmsghdr head;
    char room[CMSG_SPACE(2 * sizeof(int))];
  } control;
  char byte = 'x';
  struct iovec part = {&byte, 1};
  struct msghdr message = {0};
  int pair[2], sent[2], came[2] = {-1, -1};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  memset(&control, 0, sizeof control);
  control.head.cmsg_level = SOL_SOCKET;
  control.head.cmsg_type = SCM_RIGHTS;
  control.head.cmsg_len = CMSG_LEN(sizeof sent);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || pipe(sent) != 0) exit(2);
  memcpy(CMSG_DATA(&control.head), sent, sizeof sent);
  check(sendmsg(pair[0], &message, 0) == 1, "sendmsg");
  close(sent[0]);
  close(sent[1]);
  memset(&control, 0, sizeof control);
  check(recvmsg(pair[1], &message, 0) == 1, "recvmsg");
  memcpy(came, CMSG_DATA(&control.head), sizeof came);
  close(pair[0]);
  close(pair[1]);
  check(stays() && write(came[1], "y", 1) == 1 && read(came[0], &byte, 1) == 1 && byte == 'y',
        "pipe that was received");
  check(close(came[0]) == 0 && close(came[1]) == 0 && goes(), "close of what was received");
}

/* A lock of a file that all have shuts the others out, and outlasts that they close the file. */
static void lock_some(void) {
  char common[400], number[12], text[12];
  struct flock part = {0};
  const int by_fcntl = my_number() % 3 != 0;
  int file, i, j;
  snprintf(common, sizeof common, "%s/common", getenv("TMPDIR"));
  for (i = 0; i < 5; ++i) {
    file = open(common, O_RDWR | O_CREAT, 0600);
    part.l_type = F_WRLCK;
    check((by_fcntl ? fcntl(file, F_SETLKW, &part) : lockf(file, F_LOCK, 0)) == 0, "lock");
    snprintf(number, sizeof number, "%10d.", my_number() * 10 + i);
    check(pwrite(file, number, 11, 0) == 11, "pwrite");
    for (j = 0; j < 3; ++j) {
      close(open(common, O_RDONLY));
      take_turn();
    }
    check(pread(file, text, 11, 0) == 11 && memcmp(text, number, 11) == 0, "what a lock keeps");
    part.l_type = F_UNLCK;
    check((by_fcntl ? fcntl(file, F_SETLK, &part) : lockf(file, F_ULOCK, 0)) == 0, "unlock");
    take_turn();
    close(file);
  }
  check(goes(), "after locks");
}

/* A program that is started has the files of who starts it, and no others. */
static void start_programs(void) {
  char file_path[400], told[400], text[10] = "", command[1000], *arguments[4];
  extern char** environ;
  FILE* stream;
  pid_t child;
  int file, status = 1, i;
  snprintf(file_path, sizeof file_path, "%s/inherit.%d", getenv("TMPDIR"), my_number());
  snprintf(told, sizeof told, "%s/told.%d", getenv("TMPDIR"), my_number());
  snprintf(command, sizeof command, "ls -l /proc/self/fd | grep -c inherit. >%s", told);
  file = open(file_path, O_RDWR | O_CREAT, 0600);
  for (i = 0; i < 3; ++i) take_turn();
  stream = popen("ls -l /proc/self/fd | grep -c inherit.", "r");
  check(fgets(text, sizeof text, stream) && strcmp(text, "1\n") == 0, "what popen gives on");
  pclose(stream);
  for (i = 0; i < 2; ++i) {
    int answers;
    if (i == 0) {
      check(system(command) == 0, "system");
    } else {
      arguments[0] = (char*)"sh", arguments[1] = (char*)"-c", arguments[2] = command;
      arguments[3] = NULL;
      check(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ) == 0, "posix_spawn");
      check(waitpid(child, &status, 0) == child && status == 0, "its end");
    }
    take_turn();
    answers = open(told, O_RDONLY);
    check(read(answers, text, 2) == 2 && strncmp(text, "1\n", 2) == 0, "what a program has");
    close(answers);
    unlink(told);
  }
  check(fcntl(file, F_GETFD) == 0, "flags of the file");
  for (i = 0; i < 3; ++i) take_turn();
  close(file);
  check(goes(), "after children");
}

/* Many at a time. */
static void close_ranges(void) {
  int i, files[12];
  for (i = 0; i < 12; ++i) files[i] = open(path, O_RDONLY);
  check(close_range(4000000, 3, 0) == -1 && errno == EINVAL, "close_range of nothing");
  check(close_range((unsigned)files[11], (unsigned)files[11], CLOSE_RANGE_CLOEXEC) == 0 &&
            fcntl(files[11], F_GETFD) == FD_CLOEXEC,
        "close_range with CLOSE_RANGE_CLOEXEC");
  check(close_range(3, (unsigned)files[4], 0) == 0 && !is_open(files[0]) && !is_open(files[4]),
        "close_range");
  check(is_open(files[11]) && stays(), "those behind");
  closefrom(3);
  check(!is_open(files[11]) && goes(), "closefrom");
  check(write(STDOUT_FILENO, "", 0) == 0, "the standard ones");
}

/* No number but its own is open. */
static void close_all_others(void) {
  struct stat about;
  int i;
  for (i = 3; i < 300; ++i) {
    check(!is_open(i), "a number that it never had");
    check(close(i) == -1 && errno == EBADF, "close of it");
    check(dup(i) == -1 && errno == EBADF, "dup of it");
    check(dup2(i, 700) == -1 && errno == EBADF, "dup2 of it");
    check(syscall(SYS_dup, i) == -1 && errno == EBADF, "syscall(SYS_dup) of it");
    check(syscall(SYS_write, i, "x", 1L) == -1 && errno == EBADF, "syscall(SYS_write) to it");
    check(fstat(i, &about) == -1 && errno == EBADF, "fstat of it");
    check(fdopen(i, "r") == NULL && errno == EBADF, "fdopen of it");
    check(posix_fallocate(i, 0, 1) == EBADF, "posix_fallocate of it");
    check(!isatty(i) && errno == EBADF, "isatty of it");
  }
}

static void map_some(void) {
  const int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  const int segment = shmget(IPC_PRIVATE, 4096, 0600);
  char* at;
  check(ftruncate(file, 8192) == 0, "ftruncate");
  at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  check(at != MAP_FAILED && stays(), "mapping of a file that is closed");
  strcpy(at, "mapped");
  munmap(at + 4096, 4096);
  check(stays(), "half of it");
  take_turn();
  check(strcmp(at, "mapped") == 0, "what was mapped");
  munmap(at, 4096);
  check(goes(), "after munmap");
  at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(stays(), "mapping of no file");
  at = mremap(at, 4096, 8192, MREMAP_MAYMOVE);
  check(stays(), "mremap");
  munmap(at, 8192);
  check(goes(), "after mremap and munmap");
  at = (char*)syscall(SYS_mmap, NULL, 4096L, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
  check(at != MAP_FAILED && stays(), "syscall(SYS_mmap)");
  check(syscall(SYS_munmap, at, 4096L) == 0 && goes(), "syscall(SYS_munmap)");
  at = shmat(segment, NULL, 0);
  if (at != (char*)-1) check(stays() && shmdt(at) == 0 && goes(), "shmat");
  shmctl(segment, IPC_RMID, NULL);
}

/* The odd ones end when the even ones have opened files of numbers that those had. */
static void outlive(void) {
  char text[20] = "";
  int file, i;
  for (i = 0; i < 3; ++i) {
    FILE* stream = fdopen(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), "w+");
    fprintf(stream, "%d", my_number());
    fclose(stream);
  }
  take_turn();
  if (my_number() % 2 != 0) {
    for (i = 0; i < 4; ++i) take_turn();
    return;
  }
  file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  for (i = 0; i < 20; ++i) take_turn();
  check(write(file, "alive", 5) == 5 && lseek(file, 0, SEEK_SET) == 0 && read(file, text, 9) == 5 &&
            strcmp(text, "alive") == 0,
        "a file that others outlived");
}

/* Closed by a system call of its own, which nobody sees: it stays for ever. */
static void close_unseen(void) {
  int file, i;
  long result;
  take_turn();
  if (my_number() % 2 == 0) {
    file = open(path, O_RDONLY | O_CREAT, 0600);
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((long)SYS_close), "D"((long)file)
                     : "rcx", "r11", "memory");
    check(result == 0, "close");
    for (i = 0; i < 4; ++i) take_turn();
    check(close(file) == -1 && errno == EBADF, "close of what is closed");
  } else {
    take_turn();
    file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (i = 0; i < 8; ++i) take_turn();
    check(write(file, "x", 1) == 1 && close(file) == 0, "a file beside it");
  }
}

int main(void) {
  int i;
  for (i = 0; i < 3; ++i) take_turn();
  check(goes(), "at first");
  closefrom(3); /* what a process was given */
  close_all_others();
  open_in_every_way();
  duplicate_in_every_way();
  receive_some();
  lock_some();
  start_programs();
  close_ranges();
  map_some();
  close_all_others();
  close_unseen();
  outlive();
  printf("%d: %d failures\n", my_number(), failures);
  unlink(path);
  return failures != 0;
}
