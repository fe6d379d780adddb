// What a tool sees by MPI_T may differ; where there is nothing, it is told so by the same errors.
#include "check.h"

#include <string.h>

int main(int argc, char** argv) {
  int provided, count, index, number = -1, room = 0, level;
  MPI_T_pvar_session session;
  say("not begun: %d", MPI_T_cvar_get_num(&count) == MPI_T_ERR_NOT_INITIALIZED);
  say("begun: %d", MPI_T_init_thread(MPI_THREAD_SINGLE, &provided));
  begin(&argc, &argv);
  MPI_T_init_thread(MPI_THREAD_SINGLE, &provided);
  say("numbers: %d %d %d", MPI_T_cvar_get_num(&count), MPI_T_pvar_get_num(&index),
      MPI_T_category_get_num(&number));
  for (int i = 0; i < count; ++i) {
    char name[256];
    room = sizeof name;
    if (MPI_T_cvar_get_info(i, name, &room, &level, NULL, NULL, NULL, NULL, NULL, NULL) != 0)
      say("control variable %d", i);
  }
  say("names: %d %d %d",
      MPI_T_cvar_get_index("of_nobody", &index) == MPI_T_ERR_INVALID_NAME,
      MPI_T_pvar_get_index("of_nobody", MPI_T_PVAR_CLASS_COUNTER, &index) ==
          MPI_T_ERR_INVALID_NAME,
      MPI_T_category_get_index("of_nobody", &index) == MPI_T_ERR_INVALID_NAME);
  say("beyond: %d %d",
      MPI_T_cvar_get_info(count, NULL, &room, &level, NULL, NULL, NULL, NULL, NULL, NULL) ==
          MPI_T_ERR_INVALID_INDEX,
      MPI_T_category_get_info(number, NULL, &room, NULL, &room, NULL, NULL, NULL) ==
          MPI_T_ERR_INVALID_INDEX);
  say("session: %d", MPI_T_pvar_session_create(&session));
  const int freed = MPI_T_pvar_session_free(&session);
  say("freed: %d %d", freed, session == MPI_T_PVAR_SESSION_NULL);
  MPI_T_finalize();
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Finalize();
  say("ended: %d", MPI_T_finalize());
  say("over: %d", MPI_T_cvar_get_num(&count) == MPI_T_ERR_NOT_INITIALIZED);
  return 0;
}
