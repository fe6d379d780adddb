// Levels of thread support that are asked for and granted.
#include "check.h"

#include <string.h>

static void session_of(const char* level) {
  MPI_Session session;
  MPI_Info asked, got;
  char value[32] = "";
  int flag = 0;
  MPI_Info_create(&asked);
  MPI_Info_set(asked, "thread_level", level);
  MPI_Session_init(asked, MPI_ERRORS_RETURN, &session);
  MPI_Session_get_info(session, &got);
  MPI_Info_get(got, "thread_level", sizeof value - 1, value, &flag);
  say("a session of %s: %s", level, flag ? value : "nothing is said");
  MPI_Info_free(&asked);
  MPI_Info_free(&got);
  MPI_Session_finalize(&session);
}

int main(int argc, char** argv) {
  int provided, level, is_main;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  MPI_Comm_size(MPI_COMM_WORLD, &n);
  MPI_Query_thread(&level);
  MPI_Is_thread_main(&is_main);
  say("%d of %d, %d, %d", provided, MPI_THREAD_MULTIPLE, level, is_main);
  session_of("MPI_THREAD_MULTIPLE");
  int sum = 0;
  MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  say("%d", sum);
  MPI_Finalize();
  return 0;
}
