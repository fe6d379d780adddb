// What a call cannot do with what it is given is an error that a program can handle: negative
// numbers of things, and ones that no memory holds, groups and datatypes that do not belong there.
// The program itself judges which: MPICH checks few of them.
#include <limits.h>

#include "judge.h"

static void fails(int code, int wanted, const char* what) {
  int class;
  MPI_Error_class(code, &class);
  expect(class == wanted, what, class);
}

static void groups(void) {
  MPI_Group all, made = MPI_GROUP_NULL;
  int ranks[2] = {0, 1}, translated[2], ranges[1][3] = {{0, 1, 1}};
  MPI_Comm_group(MPI_COMM_WORLD, &all);
  for (int i = 0; i < 2; ++i) {
    const int count = i == 0 ? -1 : INT_MIN;
    fails(MPI_Group_incl(all, count, ranks, &made), MPI_ERR_ARG, "MPI_Group_incl");
    fails(MPI_Group_excl(all, count, ranks, &made), MPI_ERR_ARG, "MPI_Group_excl");
    fails(MPI_Group_range_incl(all, count, ranges, &made), MPI_ERR_ARG, "MPI_Group_range_incl");
    fails(MPI_Group_range_excl(all, count, ranges, &made), MPI_ERR_ARG, "MPI_Group_range_excl");
    fails(MPI_Group_translate_ranks(all, count, ranks, all, translated), MPI_ERR_ARG, "translate_ranks");
  }
  expect(made == MPI_GROUP_NULL, "no group is made", made);
  MPI_Group_free(&all);
}

static void requests(void) {
  MPI_Request request, none[1] = {MPI_REQUEST_NULL};
  int index, done, taken, indexes[1], value = 0;
  int partitions[1] = {0};
  fails(MPI_Waitall(-1, none, MPI_STATUSES_IGNORE), MPI_ERR_COUNT, "MPI_Waitall");
  fails(MPI_Testall(-1, none, &done, MPI_STATUSES_IGNORE), MPI_ERR_COUNT, "MPI_Testall");
  fails(MPI_Waitany(-1, none, &index, MPI_STATUS_IGNORE), MPI_ERR_COUNT, "MPI_Waitany");
  fails(MPI_Testany(-1, none, &index, &done, MPI_STATUS_IGNORE), MPI_ERR_COUNT, "MPI_Testany");
  fails(MPI_Waitsome(-1, none, &taken, indexes, MPI_STATUSES_IGNORE), MPI_ERR_COUNT, "MPI_Waitsome");
  fails(MPI_Testsome(-1, none, &taken, indexes, MPI_STATUSES_IGNORE), MPI_ERR_COUNT, "MPI_Testsome");
  fails(MPI_Startall(-1, none), MPI_ERR_COUNT, "MPI_Startall");
  MPI_Psend_init(&value, 1, 1, MPI_INT, MPI_PROC_NULL, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request);
  MPI_Start(&request);
  fails(MPI_Pready_list(-1, partitions, request), MPI_ERR_ARG, "MPI_Pready_list");
  MPI_Pready_list(1, partitions, request);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  MPI_Request_free(&request);
  fails(MPI_Psend_init(&value, -1, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request), MPI_ERR_ARG,
        "MPI_Psend_init");
  fails(MPI_Psend_init(&value, 4, (MPI_Count)1 << 62, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request),
        MPI_ERR_COUNT, "MPI_Psend_init of too many");
}

static void types(void) {
  MPI_Datatype made;
  const int one[1] = {1}, minus[1] = {-1}, zero[1] = {0};
  const MPI_Aint places[1] = {0};
  const MPI_Datatype of[1] = {MPI_INT};
  fails(MPI_Type_contiguous(-1, MPI_INT, &made), MPI_ERR_COUNT, "MPI_Type_contiguous");
  fails(MPI_Type_vector(-1, 1, 1, MPI_INT, &made), MPI_ERR_COUNT, "MPI_Type_vector");
  fails(MPI_Type_indexed(-1, one, zero, MPI_INT, &made), MPI_ERR_COUNT, "MPI_Type_indexed");
  fails(MPI_Type_indexed(1, minus, zero, MPI_INT, &made), MPI_ERR_COUNT, "lengths of MPI_Type_indexed");
  fails(MPI_Type_create_hindexed(-1, one, places, MPI_INT, &made), MPI_ERR_COUNT, "hindexed");
  fails(MPI_Type_create_indexed_block(-1, 1, zero, MPI_INT, &made), MPI_ERR_COUNT, "indexed_block");
  fails(MPI_Type_create_struct(-1, one, places, of, &made), MPI_ERR_COUNT, "MPI_Type_create_struct");
  fails(MPI_Type_create_struct(1, minus, places, of, &made), MPI_ERR_COUNT, "lengths of a struct");
  fails(MPI_Type_create_subarray(-1, one, one, zero, MPI_ORDER_C, MPI_INT, &made), MPI_ERR_ARG, "subarray");
}

static void topologies(void) {
  MPI_Comm made;
  int dimensions[2] = {65536, 65536}, periods[2] = {0, 0}, rank, few[2];
  const int index[1] = {0}, edges[1] = {0}, minus[1] = {-1};
  fails(MPI_Dims_create(4, -1, dimensions), MPI_ERR_DIMS, "MPI_Dims_create");
  fails(MPI_Cart_create(MPI_COMM_WORLD, -1, dimensions, periods, 0, &made), MPI_ERR_ARG, "MPI_Cart_create");
  fails(MPI_Cart_create(MPI_COMM_WORLD, 2, dimensions, periods, 0, &made), MPI_ERR_DIMS, "a huge grid");
  fails(MPI_Cart_map(MPI_COMM_WORLD, 2, dimensions, periods, &rank), MPI_ERR_DIMS, "MPI_Cart_map");
  fails(MPI_Graph_create(MPI_COMM_WORLD, -1, index, edges, 0, &made), MPI_ERR_ARG, "MPI_Graph_create");
  fails(MPI_Dist_graph_create(MPI_COMM_WORLD, -1, &me, minus, edges, MPI_UNWEIGHTED, MPI_INFO_NULL, 0, &made),
        MPI_ERR_ARG, "MPI_Dist_graph_create");
  fails(MPI_Dist_graph_create(MPI_COMM_WORLD, 1, &me, minus, edges, MPI_UNWEIGHTED, MPI_INFO_NULL, 0, &made),
        MPI_ERR_ARG, "degrees of MPI_Dist_graph_create");
  fails(MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, -1, edges, MPI_UNWEIGHTED, 0, edges, MPI_UNWEIGHTED,
                                       MPI_INFO_NULL, 0, &made),
        MPI_ERR_ARG, "MPI_Dist_graph_create_adjacent");
  MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 1, &me, MPI_UNWEIGHTED, 1, &me, MPI_UNWEIGHTED, MPI_INFO_NULL,
                                 0, &made);
  MPI_Comm_set_errhandler(made, MPI_ERRORS_RETURN);
  fails(MPI_Dist_graph_neighbors(made, -1, few, MPI_UNWEIGHTED, 1, few, MPI_UNWEIGHTED), MPI_ERR_ARG,
        "MPI_Dist_graph_neighbors");
  MPI_Comm_free(&made);
}

static void buffers(void) {
  MPI_Comm apart;
  MPI_Info info;
  char text[8];
  int values[64], flag, room = -1;
  int counts[64], displacements[64];
  MPI_Datatype all[64];
  for (int i = 0; i < n; ++i) {
    counts[i] = i == 1 ? -1 : 1;
    displacements[i] = 0;
    all[i] = MPI_INT;
  }
  MPI_Comm_dup(MPI_COMM_SELF, &apart);
  MPI_Comm_set_errhandler(apart, MPI_ERRORS_RETURN);
  fails(MPI_Send(values, -1, MPI_INT, 0, 0, apart), MPI_ERR_COUNT, "MPI_Send");
  fails(MPI_Bcast(values, -1, MPI_INT, 0, apart), MPI_ERR_COUNT, "MPI_Bcast");
  fails(MPI_Allreduce(MPI_IN_PLACE, values, -1, MPI_INT, MPI_SUM, apart), MPI_ERR_COUNT, "MPI_Allreduce");
  // All call it, and all are refused: nothing goes.
  fails(MPI_Alltoallw(values, counts, displacements, all, values, counts, displacements, all, MPI_COMM_WORLD),
        MPI_ERR_COUNT, "MPI_Alltoallw");
  fails(MPI_Alltoallv(values, counts, displacements, MPI_INT, values, counts, displacements, MPI_INT,
                      MPI_COMM_WORLD),
        MPI_ERR_COUNT, "MPI_Alltoallv");
  MPI_Datatype second;
  MPI_Type_vector(2, 1, 2, MPI_INT, &second);
  MPI_Type_commit(&second);
  fails(MPI_Send_c(values, (MPI_Count)1 << 58, second, 0, 0, apart), MPI_ERR_NO_MEM, "MPI_Send_c");
  MPI_Type_free(&second);
  fails(MPI_Comm_set_name(apart, NULL), MPI_ERR_ARG, "no name");
  fails(MPI_Buffer_attach(values, -1), MPI_ERR_ARG, "MPI_Buffer_attach");
  MPI_Comm_free(&apart);
  MPI_Info_create(&info);
  MPI_Info_set(info, "key", "a value");
  fails(MPI_Info_get(info, "key", -1, text, &flag), MPI_ERR_ARG, "MPI_Info_get");
  fails(MPI_Info_get_string(info, "key", &room, text, &flag), MPI_ERR_ARG, "MPI_Info_get_string");
  MPI_Info_free(&info);
}

// All members give a group that has others than they are.
static void members(void) {
  MPI_Group all, half;
  MPI_Comm halves, made = MPI_COMM_WORLD;
  int range[1][3] = {{me % 2, n - 2 + me % 2, 2}};
  MPI_Comm_group(MPI_COMM_WORLD, &all);
  MPI_Group_range_incl(all, 1, range, &half);
  MPI_Comm_split(MPI_COMM_WORLD, me % 2, 0, &halves);
  MPI_Comm_set_errhandler(halves, MPI_ERRORS_RETURN);
  fails(MPI_Comm_create(halves, all, &made), MPI_ERR_GROUP, "MPI_Comm_create");
  expect(made == MPI_COMM_NULL, "no communicator is made", made);
  fails(MPI_Comm_create_group(halves, all, 3, &made), MPI_ERR_GROUP, "MPI_Comm_create_group");
  fails(MPI_Comm_create(halves, half, &made), MPI_SUCCESS, "MPI_Comm_create of all");
  MPI_Barrier(made);
  MPI_Comm_free(&made);
  made = MPI_COMM_WORLD;
  fails(MPI_Cart_create(MPI_COMM_WORLD, 1, &(int){n + 1}, &(int){0}, 0, &made), MPI_ERR_ARG, "a grid of more");
  expect(made == MPI_COMM_NULL, "no grid is made", made);
  MPI_Group_free(&all);
  MPI_Group_free(&half);
  MPI_Comm_free(&halves);
}

// Compared are integers, logical values and bytes, no numbers that can be equal and differ.
static void swaps(void) {
  double cell[2] = {0, 0}, value[2] = {1, 1}, compared[2] = {0, 0}, before[2];
  const MPI_Datatype good[] = {MPI_INT, MPI_LONG, MPI_BYTE, MPI_CHAR, MPI_C_BOOL, MPI_LOGICAL, MPI_AINT};
  const MPI_Datatype bad[] = {MPI_FLOAT, MPI_DOUBLE, MPI_DOUBLE_COMPLEX, MPI_2INT};
  MPI_Win window;
  MPI_Win_create(cell, sizeof cell, 1, MPI_INFO_NULL, MPI_COMM_SELF, &window);
  MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN);
  MPI_Win_fence(0, window);
  for (int i = 0; i < 7; ++i)
    fails(MPI_Compare_and_swap(value, compared, before, good[i], 0, 0, window), MPI_SUCCESS, "what is compared");
  for (int i = 0; i < 4; ++i)
    fails(MPI_Compare_and_swap(value, compared, before, bad[i], 0, 0, window), MPI_ERR_TYPE, "what is not compared");
  MPI_Win_fence(0, window);
  MPI_Win_free(&window);
}

// MPICH faults here.
static void null_pointers(void) {
  const int one[1] = {1}, none[1] = {0};
  const MPI_Datatype of[1] = {MPI_INT};
  int ranks[1] = {0}, v[4] = {0}, w[4], position = 0, count;
  MPI_Status* const ignored = MPI_STATUS_IGNORE;
  MPI_Group all, made;
  MPI_Datatype type;
  MPI_Comm apart;
  MPI_Comm_group(MPI_COMM_WORLD, &all);
  MPI_Comm_dup(MPI_COMM_SELF, &apart);
  MPI_Comm_set_errhandler(apart, MPI_ERRORS_RETURN);
  fails(MPI_Group_translate_ranks(all, 1, NULL, all, ranks), MPI_ERR_ARG, "no ranks to translate");
  fails(MPI_Group_incl(all, 1, NULL, &made), MPI_ERR_ARG, "no ranks to include");
  fails(MPI_Group_range_excl(all, 1, NULL, &made), MPI_ERR_ARG, "no ranges");
  fails(MPI_Type_commit(NULL), MPI_ERR_ARG, "nothing to commit");
  fails(MPI_Type_free(NULL), MPI_ERR_ARG, "nothing to free");
  fails(MPI_Type_create_f90_real(6, 30, NULL), MPI_ERR_ARG, "no room for a datatype");
  fails(MPI_Type_create_subarray(1, NULL, one, none, MPI_ORDER_C, MPI_INT, &type), MPI_ERR_ARG, "no sizes");
  fails(MPI_Pack(v, 1, MPI_INT, NULL, 64, &position, apart), MPI_ERR_ARG, "packed to nowhere");
  fails(MPI_Unpack(NULL, 64, &position, v, 1, MPI_INT, apart), MPI_ERR_ARG, "unpacked from nowhere");
  fails(MPI_Get_count(ignored, MPI_INT, &count), MPI_ERR_ARG, "a status that is ignored");
  fails(MPI_Parrived(MPI_REQUEST_NULL, 0, NULL), MPI_ERR_ARG, "no flag");
  fails(MPI_Gatherv(v, 1, MPI_INT, w, NULL, none, MPI_INT, 0, apart), MPI_ERR_ARG, "no counts");
  fails(MPI_Scatterv(v, one, NULL, MPI_INT, w, 1, MPI_INT, 0, apart), MPI_ERR_ARG, "no displacements");
  fails(MPI_Allgatherv(v, 1, MPI_INT, w, NULL, none, MPI_INT, apart), MPI_ERR_ARG, "no counts of all");
  fails(MPI_Alltoallv(v, one, none, MPI_INT, w, one, NULL, MPI_INT, apart), MPI_ERR_ARG, "no places");
  fails(MPI_Alltoallw(v, one, none, of, w, one, none, NULL, apart), MPI_ERR_ARG, "no datatypes");
  fails(MPI_Reduce_scatter(v, w, NULL, MPI_INT, MPI_SUM, apart), MPI_ERR_ARG, "no counts to scatter");
  fails(MPI_Reduce_local(NULL, w, 1, MPI_INT, MPI_SUM), MPI_ERR_BUFFER, "nothing to reduce");
  fails(MPI_Bcast(MPI_IN_PLACE, 1, MPI_INT, 0, apart), MPI_ERR_BUFFER, "MPI_IN_PLACE is no buffer");
  fails(MPI_Send(MPI_IN_PLACE, 1, MPI_INT, MPI_PROC_NULL, 0, apart), MPI_ERR_BUFFER, "nor to be sent");
  fails(MPI_Rsend(MPI_IN_PLACE, 1, MPI_INT, 0, 0, apart), MPI_ERR_BUFFER, "nor to be sent at once");
  fails(MPI_Allreduce(NULL, w, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD), MPI_ERR_BUFFER, "a short reduction of all");
  MPI_File file;
  MPI_Offset offset;
  MPI_Request r;
  MPI_File_open(MPI_COMM_SELF, "/dev/null", MPI_MODE_WRONLY, MPI_INFO_NULL, &file);
  fails(MPI_File_open(MPI_COMM_SELF, "/dev/null", MPI_MODE_WRONLY, MPI_INFO_NULL, NULL), MPI_ERR_ARG, "no file");
  fails(MPI_File_close(NULL), MPI_ERR_ARG, "nothing to close");
  fails(MPI_File_get_amode(file, NULL), MPI_ERR_ARG, "no mode");
  fails(MPI_File_get_position(file, NULL), MPI_ERR_ARG, "no position");
  fails(MPI_File_get_view(file, &offset, NULL, &type, NULL), MPI_ERR_ARG, "no view");
  fails(MPI_File_write(file, NULL, 1, MPI_INT, MPI_STATUS_IGNORE), MPI_ERR_BUFFER, "nothing to write");
  fails(MPI_File_write(file, v, 1, MPI_INT, NULL), MPI_SUCCESS, "no status, as MPICH has it");
  fails(MPI_File_iwrite(file, v, 1, MPI_INT, NULL), MPI_ERR_ARG, "no request");
  MPI_File_iwrite(file, v, 1, MPI_INT, &r);
  MPI_Wait(&r, MPI_STATUS_IGNORE);
  MPI_File_close(&file);
  MPI_Comm_free(&apart);
  MPI_Group_free(&all);
}

// All data at MPI_BOTTOM is where the datatype says.
static void absolute(void) {
  static int from[2], to[2];
  MPI_Aint places[2];
  MPI_Datatype types[2];
  MPI_Request r;
  const int one = 1;
  from[0] = me + 1;
  MPI_Get_address(from, &places[0]);
  MPI_Get_address(to, &places[1]);
  for (int i = 0; i < 2; ++i) {
    MPI_Type_create_hindexed(1, &one, &places[i], MPI_INT, &types[i]);
    MPI_Type_commit(&types[i]);
  }
  MPI_Isend(MPI_BOTTOM, 1, types[0], (me + 1) % n, 1, MPI_COMM_WORLD, &r);
  MPI_Recv(MPI_BOTTOM, 1, types[1], (me + n - 1) % n, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  MPI_Wait(&r, MPI_STATUS_IGNORE);
  expect(to[0] == (me + n - 1) % n + 1, "a message at MPI_BOTTOM", to[0]);
  to[0] = 0;
  fails(MPI_Allgather(MPI_BOTTOM, 1, types[0], MPI_BOTTOM, 1, types[1], MPI_COMM_SELF), MPI_SUCCESS, "two places");
  expect(to[0] == me + 1, "a collective at MPI_BOTTOM", to[0]);
  for (int i = 0; i < 2; ++i) MPI_Type_free(&types[i]);
}

// Who is refused alone, and calls the same again, is with the others; nobody gets data of before.
static void again(void) {
  MPI_Comm comm;
  MPI_Request r;
  const MPI_Datatype at_root = me == 0 ? MPI_DATATYPE_NULL : MPI_INT;
  const MPI_Datatype at_last = me == n - 1 ? MPI_DATATYPE_NULL : MPI_INT;
  MPI_Comm_dup(MPI_COMM_WORLD, &comm);
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  for (int time = 0; time < 3; ++time) {
    int mine = 100 * time + me, in[64] = {0}, sum = 0, later = 0;
    MPI_Gather(&mine, 1, MPI_INT, in, 1, at_root, 0, comm);
    mine += 1000;
    MPI_Gather(&mine, 1, MPI_INT, in, 1, MPI_INT, 0, comm);
    for (int i = 0; me == 0 && i < n; ++i) expect(in[i] == 1000 + 100 * time + i, "gather again", in[i]);
    int out[64];
    for (int i = 0; i < n; ++i) out[i] = mine + i;
    in[0] = -1;
    MPI_Scatter(out, 1, MPI_INT, in, 1, at_last, 0, comm);
    for (int i = 0; i < n; ++i) out[i] += 1000;
    MPI_Iscatter(out, 1, MPI_INT, in, 1, MPI_INT, 0, comm, &r);
    MPI_Wait(&r, MPI_STATUS_IGNORE);
    expect(in[0] == 2000 + 100 * time + me, "scatter again", in[0]);
    MPI_Reduce(&mine, me == 0 ? NULL : &sum, 1, MPI_INT, MPI_SUM, 0, comm);
    MPI_Reduce(&me, &sum, 1, MPI_INT, MPI_SUM, 0, comm);
    expect(me != 0 || sum == n * (n - 1) / 2, "reduce again", sum);
    later = me == 0 ? time : 0;
    MPI_Bcast(&later, 1, at_last, 0, comm);
    later = me == 0 ? time + 10 : 0;
    MPI_Bcast(&later, 1, MPI_INT, 0, comm);
    expect(later == time + 10, "broadcast again", later);
    // All are refused alike.
    fails(MPI_Gather(&mine, -1, MPI_INT, in, -1, MPI_INT, 0, comm), MPI_ERR_COUNT, "gather of all");
    fails(MPI_Bcast(&mine, -1, MPI_INT, 0, comm), MPI_ERR_COUNT, "broadcast of all");
    fails(MPI_Reduce(&mine, &sum, 1, MPI_INT, MPI_OP_NULL, 0, comm), MPI_ERR_OP, "reduce of all");
  }
  MPI_Comm_free(&comm);
}

// What does not come leaves its room as it was.
static void shorter(void) {
  static int room[64 * 6];
  int out[64], counts[64], places[64], room_for[64];
  MPI_Datatype gaps;
  MPI_Request r;
  MPI_Type_vector(3, 1, 2, MPI_INT, &gaps);
  MPI_Type_create_resized(gaps, 0, 6 * sizeof(int), &gaps);
  MPI_Type_commit(&gaps);
  for (int i = 0; i < n; ++i) out[i] = 10 * me + i, counts[i] = 1, places[i] = i, room_for[i] = 1;
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_ARE_FATAL);
  MPI_Gather_init(out, 1, MPI_INT, room, 1, gaps, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &r);
  for (int form = 0; form < 6; ++form) {
    for (int i = 0; i < 64 * 6; ++i) room[i] = -1;
    if (form == 0) MPI_Gather(out, 1, MPI_INT, room, 1, gaps, 0, MPI_COMM_WORLD);
    if (form == 1) MPI_Alltoall(out, 1, MPI_INT, room, 1, gaps, MPI_COMM_WORLD);
    if (form == 2) MPI_Alltoallv(out, counts, places, MPI_INT, room, room_for, places, gaps, MPI_COMM_WORLD);
    if (form == 3) MPI_Scatter(out, 1, MPI_INT, room, 1, gaps, 0, MPI_COMM_WORLD);
    if (form > 3) MPI_Start(&r), MPI_Wait(&r, MPI_STATUS_IGNORE);
    const int comes = form == 1 || form == 2 ? n : form == 3 ? 1 : me == 0 ? n : 0;
    for (int i = 0; i < n * 6; ++i) {
      const int from = i / 6, value = form == 3 ? me : form == 0 || form > 3 ? 10 * from : 10 * from + me;
      expect(room[i] == (i % 6 == 0 && from < comes ? value : -1), "room for more", form * 100000 + i * 100 + room[i]);
    }
  }
  MPI_Request_free(&r);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Type_free(&gaps);
}

// One leader's mistake, and one member's, are everybody's.
static void leaders(void) {
  MPI_Comm half, between, made = MPI_COMM_SELF;
  MPI_Comm_split(MPI_COMM_WORLD, me % 2, 0, &half);
  MPI_Comm_set_errhandler(half, MPI_ERRORS_RETURN);
  fails(MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, me % 2, 9, &made), MPI_ERR_RANK, "itself as the other leader");
  expect(made == MPI_COMM_NULL, "no intercommunicator", made);
  MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, 1 - me % 2, 9, &between);
  MPI_Comm_set_errhandler(between, MPI_ERRORS_RETURN);
  fails(MPI_Intercomm_merge(between, me == n - 1, &made), MPI_ERR_ARG, "members who disagree");
  expect(made == MPI_COMM_NULL, "nothing merged", made);
  fails(MPI_Intercomm_merge(between, me % 2, &made), MPI_SUCCESS, "members who agree");
  MPI_Barrier(made);
  MPI_Comm_free(&made);
  MPI_Comm_free(&between);
  MPI_Comm_free(&half);
}

// Counted from the start of the machine, a double has nanoseconds.
static void clocks(void) {
  double last = MPI_Wtime();
  expect(last > 0 && last < 1e9, "the time since the machine was started", (long)last);
  for (int i = 0; i < 100; ++i) {
    MPI_Barrier(MPI_COMM_WORLD);
    const double now = MPI_Wtime();
    expect(now >= last, "time that goes back", (long)((last - now) * 1e9));
    last = now;
  }
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  groups();
  requests();
  types();
  topologies();
  buffers();
  members();
  swaps();
  null_pointers();
  absolute();
  again();
  shorter();
  leaders();
  clocks();
  MPI_Barrier(MPI_COMM_WORLD);
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
