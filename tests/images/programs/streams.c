/* Streams and walks through folders, opened and closed in every order; the standard ones as programs
 * treat them; files that are open at the end. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <wchar.h>

#include "turns.h"

extern int AMPI_Migrate_to_pe(int rank) __attribute__((weak));

static char path[400], other_path[400], left_path[400];
static int failures;

static int stays(void) { return !AMPI_Migrate_to_pe || AMPI_Migrate_to_pe(1) != 0; }
static int goes(void) { return !AMPI_Migrate_to_pe || AMPI_Migrate_to_pe(0) == 0; }
static void check(int good, const char* what) {
  if (good) return;
  ++failures;
  printf("%d: wrong: %s\n", my_number(), what);
}
static int holds(const char* file, const char* wanted) {
  char text[100] = "";
  const int fd = open(file, O_RDONLY);
  const ssize_t bytes = read(fd, text, sizeof text - 1);
  close(fd);
  return bytes >= 0 && strcmp(text, wanted) == 0;
}

/* A descriptor and its stream, one closed after the other. */
static void close_in_every_order(void) {
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), copy, i;
  FILE* stream = fdopen(file, "w");
  FILE* second;
  check(stays(), "fdopen");
  fputs("first", stream);
  copy = dup(fileno(stream));
  check(fclose(stream) == 0 && stays(), "fclose while a copy is open");
  check(fcntl(file, F_GETFD) == -1 && close(file) == -1 && errno == EBADF, "closed by fclose");
  take_turn();
  check(write(copy, " copy", 5) == 5 && close(copy) == 0, "the copy");
  check(goes() && holds(path, "first copy"), "after the copy");

  /* The number is somebody else's by the time that the stream is closed. */
  if (my_number() % 2 == 0) {
    stream = fopen(path, "w");
    fputs("lost", stream);
    check(close(fileno(stream)) == 0 && stays(), "close under a stream");
    for (i = 0; i < 3; ++i) take_turn();
    check(fflush(stream) == EOF && errno == EBADF, "fflush of it");
    errno = 0;
    check(fclose(stream) == EOF && errno == EBADF, "fclose of it");
    check(holds(path, ""), "what was lost");
  } else {
    take_turn();
    stream = fopen(path, "w");
    for (i = 0; i < 6; ++i) take_turn();
    check(fputs("kept", stream) >= 0 && fclose(stream) == 0 && holds(path, "kept"), "one beside it");
  }
  check(goes(), "after both");

  /* Two streams of one descriptor. */
  file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  stream = fdopen(file, "w");
  second = fdopen(file, "r");
  check(fclose(stream) == 0 && fclose(second) == EOF && errno == EBADF, "the second of two");
  check(goes(), "after two of one");
  check(fdopen(file, "r") == NULL && errno == EBADF, "fdopen of nothing");
  check(fdopen(-1, "r") == NULL && errno == EBADF, "fdopen of -1");
}

static void reopen(void) {
  char* text = NULL;
  wchar_t* wide = NULL;
  size_t bytes = 0, count = 0;
  char room[20] = "in memory", word[20];
  FILE* stream = fopen64(path, "w");
  const int number = fileno(stream);
  fputs("before", stream);
  check(freopen(other_path, "w", stream) == stream && fileno(stream) == number, "freopen");
  fputs("after", stream);
  check(stays(), "freopen pins");
  check(fflush(NULL) == 0 && holds(path, "before") && holds(other_path, "after"), "both files");
  check(freopen("/nowhere/at/all", "r", stream) == NULL && goes(), "freopen that fails");

  stream = tmpfile();
  check(stays() && fputs("x", stream) >= 0 && fclose(stream) == 0 && goes(), "tmpfile");
  stream = fmemopen(room, sizeof room, "r");
  check(stays() && fscanf(stream, "%19s", word) == 1 && strcmp(word, "in") == 0, "fmemopen");
  check(fclose(stream) == 0 && goes(), "after fmemopen");
  stream = open_memstream(&text, &bytes);
  fprintf(stream, "%d", 12345);
  check(stays() && fclose(stream) == 0 && goes() && strcmp(text, "12345") == 0, "open_memstream");
  free(text);
  stream = open_wmemstream(&wide, &count);
  fputws(L"wide", stream);
  check(stays() && fclose(stream) == 0 && goes() && count == 4, "open_wmemstream");
  free(wide);
  stream = setmntent("/proc/self/mounts", "r");
  check(stays() && getmntent(stream) != NULL && endmntent(stream) == 1 && goes(), "setmntent");
  stream = popen("echo from a child", "r");
  check(stays() && fgets(word, sizeof word, stream) && strcmp(word, "from a child\n") == 0, "popen");
  check(pclose(stream) == 0 && goes(), "pclose");
  stream = popen("true", "r");
  close(fileno(stream));
  take_turn();
  check(pclose(stream) == -1 && errno == EBADF && goes(), "pclose of one that is closed");
  stream = popen("exit 3", "r");
  take_turn();
  check(pclose(stream) == 3 << 8 && goes(), "popen after that");
}

static void walk(void) {
  DIR* folder = opendir("/");
  int number = dirfd(folder), i;
  check(stays() && readdir(folder) != NULL, "opendir");
  check(closedir(folder) == 0 && fcntl(number, F_GETFD) == -1 && goes(), "closedir");
  number = open("/", O_RDONLY | O_DIRECTORY);
  folder = fdopendir(number);
  take_turn();
  check(stays() && readdir(folder) != NULL, "fdopendir");
  check(closedir(folder) == 0 && fcntl(number, F_GETFD) == -1 && goes(), "its closedir");
  if (my_number() % 2 == 0) {
    folder = opendir("/");
    close(dirfd(folder));
    for (i = 0; i < 3; ++i) take_turn();
    check(closedir(folder) == -1 && errno == EBADF, "closedir of one that is closed");
  } else {
    take_turn();
    number = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (i = 0; i < 6; ++i) take_turn();
    check(write(number, "good", 4) == 4 && close(number) == 0 && holds(path, "good"),
          "a file beside it");
  }
  check(goes(), "after all folders");
}

/* None of this is to change what others print. */
static void use_standard_streams(void) {
  static char buffer[100];
  FILE* stream = fdopen(AMPI_Migrate_to_pe ? STDOUT_FILENO : dup(STDOUT_FILENO), "w");
  check(fprintf(stream, "%d: on a stream of its own\n", my_number()) > 0, "fdopen of 1");
  check(fclose(stream) == 0 && fcntl(STDOUT_FILENO, F_GETFD) != -1, "fclose of that");
  check(setvbuf(stdout, buffer, _IOFBF, sizeof buffer) == 0, "setvbuf");
  take_turn();
  printf("%d: with a buffer\n", my_number());
  setvbuf(stdout, NULL, _IOLBF, 0);
  setbuf(stderr, NULL);
  setlinebuf(stdout);
  setvbuf(stdin, NULL, _IONBF, 0);
  check(freopen(NULL, "a", stdout) == stdout, "freopen of stdout as it is");
  memset(buffer, 'x', sizeof buffer);
  take_turn();
  printf("%d: without\n", my_number());
  check(goes(), "after the standard ones");
}

static void close_at_end(void) {
  if (fflush(stdout) != 0 || fclose(stdout) != 0 || fclose(stderr) != 0 || fclose(stdin) != 0)
    _exit(3);
}

/* Left open, with text that is not flushed: written by exit, lost by _exit. */
static void leave_some_open(void) {
  FILE* stream = fopen(left_path, "w");
  FILE* reader = popen("cat >/dev/null", "w");
  FILE* mode = fopen(path, "r");
  DIR* folder = opendir("/");
  if (stream == NULL || reader == NULL || mode == NULL || folder == NULL) exit(4);
  fprintf(stream, "left by %d\n", my_number());
  fgetc(mode);
}

int main(void) {
  int i;
  snprintf(path, sizeof path, "%s/file.%d", getenv("TMPDIR"), my_number());
  snprintf(other_path, sizeof path, "%s/other.%d", getenv("TMPDIR"), my_number());
  snprintf(left_path, sizeof path, "%s/left.%d", getenv("TMPDIR"), my_number());
  for (i = 0; i < 3; ++i) take_turn();
  check(goes(), "at first");
  close_in_every_order();
  reopen();
  walk();
  use_standard_streams();
  printf("%d: %d failures\n", my_number(), failures);
  fflush(stdout);
  atexit(close_at_end);
  leave_some_open();
  if (my_number() == 4) syscall(SYS_exit_group, 0);
  if (my_number() % 3 == 1) _exit(0);
  if (my_number() % 3 == 2) fcloseall();
  return 0;
}
