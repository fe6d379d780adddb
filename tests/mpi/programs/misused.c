// What programs should not do, and what MPICH says of it: it goes on. A call that is refused at one
// member only, colours below 0, room for more than comes, arguments that do not matter, objects of
// another kind; and functions that MPI_Finalize calls.
#include <string.h>

#include "judge.h"

static const MPI_Info kNoInfo = (MPI_Info)0x1234;
static int v[64], w[64];

static MPI_Comm copy_of(MPI_Comm comm) {
  MPI_Comm made;
  MPI_Comm_dup(comm, &made);
  MPI_Comm_set_errhandler(made, MPI_ERRORS_RETURN);
  return made;
}
// Two halves that know each other.
static MPI_Comm between_halves(MPI_Comm* half) {
  MPI_Comm made;
  MPI_Comm_split(MPI_COMM_WORLD, me / 2, 0, half);
  MPI_Intercomm_create(*half, 0, MPI_COMM_WORLD, me < 2 ? 2 : 0, 7, &made);
  MPI_Comm_set_errhandler(*half, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(made, MPI_ERRORS_RETURN);
  return made;
}

// The others of the same name would get the messages of the refused one in MPICH, others not.
static void refused_at_one(void) {
  MPI_Comm comm = copy_of(MPI_COMM_WORLD);
  const MPI_Datatype at_root = me == 0 ? MPI_DATATYPE_NULL : MPI_INT;
  const MPI_Datatype at_last = me == n - 1 ? MPI_DATATYPE_NULL : MPI_INT;
  int value = me == 0 ? 42 : 0, sum = 0;
  v[0] = me + 100;
  IS(me == 0 ? MPI_ERR_TYPE : MPI_SUCCESS, MPI_Gather(v, 1, MPI_INT, w, 1, at_root, 0, comm));
  IS(MPI_SUCCESS, MPI_Bcast(&value, 1, MPI_INT, 0, comm));
  IS(MPI_SUCCESS, MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, comm));
  expect(value == 42 && sum == n * (n - 1) / 2, "after a refused gather", value);
  IS(me == n - 1 ? MPI_ERR_TYPE : MPI_SUCCESS, MPI_Scatter(v, 1, MPI_INT, w, 1, at_last, 0, comm));
  value = me == 1 ? 43 : 0;
  IS(MPI_SUCCESS, MPI_Bcast(&value, 1, MPI_INT, 1, comm));
  IS(MPI_SUCCESS, MPI_Reduce(&me, &sum, 1, MPI_INT, MPI_SUM, 0, comm));
  IS(MPI_SUCCESS, MPI_Allgather(&me, 1, MPI_INT, w, 1, MPI_INT, comm));
  expect(value == 43 && (me != 0 || sum == n * (n - 1) / 2), "after a refused scatter", value);
  expect(w[1] == 1 && w[n - 1] == n - 1, "an allgather after it", w[1]);
  MPI_Barrier(comm);
  MPI_Comm_free(&comm);
}

static void more_room_than_comes(void) {
  MPI_Comm comm = copy_of(MPI_COMM_WORLD);
  MPI_Datatype gaps;
  int counts[64], room[64], places[64];
  MPI_Type_vector(3, 1, 2, MPI_INT, &gaps);
  MPI_Type_commit(&gaps);
  for (int form = 0; form < 4; ++form) {
    memset(w, -1, sizeof w);
    for (int i = 0; i < 64; ++i) v[i] = 100 * me + i;
    const MPI_Datatype type = form < 2 ? MPI_INT : gaps;
    const int most = form < 2 ? 3 : 1;
    for (int i = 0; i < n; ++i) counts[i] = 1, room[i] = most, places[i] = form < 2 ? 3 * i : i;
    if (form % 2 == 0) {
      IS(MPI_SUCCESS, MPI_Gatherv(v, 1, MPI_INT, w, room, places, type, 0, comm));
    } else {
      IS(MPI_SUCCESS, MPI_Scatterv(v, counts, places, MPI_INT, w, most, type, 0, comm));
    }
    for (int i = 0; i < 20; ++i) {
      const int block = form < 2 ? 3 : 5, from = i / block;  // ints from one part to the next
      const int gathered = me == 0 && i % block == 0 && from < n ? 100 * from : -1;
      const int scattered = i == 0 ? (form < 2 ? 3 * me : me) : -1;
      expect(w[i] == (form % 2 == 0 ? gathered : scattered), "room for more than comes", form * 1000 + i);
    }
  }
  MPI_Type_free(&gaps);
  MPI_Comm_free(&comm);
}

static void colours(void) {
  MPI_Comm made;
  int size;
  for (int i = 0; i < 3; ++i) {
    IS(MPI_SUCCESS, MPI_Comm_split(MPI_COMM_WORLD, i == 0 ? -5 : i == 1 ? -1 - me % 2 : MPI_UNDEFINED, 0, &made));
    expect((made == MPI_COMM_NULL) == (i == 2), "a colour", i);
    if (made == MPI_COMM_NULL) continue;
    MPI_Comm_size(made, &size);
    expect(size == (i == 0 ? n : n / 2), "members of a colour", size);
    MPI_Comm_free(&made);
  }
  int dimensions[1] = {7};
  IS(MPI_SUCCESS, MPI_Dims_create(4, 0, dimensions));
  expect(dimensions[0] == 7, "no dimensions", dimensions[0]);
}

static void intercommunicators(void) {
  MPI_Comm half, made;
  MPI_Comm inter = between_halves(&half);
  MPI_Group group;
  int one[1] = {1}, none[1] = {0};
  const int root = me == 0 ? MPI_ROOT : me == 1 ? MPI_PROC_NULL : 0;
  const int matters = me != 1;
  const MPI_Datatype type = matters ? MPI_INT : MPI_DATATYPE_NULL;
  v[0] = me + 1;
  // What a member says that has no part does not matter.
  IS(MPI_SUCCESS, MPI_Reduce(v, w, 1, type, matters ? MPI_SUM : MPI_OP_NULL, root, inter));
  expect(me != 0 || w[0] == n * (n + 1) / 2 - 3, "a reduction of the other group", w[0]);
  IS(MPI_SUCCESS, MPI_Reduce(v, me == 0 ? w : NULL, 1, type, MPI_SUM, root, inter));
  IS(MPI_SUCCESS, MPI_Bcast(v, matters, type, root, inter));
  IS(MPI_ERR_BUFFER, MPI_Allreduce(MPI_IN_PLACE, v, 1, MPI_INT, MPI_SUM, inter));
  IS(MPI_ERR_BUFFER, MPI_Allgather(MPI_IN_PLACE, 1, MPI_INT, w, 1, MPI_INT, inter));
  const int ones[2] = {1, 1}, places[2] = {0, 1};
  IS(MPI_ERR_BUFFER, MPI_Allgatherv(MPI_IN_PLACE, 1, MPI_INT, w, ones, places, MPI_INT, inter));
  IS(MPI_ERR_BUFFER, MPI_Alltoall(MPI_IN_PLACE, 1, MPI_INT, w, 1, MPI_INT, inter));
  // What is not for them.
  MPI_Comm_group(inter, &group);
  IS(MPI_ERR_COMM, MPI_Cart_create(inter, 1, one, none, 0, &made));
  IS(MPI_ERR_COMM, MPI_Graph_create(inter, 1, none, none, 0, &made));
  IS(MPI_ERR_COMM, MPI_Dist_graph_create(inter, 0, none, none, none, MPI_UNWEIGHTED, MPI_INFO_NULL, 0, &made));
  IS(MPI_ERR_COMM,
     MPI_Dist_graph_create_adjacent(inter, 0, none, MPI_UNWEIGHTED, 0, none, MPI_UNWEIGHTED, MPI_INFO_NULL, 0, &made));
  IS(MPI_ERR_COMM, MPI_Comm_create_group(inter, group, 0, &made));
  IS(MPI_ERR_COMM, MPI_Intercomm_create(inter, 0, MPI_COMM_WORLD, me < 2 ? 2 : 0, 8, &made));
  MPI_Group_free(&group);
  MPI_Comm_free(&inter);
  MPI_Comm_free(&half);
}

static void infos(void) {
  MPI_Comm comm = copy_of(MPI_COMM_WORLD), made;
  MPI_Session session;
  MPI_Info copy;
  MPI_Request r;
  void* block;
  IS(MPI_SUCCESS, MPI_Comm_set_info(comm, MPI_INFO_ENV));
  IS(MPI_ERR_INFO, MPI_Comm_set_info(comm, kNoInfo));
  IS(MPI_SUCCESS, MPI_Comm_dup_with_info(comm, MPI_INFO_ENV, &made));
  MPI_Comm_free(&made);
  made = MPI_COMM_SELF;
  IS(MPI_ERR_INFO, MPI_Comm_dup_with_info(comm, kNoInfo, &made));
  expect(made == MPI_COMM_SELF, "nothing is made", made);
  IS(MPI_ERR_INFO, MPI_Comm_idup_with_info(comm, kNoInfo, &made, &r));
  IS(MPI_ERR_INFO, MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, kNoInfo, &made));
  IS(MPI_SUCCESS, MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_ENV, &made));
  MPI_Comm_free(&made);
  IS(MPI_ERR_INFO, MPI_Session_init(kNoInfo, MPI_ERRORS_RETURN, &session));
  IS(MPI_SUCCESS, MPI_Session_init(MPI_INFO_ENV, MPI_ERRORS_RETURN, &session));
  IS(MPI_ERR_INFO, MPI_Session_get_num_psets(session, kNoInfo, v));
  IS(MPI_SUCCESS, MPI_Session_finalize(&session));
  IS(MPI_ERR_INFO, MPI_Alloc_mem(8, kNoInfo, &block));
  IS(MPI_ERR_INFO, MPI_Bcast_init(v, 1, MPI_INT, 0, comm, kNoInfo, &r));
  IS(MPI_ERR_INFO, MPI_Psend_init(v, 1, 1, MPI_INT, MPI_PROC_NULL, 0, comm, kNoInfo, &r));
  IS(MPI_ERR_INFO, MPI_Dist_graph_create_adjacent(comm, 0, v, MPI_UNWEIGHTED, 0, v, MPI_UNWEIGHTED, kNoInfo, 0, &made));
  IS(MPI_SUCCESS, MPI_Info_dup(MPI_INFO_ENV, &copy));
  MPI_Info_free(&copy);
  MPI_Comm_free(&comm);
}

static void long_text(void) {
  static char text[5000], got[5000];
  int code, length = -1;
  memset(text, 'x', sizeof text - 1);
  MPI_Add_error_class(&code);
  IS(MPI_SUCCESS, MPI_Add_error_string(code, text));
  IS(MPI_SUCCESS, MPI_Error_string(code, got, &length));
  expect(length == MPI_MAX_ERROR_STRING - 1 && (int)strlen(got) == length, "a long text", length);
}

static int goes(MPI_Comm comm, int key, void* value, void* extra) {
  static int last = 4;  // those of MPI_COMM_SELF go first, and the last that was set before others
  (void)key, (void)extra;
  expect(*(int*)value == last-- && comm == (last < 2 ? MPI_COMM_WORLD : MPI_COMM_SELF), "what goes", *(int*)value);
  if (last == 0) say("end: %d wrong", wrong);
  return MPI_SUCCESS;
}
static void at_the_end(void) {
  static int numbers[4] = {1, 2, 3, 4};
  int keys[2];
  for (int i = 0; i < 2; ++i) MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, goes, &keys[i], NULL);
  for (int i = 0; i < 2; ++i) MPI_Comm_set_attr(MPI_COMM_WORLD, keys[i], &numbers[i]);
  for (int i = 0; i < 2; ++i) MPI_Comm_set_attr(MPI_COMM_SELF, keys[i], &numbers[2 + i]);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  more_room_than_comes();
  colours();
  intercommunicators();
  infos();
  long_text();
  refused_at_one();  // last: in MPICH what is left of it comes to communicators that are made later
  at_the_end();
  MPI_Finalize();
  return 0;
}
