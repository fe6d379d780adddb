// Handles and statuses as C and as Fortran have them: a library of C that Fortran calls is given
// numbers. They are functions in headers of MPI 4.1, and macros or functions before.
#include "check.h"

// Each kind there and back, and what comes back works.
static void handles(void) {
  MPI_Comm halves;
  MPI_Comm_split(MPI_COMM_WORLD, me % 2, me, &halves);
  const MPI_Comm halves_again = MPI_Comm_f2c(MPI_Comm_c2f(halves));
  int sum = 0, result;
  MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_Op_f2c(MPI_Op_c2f(MPI_SUM)), halves_again);
  MPI_Comm_compare(halves, halves_again, &result);
  say("half %d sum %d same %d", me % 2, sum, result == MPI_IDENT);
  say("world %d null %d", MPI_Comm_f2c(MPI_Comm_c2f(MPI_COMM_WORLD)) == MPI_COMM_WORLD,
      MPI_Comm_f2c(MPI_Comm_c2f(MPI_COMM_NULL)) == MPI_COMM_NULL);

  MPI_Group group;
  MPI_Comm_group(halves, &group);
  int size;
  MPI_Group_size(MPI_Group_f2c(MPI_Group_c2f(group)), &size);
  say("group of %d", size);
  MPI_Group_free(&group);

  MPI_Info info;
  MPI_Info_create(&info);
  MPI_Info_set(MPI_Info_f2c(MPI_Info_c2f(info)), "key", "value");
  char value[20];
  int there;
  MPI_Info_get(info, "key", sizeof value - 1, value, &there);
  say("info %d %s", there, there ? value : "");
  MPI_Info_free(&info);

  say("errhandlers %d %d", MPI_Errhandler_f2c(MPI_Errhandler_c2f(MPI_ERRORS_RETURN)) == MPI_ERRORS_RETURN,
      MPI_Errhandler_f2c(MPI_Errhandler_c2f(MPI_ERRHANDLER_NULL)) == MPI_ERRHANDLER_NULL);
  say("win %d message %d", MPI_Win_f2c(MPI_Win_c2f(MPI_WIN_NULL)) == MPI_WIN_NULL,
      MPI_Message_f2c(MPI_Message_c2f(MPI_MESSAGE_NO_PROC)) == MPI_MESSAGE_NO_PROC);
  MPI_Comm_free(&halves);
}

static void statuses(void) {
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  int out[3] = {me, me + 1, me + 2}, in[5] = {0};
  MPI_Datatype pair;
  MPI_Type_contiguous(3, MPI_INT, &pair);
  MPI_Type_commit(&pair);
  const MPI_Datatype again = MPI_Type_f2c(MPI_Type_c2f(pair));
  MPI_Request request;
  MPI_Irecv(in, 1, again, left, 7, MPI_COMM_WORLD, &request);
  MPI_Send(out, 1, again, right, 7, MPI_COMM_WORLD);
  request = MPI_Request_f2c(MPI_Request_c2f(request));
  MPI_Status status, back;
  MPI_Wait(&request, &status);
  say("got %d %d %d, request null %d", in[0], in[1], in[2],
      MPI_Request_f2c(MPI_Request_c2f(request)) == MPI_REQUEST_NULL);

  MPI_Fint fortran[MPI_F_STATUS_SIZE];
  int count;
  say("c2f %d", MPI_Status_c2f(&status, fortran));
  say("source %d tag %d", fortran[MPI_F_SOURCE], fortran[MPI_F_TAG]);
  fortran[MPI_F_TAG] = 8;
  say("f2c %d", MPI_Status_f2c(fortran, &back));
  MPI_Get_count(&back, MPI_INT, &count);
  say("source %d tag %d count %d", back.MPI_SOURCE, back.MPI_TAG, count);
  MPI_Type_free(&pair);

  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  int class = MPI_SUCCESS;
  MPI_Error_class(MPI_Status_c2f(MPI_STATUS_IGNORE, fortran), &class);
  say("c2f of what is ignored fails: %d", class != MPI_SUCCESS);

#if MPI_VERSION > 4 || (MPI_VERSION == 4 && MPI_SUBVERSION >= 1)
  int source, tag, error;
  MPI_Status_set_source(&back, 11);
  MPI_Status_set_tag(&back, 12);
  MPI_Status_set_error(&back, MPI_ERR_TAG);
  MPI_Status_set_elements_c(&back, MPI_DOUBLE, 6);
  MPI_Status_get_source(&back, &source);
  MPI_Status_get_tag(&back, &tag);
  MPI_Status_get_error(&back, &error);
  MPI_Get_count(&back, MPI_DOUBLE, &count);
  say("set: source %d tag %d error %d count %d", source, tag, error == MPI_ERR_TAG, count);
#endif
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  handles();
  statuses();
  MPI_Finalize();
  return 0;
}
