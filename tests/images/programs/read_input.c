/* The standard input without its stream: by its descriptor, and by copies of it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <unistd.h>

#include "turns.h"

/* A launcher gives its input in pieces. */
static int read_whole(int descriptor, char* to, int bytes) {
  int have = 0;
  while (have < bytes) {
    const int more = (int)read(descriptor, to + have, (size_t)(bytes - have));
    if (more <= 0) break;
    have += more;
  }
  return have;
}

int main(void) {
  const int me = my_number();
  char text[4096];
  struct pollfd list[2];
  struct iovec part;
  fd_set wanted;
  int i, got, copy;
  FILE* stream;
  for (i = 0; i < 20; ++i) {
    take_turn();
    memset(list, 0, sizeof list);
    list[0].fd = 0;
    list[0].events = POLLIN;
    list[1].fd = -1;
    got = poll(list, 2, 60000);
    printf("%d: poll %d of %d, readable %d\n", me, got, list[0].fd, !!(list[0].revents & POLLIN));
    take_turn();
    if (me == 0) {
      FD_ZERO(&wanted);
      FD_SET(0, &wanted);
      got = select(1, &wanted, NULL, NULL, NULL);
      printf("%d: select %d %d\n", me, got, !!FD_ISSET(0, &wanted));
      take_turn();
    }
    got = read_whole(STDIN_FILENO, text, 50 + i);
    printf("%d: read %.*s\n", me, got, text);
    take_turn();
    part.iov_base = text;
    part.iov_len = 1;
    got = (int)readv(0, &part, 1);
    printf("%d: readv %d %d, terminal %d\n", me, got, got == 1 ? text[0] : 0, isatty(0));
  }
  take_turn();
  copy = dup(0); /* keeps who has it where it is */
  take_turn();
  got = read_whole(copy, text, 1000);
  printf("%d: of a copy %.*s\n", me, got, text);
  close(copy);
  take_turn();
  copy = fcntl(0, F_DUPFD, 10);
  take_turn();
  got = read_whole(copy, text, 1000);
  printf("%d: of another %.*s\n", me, got, text);
  close(copy);
  take_turn();
  stream = fdopen(dup(0), "r");
  take_turn();
  for (i = 0; fgets(text, sizeof text, stream) != NULL; ++i) printf("%d: line %s", me, text);
  printf("%d: %d lines\n", me, i);
  fclose(stream);
  take_turn();
  printf("%d: at the end %d\n", me, (int)read(0, text, sizeof text));
  return 0;
}
