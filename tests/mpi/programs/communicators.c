// Groups, communicators of each kind, intercommunicators, attributes, topologies, infos, errors.
#include <string.h>

#include "check.h"

static int deleted;
static int copy(MPI_Comm comm, int key, void* extra, void* value, void* to, int* wanted) {
  (void)comm, (void)key;
  *(void**)to = (char*)value + *(int*)extra;
  *wanted = 1;
  return MPI_SUCCESS;
}
static int drop(MPI_Comm comm, int key, void* value, void* extra) {
  (void)comm, (void)key, (void)extra;
  deleted += (int)(long)value;
  return MPI_SUCCESS;
}

static void attributes(void) {
  int key, step = 5, flag, *most;
  void* value;
  MPI_Comm dup;
  MPI_Comm_create_keyval(copy, drop, &key, &step);
  MPI_Comm_set_attr(MPI_COMM_WORLD, key, (void*)100L);
  MPI_Comm_dup(MPI_COMM_WORLD, &dup);
  MPI_Comm_get_attr(dup, key, &value, &flag);
  say("attribute %d %ld", flag, (long)value);
  MPI_Comm_free(&dup);
  MPI_Comm_delete_attr(MPI_COMM_WORLD, key);
  MPI_Comm_free_keyval(&key);
  MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &most, &flag);
  say("deleted %d, tags %d", deleted, flag && *most >= 32767);
}

static void groups(void) {
  MPI_Group world, odd, rest;
  MPI_Comm_group(MPI_COMM_WORLD, &world);
  int ranges[1][3] = {{1, n - 1, 2}}, size, rank, same, to[2], from[2] = {0, n - 1};
  MPI_Group_range_incl(world, 1, ranges, &odd);
  MPI_Group_difference(world, odd, &rest);
  MPI_Group_size(rest, &size);
  MPI_Group_rank(odd, &rank);
  MPI_Group_compare(odd, rest, &same);
  MPI_Group_translate_ranks(world, 2, from, rest, to);
  say("groups %d %d %d %d %d", size, rank == MPI_UNDEFINED ? -1 : rank, same == MPI_UNEQUAL, to[0],
      to[1] == MPI_UNDEFINED ? -1 : to[1]);
  MPI_Comm created;
  MPI_Comm_create(MPI_COMM_WORLD, odd, &created);
  if (created != MPI_COMM_NULL) {
    int sum = me;
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_INT, MPI_SUM, created);
    say("of the odd: %d", sum);
    MPI_Comm_free(&created);
    MPI_Comm_create_group(MPI_COMM_WORLD, odd, 4, &created);
    MPI_Comm_size(created, &size);
    say("created by them alone: %d", size);
    MPI_Comm_free(&created);
  }
  MPI_Group_free(&odd);
  MPI_Group_free(&rest);
  MPI_Group_free(&world);
}

static void inter(void) {
  MPI_Comm half, between, whole;
  const int side = me % 2;
  MPI_Comm_split(MPI_COMM_WORLD, side, me, &half);
  MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, 1 - side, 7, &between);
  int others, mine, flag;
  MPI_Comm_remote_size(between, &others);
  MPI_Comm_rank(between, &mine);
  MPI_Comm_test_inter(between, &flag);
  int sum = me + 1, all[64], value = side == 0 && mine == 0 ? 77 : -1;
  MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, between);
  MPI_Allgather(&me, 1, MPI_INT, all, 1, MPI_INT, between);
  MPI_Bcast(&value, 1, MPI_INT, side == 0 ? (mine == 0 ? MPI_ROOT : MPI_PROC_NULL) : 0, between);
  MPI_Barrier(between);
  say("inter %d %d: sum %d all %ld value %d", flag, others, sum, sum_of(all, others), value);
  int out[64], in[64];
  for (int i = 0; i < others; ++i) out[i] = me * 10 + i;
  MPI_Alltoall(out, 1, MPI_INT, in, 1, MPI_INT, between);
  MPI_Status status;
  int got = -1;
  if (mine < others)
    MPI_Sendrecv(&me, 1, MPI_INT, mine, 3, &got, 1, MPI_INT, mine, 3, between, &status);
  say("inter alltoall %ld, peer %d", sum_of(in, others), got);
  MPI_Intercomm_merge(between, side, &whole);
  int rank, size;
  MPI_Comm_rank(whole, &rank);
  MPI_Comm_size(whole, &size);
  say("merged: %d of %d", rank, size);
  MPI_Comm_free(&whole);
  MPI_Comm_free(&between);
  MPI_Comm_free(&half);
}

static void grids(void) {
  int dims[2] = {0, 0}, periods[2] = {1, 0}, at[2], from, to;
  MPI_Dims_create(n, 2, dims);
  MPI_Comm grid, row;
  MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 0, &grid);
  MPI_Cart_coords(grid, me, 2, at);
  MPI_Cart_shift(grid, 0, 1, &from, &to);
  int keep[2] = {0, 1}, size, near[4] = {-9, -9, -9, -9};
  MPI_Cart_sub(grid, keep, &row);
  MPI_Comm_size(row, &size);
  MPI_Neighbor_allgather(&me, 1, MPI_INT, near, 1, MPI_INT, grid);
  say("grid %dx%d at %d,%d shift %d %d row %d near %d %d %d %d", dims[0], dims[1], at[0], at[1],
      from, to, size, near[0], near[1], near[2], near[3]);
  int out[4] = {me * 4, me * 4 + 1, me * 4 + 2, me * 4 + 3};
  MPI_Neighbor_alltoall(out, 1, MPI_INT, near, 1, MPI_INT, grid);
  say("grid parts %d %d %d %d", near[0], near[1], near[2], near[3]);
  MPI_Comm_free(&row);
  MPI_Comm_free(&grid);

  MPI_Comm graph;
  const int sources[2] = {(me + 1) % n, (me + n - 2) % n}, ends[2] = {(me + n - 1) % n, (me + 2) % n};
  MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 2, sources, MPI_UNWEIGHTED, 2, ends, MPI_UNWEIGHTED,
                                 MPI_INFO_NULL, 0, &graph);
  int heard[2];
  MPI_Neighbor_allgather(&me, 1, MPI_INT, heard, 1, MPI_INT, graph);
  say("graph %d %d", heard[0], heard[1]);
  MPI_Comm_free(&graph);
}

static int handled;
static void on_error(MPI_Comm* comm, int* code, ...) {
  (void)comm;
  int class;
  MPI_Error_class(*code, &class);
  handled = class == MPI_ERR_TAG;
}

static void others(void) {
  MPI_Info info;
  char value[20];
  int flag, count;
  MPI_Info_create(&info);
  MPI_Info_set(info, "a key", "its value");
  MPI_Info_set(info, "another", "x");
  MPI_Info_get(info, "a key", 19, value, &flag);
  MPI_Info_get_nkeys(info, &count);
  say("info %d %s %d", flag, value, count);
  MPI_Info_free(&info);
  MPI_Errhandler handler;
  MPI_Comm dup;
  MPI_Request request;
  MPI_Comm_idup(MPI_COMM_WORLD, &dup, &request);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  MPI_Comm_create_errhandler(on_error, &handler);
  MPI_Comm_set_errhandler(dup, handler);
  MPI_Send(&count, 1, MPI_INT, 0, -5, dup);
  char name[MPI_MAX_OBJECT_NAME];
  MPI_Comm_set_name(dup, "a copy");
  MPI_Comm_get_name(dup, name, &count);
  say("handled %d, %s", handled, name);
  MPI_Errhandler_free(&handler);
  MPI_Comm_free(&dup);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  attributes();
  groups();
  inter();
  grids();
  others();
  MPI_Finalize();
  return 0;
}
