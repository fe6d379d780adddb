// Sessions without MPI_Init, before and after it; communicators of groups alone; infos and error
// handlers at any time; kinds of split.
#include "check.h"

#include <string.h>

static int roam;  // it runs as virtual ranks

static void told(MPI_Session* session, int* code, ...) {
  int class;
  (void)session;
  MPI_Error_class(*code, &class);
  say("told of an error: %d", class == MPI_ERR_ARG);
}

static void ask(MPI_Session session) {
  int count, room, flag;
  char name[64], value[16];
  MPI_Info info;
  MPI_Group group;
  MPI_Session_get_num_psets(session, MPI_INFO_NULL, &count);
  for (int i = 0; i < 2; ++i) {
    int size, rank;
    room = 0;
    MPI_Session_get_nth_pset(session, MPI_INFO_NULL, i, &room, NULL);
    const int needed = room;
    MPI_Session_get_nth_pset(session, MPI_INFO_NULL, i, &room, name);
    MPI_Session_get_pset_info(session, name, &info);
    MPI_Info_get(info, "mpi_size", sizeof value - 1, value, &flag);
    MPI_Info_free(&info);
    MPI_Group_from_session_pset(session, name, &group);
    MPI_Group_size(group, &size);
    MPI_Group_rank(group, &rank);
    MPI_Group_free(&group);
    say("set %s of %d bytes: %s; %d %d", name, needed, value, size, i == 0 ? rank == me : rank);
  }
  say("at least two sets: %d", count >= 2);
}

static void talk(MPI_Session session, const char* string) {
  int sum = 0, rank;
  MPI_Group all, odd_ones;
  MPI_Comm comm, part;
  MPI_Group_from_session_pset(session, "mpi://world", &all);
  MPI_Comm_create_from_group(all, string, MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm);
  MPI_Comm_rank(comm, &me);
  MPI_Comm_size(comm, &n);
  MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, comm);
  // Those of one parity, at once, in another order.
  int ranks[64], count = 0;
  for (int i = n - 1; i >= 0; --i) {
    if (i % 2 == me % 2) ranks[count++] = i;
  }
  MPI_Group_incl(all, count, ranks, &odd_ones);
  MPI_Comm_create_from_group(odd_ones, string, MPI_INFO_NULL, MPI_ERRORS_RETURN, &part);
  MPI_Comm_rank(part, &rank);
  int mine = me * 10, whole;
  MPI_Reduce(&mine, &whole, 1, MPI_INT, MPI_SUM, 0, part);
  say("%s: %d; %d %d", string, sum, rank, rank == 0 ? whole : 0);
  if (n > 1) {
    MPI_Comm inter;
    MPI_Group theirs;
    int local, remote, got = -1, root;
    MPI_Group_difference(all, odd_ones, &theirs);
    MPI_Intercomm_create_from_groups(odd_ones, 0, theirs, n - count - 1, "org.example.between", MPI_INFO_NULL,
                                     MPI_ERRORS_RETURN, &inter);
    MPI_Comm_size(inter, &local);
    MPI_Comm_remote_size(inter, &remote);
    root = me % 2 == 0 ? (rank == 0 ? MPI_ROOT : MPI_PROC_NULL) : 0;
    if (root == MPI_ROOT) got = 77;
    MPI_Bcast(&got, 1, MPI_INT, root, inter);
    say("between: %d %d %d", local, remote, me % 2 == 0 ? 0 : got);
    MPI_Comm_free(&inter);
    MPI_Group_free(&theirs);
  }
  MPI_Comm_free(&part);
  MPI_Comm_disconnect(&comm);
  say("freed: %d %d", part == MPI_COMM_NULL, comm == MPI_COMM_NULL);
  MPI_Group_free(&all);
  MPI_Group_free(&odd_ones);
}

static void splits(void) {
  MPI_Comm made;
  MPI_Info info;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &made);
  say("shared: %d", made != MPI_COMM_NULL);
  MPI_Comm_free(&made);
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_HW_GUIDED, 0, MPI_INFO_NULL, &made);
  say("guided by nothing: %d", made == MPI_COMM_NULL);
  MPI_Info_create(&info);
  MPI_Info_set(info, "another_key", "another value");
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_HW_GUIDED, 0, info, &made);
  say("by another key: %d", made == MPI_COMM_NULL);
  MPI_Info_free(&info);
  MPI_Comm_split_type(MPI_COMM_WORLD, me == 0 ? MPI_UNDEFINED : MPI_COMM_TYPE_SHARED, 0,
                      MPI_INFO_NULL, &made);
  say("some: %d", made != MPI_COMM_NULL);
  if (made != MPI_COMM_NULL) MPI_Comm_free(&made);
  MPI_Comm_get_parent(&made);
  say("parent: %d", made != MPI_COMM_NULL);
}

int main(int argc, char** argv) {
  MPI_Session session, other;
  MPI_Errhandler handler;
  MPI_Info info, environment;
  MPI_Group group;
  char value[32], version[MPI_MAX_LIBRARY_VERSION_STRING];
  int flag, length;

  MPI_Get_library_version(version, &length);
  roam = strncmp(version, "Roam", 4) == 0;
  MPI_Info_create(&info);
  MPI_Info_set(info, "colour", "green");
  MPI_Info_get(info, "colour", 31, value, &flag);
  MPI_Info_create_env(argc, argv, &environment);
  MPI_Session_init(info, MPI_ERRORS_RETURN, &session);
  MPI_Session_create_errhandler(told, &handler);
  talk(session, "org.example.first");
  say("before MPI_Init: %s %d", value, flag);
  ask(session);
  // MPICH 4.0 itself asks no error handler of the session.
  if (roam && MPI_Group_from_session_pset(session, "mpi://nobody", &group) == MPI_SUCCESS)
    say("an unknown set");
  MPI_Session_set_errhandler(session, handler);
  MPI_Errhandler_free(&handler);
  MPI_Session_call_errhandler(session, MPI_ERR_ARG);

  begin(&argc, &argv);
  splits();
  MPI_Session_init(MPI_INFO_NULL, MPI_ERRORS_ARE_FATAL, &other);
  talk(other, "org.example.second");
  MPI_Session_finalize(&other);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Finalize();

  talk(session, "org.example.third");
  MPI_Session_finalize(&session);
  MPI_Error_class(MPI_ERR_SESSION, &length);
  say("ended: %d, class %d", session == MPI_SESSION_NULL, length == MPI_ERR_SESSION);
  MPI_Info_free(&info);
  MPI_Info_free(&environment);
  return 0;
}
