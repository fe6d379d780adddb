/* What a program knows of itself before MPI_Init: what launchers say in the environment; and addresses of
 * functions that it does not call. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

#include "check.h"

/* Not there, or that number: who starts programs otherwise does not say it. */
static int says(const char* text, int number) { return text == NULL || atoi(text) == number; }

int main(int argc, char** argv) {
  static const char* const names[] = {"MPI_Comm_spawn", "MPI_Open_port", "MPI_Comm_spawn_multiple",
                                      "MPI_Unpublish_name"};
  const char *rank = getenv("PMI_RANK"), *size = getenv("PMI_SIZE");
  const char *local = getenv("MPI_LOCALRANKID"), *locals = getenv("MPI_LOCALNRANKS");
  char kept[30], ids[100];
  FILE* shell;
  int i, j;
  snprintf(kept, sizeof kept, "%s", rank == NULL ? "none" : rank);
  begin(&argc, &argv);
  say("rank %d, size %d", says(rank, me), says(size, n));
  say("kept %d", strcmp(kept, "none") == 0 || says(kept, me));
  say("local %d", local == NULL || locals == NULL ||
                      (atoi(local) >= 0 && atoi(local) < atoi(locals) && atoi(locals) <= n));
  shell = popen("echo $PMI_RANK $PMI_SIZE", "r");
  ids[0] = 0;
  if (fgets(ids, sizeof ids, shell) != NULL) sscanf(ids, "%d %d", &i, &j);
  say("of a program %d", rank == NULL || (i == me && j == n));
  pclose(shell);
  for (i = 0; i < 4; ++i) {
    /* Rank 0 asks first, and moves on, if ranks do. */
    if (me == 0) say("%s: %d", names[i], dlsym(RTLD_DEFAULT, names[i]) != NULL);
    MPI_Barrier(MPI_COMM_WORLD);
    for (j = 0; j <= i; ++j) say("%s: %d", names[j], dlsym(RTLD_DEFAULT, names[j]) != NULL);
    MPI_Barrier(MPI_COMM_WORLD);
  }
  MPI_Finalize();
  return 0;
}
