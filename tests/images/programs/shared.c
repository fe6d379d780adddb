/* What a virtual rank must not do to descriptors, streams and folders that it shares with others: it is
 * told so, and all go on. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utmp.h>

#include "turns.h"

static int walk(const char* path, const struct stat* about, int kind, struct FTW* where) {
  (void)path, (void)about, (void)kind, (void)where;
  return 0;
}

static int fails_with(int result, int error) { return result == -1 && errno == error; }

/* 0: as it should be. */
static int do_what(const char* what) {
  char path[400], text[20] = "";
  int file, i;
  snprintf(path, sizeof path, "%s/file.%d", getenv("TMPDIR"), my_number());
  file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (strcmp(what, "freopen") == 0)
    return freopen(path, "w", stdout) != NULL || errno != ENOSYS;
  if (strcmp(what, "dup2") == 0) return !fails_with(dup2(file, STDOUT_FILENO), ENOSYS);
  if (strcmp(what, "login_tty") == 0) return !fails_with(login_tty(file), ENOSYS);
  if (strcmp(what, "program") == 0) {
    char* none[] = {NULL};
    return !fails_with((int)syscall(SYS_execve, "/bin/true", none, none), ENOSYS) ||
           !fails_with((int)syscall(SYS_fork), ENOSYS);
  }
  if (strcmp(what, "assigned") == 0) {
    FILE* other = fopen(path, "w");
    stdout = other;
    for (i = 0; i < 3; ++i) take_turn();
    return other == NULL || fclose(other) != 0;
  }
  if (strcmp(what, "closed") == 0) {
    if (close(STDOUT_FILENO) != 0) return 1;
    return open(path, O_RDWR) <= STDERR_FILENO;
  }
  if (strcmp(what, "closed0") == 0) {
    /* Nothing is opened in its place. */
    if (close(STDOUT_FILENO) != 0) return 1;
    return fcntl(file, F_DUPFD, 10) < 10;
  }
  if (strcmp(what, "break") == 0) {
    char* end = sbrk(0);
    if (end == (char*)-1 || brk(end) != 0 || (char*)syscall(SYS_brk, 0) != end) return 1;
    if (sbrk(4096) != (void*)-1 || errno != ENOMEM) return 1;
    return !fails_with(brk(end + 4096), ENOMEM) || (char*)syscall(SYS_brk, end + 4096) != end;
  }
  if (strcmp(what, "chroot") == 0) return !fails_with(chroot("/"), ENOSYS);
  if (strcmp(what, "nftw") == 0) return !fails_with(nftw("/", walk, 5, FTW_CHDIR), ENOSYS);
  if (strcmp(what, "number") == 0) {
    /* The first one has it, until its end. */
    const int have = dup2(file, 600) == 600;
    if (!have && errno != EBADF) return 1;
    for (i = 0; i < 5; ++i) take_turn();
    if (have) {
      printf("has the number\n");
      return write(600, "mine", 4) != 4 || pread(file, text, 9, 0) != 4 || strcmp(text, "mine") != 0;
    }
    return !fails_with(close(600), EBADF);
  }
  if (strcmp(what, "foreign") == 0) {
    int wrong = 0;
    for (i = 3; i < 100; ++i) {
      if (i == file) continue;
      wrong |= !fails_with((int)write(i, "x", 1), EBADF) | !fails_with((int)read(i, text, 1), EBADF);
      wrong |= !fails_with(ftruncate(i, 0), EBADF) | !fails_with((int)lseek(i, 0, SEEK_SET), EBADF);
      wrong |= !fails_with((int)sendfile(file, i, NULL, 1), EBADF);
      wrong |= !fails_with(renameat(AT_FDCWD, path, i, "name"), EBADF);
      wrong |= !fails_with(symlinkat(path, i, "name"), EBADF);
      wrong |= mmap(NULL, 1, PROT_READ, MAP_SHARED, i, 0) != MAP_FAILED;
      wrong |= !fails_with(dprintf(i, "%d %f", i, 1.5), EBADF);
    }
    return wrong;
  }
  if (strcmp(what, "standard") == 0) {
    /* Also if the job was started without any. */
    if (file <= STDERR_FILENO || read(STDIN_FILENO, text, 1) != 0) return 1;
    return write(STDERR_FILENO, "", 0) != 0;
  }
  if (strcmp(what, "folder") == 0) {
    /* Where nobody can go any more. */
    close(file);
    snprintf(path, sizeof path, "%s/folder.%d", getenv("TMPDIR"), my_number());
    if (mkdir(path, 0700) != 0 || chdir(path) != 0 || rmdir(path) != 0) return 1;
    for (i = 0; i < 5; ++i) take_turn();
    return 0;
  }
  return 1;
}

int main(int argc, char** argv) {
  int result, i;
  for (i = 0; i < 3; ++i) take_turn();
  result = argc > 1 ? do_what(argv[1]) : 1;
  for (i = 0; i < 3; ++i) take_turn();
  printf("%s\n", result == 0 ? "goes on" : "wrong");
  return result;
}
