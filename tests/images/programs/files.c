/* Descriptors that are open over turns, closed before others, and left open at the end. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "turns.h"

extern int AMPI_Migrate_to_pe(int rank) __attribute__((weak));

int main(void) {
  char path[400], text[100] = "", back[100];
  int pair[2], i, file, copy, refused = 1, moved = 1;
  snprintf(path, sizeof path, "%s/file.%d", getenv("TMPDIR"), my_number());
  for (i = 0; i < 5; ++i) take_turn();
  if (AMPI_Migrate_to_pe) AMPI_Migrate_to_pe(0);
  file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || pipe(pair) != 0) return 1;
  copy = dup(file);
  for (i = 0; i < 10; ++i) {
    const int n = snprintf(text, sizeof text, "%d writes %d\n", my_number(), i);
    if (write(i % 2 != 0 ? file : copy, text, (size_t)n) != n || write(pair[1], text, 1) != 1)
      return 2;
    if (AMPI_Migrate_to_pe) refused &= AMPI_Migrate_to_pe(1) != 0;
    take_turn();
  }
  close(pair[0]);
  close(pair[1]);
  close(copy);
  lseek(file, 0, SEEK_SET);
  memset(back, 0, sizeof back);
  for (i = 0; i < 3; ++i) {
    if (read(file, back + strlen(back), 11) != 11) return 3;
    take_turn();
  }
  close(file);
  if (AMPI_Migrate_to_pe) moved = AMPI_Migrate_to_pe(0) == 0;
  take_turn();
  printf("%d: refused while open %d, moved when closed %d, length %d\n", my_number(), refused,
         moved, (int)strlen(back));
  unlink(path);
  fflush(stdout);
  close(STDOUT_FILENO);
  return open("/dev/null", O_RDONLY) < 0;
}
