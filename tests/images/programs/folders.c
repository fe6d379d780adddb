/* Each goes to folders of its own, and makes files there with a mask of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "turns.h"

static int failures, seen;
static void check(int good, const char* what) {
  if (good) return;
  ++failures;
  printf("%d: wrong: %s (errno %d)\n", my_number(), what, errno);
}
static int note(const char* path, const struct stat* about, int kind, struct FTW* where) {
  (void)about, (void)kind, (void)where;
  seen += strstr(path, "file") != NULL;
  return 0;
}

static void work_in(const char* folder, mode_t mask) {
  char here[PATH_MAX], name[40], line[PATH_MAX], *paths[] = {(char*)".", NULL};
  struct stat about;
  FILE* stream;
  FTS* walk;
  FTSENT* entry;
  int i, file;
  for (i = 0; i < 10; ++i) {
    take_turn();
    check(getcwd(here, sizeof here) && strcmp(here, folder) == 0, "getcwd");
    snprintf(name, sizeof name, "file.%d", i);
    file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    check(file >= 0 && close(file) == 0, "open");
    take_turn();
    check(stat(name, &about) == 0 && (about.st_mode & 0777) == (0666 & ~mask), "mode");
  }
  stream = popen("pwd; umask", "r");
  check(fgets(line, sizeof line, stream) && strncmp(line, folder, strlen(folder)) == 0, "pwd");
  check(fgets(line, sizeof line, stream) && strtol(line, NULL, 8) == (long)mask, "umask of a child");
  pclose(stream);
  walk = fts_open(paths, FTS_PHYSICAL, NULL);
  while ((entry = fts_read(walk)) != NULL) {
    take_turn();
    if (entry->fts_info == FTS_F) seen += access(entry->fts_accpath, W_OK) == 0;
  }
  fts_close(walk);
  nftw(".", note, 10, FTW_PHYS);
  for (i = 0; i < 10; ++i) {
    take_turn();
    snprintf(name, sizeof name, "file.%d", i);
    check(unlink(name) == 0, "unlink");
  }
}

int main(void) {
  char start[PATH_MAX], top[PATH_MAX], folder[PATH_MAX + 100], here[PATH_MAX];
  const int me = my_number();
  const mode_t mask = (mode_t)(me % 4 == 0 ? 022 : me % 4 == 1 ? 077 : me % 4 == 2 ? 0 : 027);
  const mode_t first = umask(022);
  int i, back;
  if (getcwd(start, sizeof start) == NULL || realpath(getenv("TMPDIR"), top) == NULL) return 1;
  check(umask(first) == 022, "umask at first");
  check(chdir(start) == 0 && chdir(".") == 0, "chdir to where it is");
  check(chdir("/nowhere/at/all") == -1 && errno == ENOENT, "chdir to nowhere");
  for (i = 0; i < 5; ++i) take_turn();
  check(getcwd(here, sizeof here) && strcmp(here, start) == 0, "getcwd at first");

  snprintf(folder, sizeof folder, "%s/folder.%d", top, me);
  check(mkdir(folder, 0700) == 0 || errno == EEXIST, "mkdir");
  check(me % 2 == 0 ? chdir(folder) == 0 : syscall(SYS_chdir, folder) == 0, "chdir");
  umask(mask);
  work_in(folder, mask);

  strcat(folder, "/below");
  check(mkdir("below", 0700) == 0 || errno == EEXIST, "mkdir from there");
  back = open(".", O_RDONLY | O_DIRECTORY);
  check(chdir("below") == 0, "chdir from there");
  take_turn();
  check(rmdir(folder) == 0, "rmdir of where it is");
  take_turn();
  check(getcwd(here, sizeof here) == NULL && errno == ENOENT, "getcwd of nowhere");
  check(fchdir(back) == 0 && close(back) == 0, "fchdir");
  *strrchr(folder, '/') = '\0';
  check(umask(first) == mask, "umask");
  for (i = 0; i < 5; ++i) take_turn();
  check(getcwd(here, sizeof here) && strcmp(here, folder) == 0, "getcwd at last");
  if (me % 3 == 0) check(chdir(start) == 0, "chdir back");
  for (i = 0; i < 5; ++i) take_turn();
  printf("%d: saw %d files, %d failures\n", me, seen, failures);
  return failures != 0;
}
