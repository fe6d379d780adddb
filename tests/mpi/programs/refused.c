// What a call cannot do with what it is given is an error that a program can handle: negative
// numbers of things, and ones that no memory holds, groups and datatypes that do not belong there.
// The program itself judges which: MPICH checks few of them.
#include <limits.h>

#include "check.h"

static int wrong;
static void expect(int right, const char* what, long seen) {
  if (right) return;
  ++wrong;
  say("wrong: %s (%ld)", what, seen);
}
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
  fails(MPI_Cart_create(MPI_COMM_WORLD, -1, dimensions, periods, 0, &made), MPI_ERR_DIMS, "MPI_Cart_create");
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
  fails(MPI_Comm_set_name(apart, NULL), MPI_ERR_INTERN, "no name");
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
  MPI_Barrier(MPI_COMM_WORLD);
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
