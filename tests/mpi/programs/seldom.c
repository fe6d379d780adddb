// What programs seldom do. The program itself judges what is right: MPICH 4.0 has faults of its own
// here.
#include "judge.h"

#include <stddef.h>
#include <string.h>


// ---- neighbours that are not there ----

enum { kGap = 2, kBlock = 2 * kGap, kSides = 2 };  // ints; of a block every second one comes
static __thread int own_room[kSides * kBlock];

static void clear(int* room) {
  for (int i = 0; i < kSides * kBlock; ++i) room[i] = -1 - i;
}
// What came from `from[side]`, which is MPI_PROC_NULL or has sent its number; `gap`: how far apart.
static void came(const int* room, const int* from, int gap, const char* what) {
  for (int i = 0; i < kSides * kBlock; ++i) {
    const int block = kGap * gap, side = i / block;
    const int comes = side < kSides && from[side] != MPI_PROC_NULL && i % block % gap == 0;
    expect(room[i] == (comes ? from[side] + 10 : -1 - i), what, i * 1000L + room[i]);
  }
}

enum { kForms = 5 };
static const char* const kNames[kForms] = {"neighbor_allgather", "neighbor_allgatherv", "neighbor_alltoall",
                                           "neighbor_alltoallv", "neighbor_alltoallw"};
// How: blocking, under way, persistent.
static void exchange(int form, int how, MPI_Comm comm, const int* out, int* in, MPI_Datatype type) {
  const int counts[kSides] = {kGap, kGap}, one[kSides] = {1, 1}, from[kSides] = {0, kGap}, places[kSides] = {0, 1};
  MPI_Aint lb, extent;
  MPI_Type_get_extent(type, &lb, &extent);
  const int gap = (int)(extent / (MPI_Aint)sizeof(int) / kGap);
  const MPI_Aint out_at[kSides] = {0, kGap * sizeof(int)}, in_at[kSides] = {0, (MPI_Aint)(gap * kGap * sizeof(int))};
  const MPI_Datatype ints[kSides] = {MPI_INT, MPI_INT}, types[kSides] = {type, type};
  const MPI_Info info = MPI_INFO_NULL;
  MPI_Request r = MPI_REQUEST_NULL;
  switch (form * 3 + how) {
    case 0: MPI_Neighbor_allgather(out, kGap, MPI_INT, in, 1, type, comm); break;
    case 1: MPI_Ineighbor_allgather(out, kGap, MPI_INT, in, 1, type, comm, &r); break;
    case 2: MPI_Neighbor_allgather_init(out, kGap, MPI_INT, in, 1, type, comm, info, &r); break;
    case 3: MPI_Neighbor_allgatherv(out, kGap, MPI_INT, in, one, places, type, comm); break;
    case 4: MPI_Ineighbor_allgatherv(out, kGap, MPI_INT, in, one, places, type, comm, &r); break;
    case 5: MPI_Neighbor_allgatherv_init(out, kGap, MPI_INT, in, one, places, type, comm, info, &r); break;
    case 6: MPI_Neighbor_alltoall(out, kGap, MPI_INT, in, 1, type, comm); break;
    case 7: MPI_Ineighbor_alltoall(out, kGap, MPI_INT, in, 1, type, comm, &r); break;
    case 8: MPI_Neighbor_alltoall_init(out, kGap, MPI_INT, in, 1, type, comm, info, &r); break;
    case 9: MPI_Neighbor_alltoallv(out, counts, from, MPI_INT, in, one, places, type, comm); break;
    case 10: MPI_Ineighbor_alltoallv(out, counts, from, MPI_INT, in, one, places, type, comm, &r); break;
    case 11: MPI_Neighbor_alltoallv_init(out, counts, from, MPI_INT, in, one, places, type, comm, info, &r); break;
    case 12: MPI_Neighbor_alltoallw(out, counts, out_at, ints, in, one, in_at, types, comm); break;
    case 13: MPI_Ineighbor_alltoallw(out, counts, out_at, ints, in, one, in_at, types, comm, &r); break;
    case 14: MPI_Neighbor_alltoallw_init(out, counts, out_at, ints, in, one, in_at, types, comm, info, &r); break;
  }
  if (how == 2) MPI_Start(&r);
  MPI_Wait(&r, MPI_STATUS_IGNORE);
  if (r != MPI_REQUEST_NULL) MPI_Request_free(&r);
}

static void exchange_all(MPI_Comm comm, const int* from) {
  MPI_Datatype spread, row;
  MPI_Type_vector(kGap, 1, 2, MPI_INT, &row);
  MPI_Type_create_resized(row, 0, kBlock * sizeof(int), &spread);
  MPI_Type_free(&row);
  MPI_Type_contiguous(kGap, MPI_INT, &row);
  MPI_Type_commit(&row);
  MPI_Type_commit(&spread);
  int out[kSides * kGap], in[kSides * kBlock];
  for (int i = 0; i < kSides * kGap; ++i) out[i] = me + 10;
  for (int form = 0; form < kForms; ++form) {
    for (int how = 0; how < 3; ++how) {
      clear(in);
      exchange(form, how, comm, out, in, spread);
      came(in, from, 2, kNames[form]);
      clear(own_room);
      exchange(form, how, comm, out, own_room, row);
      came(own_room, from, 1, kNames[form]);
    }
  }
  MPI_Type_free(&row);
  MPI_Type_free(&spread);
}

static void neighbours(void) {
  MPI_Comm line;
  const int around = 0;
  MPI_Cart_create(MPI_COMM_WORLD, 1, &n, &around, 0, &line);
  int from[kSides];
  MPI_Cart_shift(line, 0, 1, &from[0], &from[1]);
  exchange_all(line, from);
  MPI_Comm_free(&line);
}

// ---- calls that one member makes, and is refused ----

static void refused(int code, int class, const char* what) {
  int seen;
  MPI_Error_class(code, &seen);
  expect(seen == class, what, seen);
}
static void sums(MPI_Comm comm, const char* what) {
  MPI_Request r;
  for (int time = 0; time < 3; ++time) {
    int mine = me + 1 + time, sum = -1, all = -1, later = -1, again = -1;
    const int right = n * (n + 1) / 2 + n * time;
    MPI_Reduce(&mine, &sum, 1, MPI_INT, MPI_SUM, 0, comm);
    int rank;
    MPI_Comm_rank(comm, &rank);
    expect(rank != 0 || sum == right, what, sum);
    MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_SUM, comm);
    expect(all == right, what, all);
    MPI_Iallreduce(&mine, &later, 1, MPI_INT, MPI_SUM, comm, &r);
    MPI_Wait(&r, MPI_STATUS_IGNORE);
    expect(later == right, what, later);
    MPI_Allreduce_init(&mine, &again, 1, MPI_INT, MPI_SUM, comm, MPI_INFO_NULL, &r);
    MPI_Start(&r);
    MPI_Wait(&r, MPI_STATUS_IGNORE);
    MPI_Request_free(&r);
    expect(again == right, what, again);
  }
}
// `key`: whether the members are in their order.
static void refusals(int key) {
  MPI_Comm comm;
  MPI_Request r;
  int in[8] = {0}, out[8];
  MPI_Comm_split(MPI_COMM_WORLD, 0, key * me, &comm);
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  for (int who = 0; who < n; who += n - 1) {
    const int alone = me == who;
    if (alone) refused(MPI_Reduce(in, out, 1, MPI_INT, MPI_OP_NULL, 0, comm), MPI_ERR_OP, "an operation");
    sums(comm, "after a refused operation");
    if (alone) refused(MPI_Bcast(in, 1, MPI_DATATYPE_NULL, 0, comm), MPI_ERR_TYPE, "a datatype");
    sums(comm, "after a refused datatype");
    if (alone) refused(MPI_Gather(in, 1, MPI_INT, out, 1, MPI_INT, n, comm), MPI_ERR_ROOT, "a root");
    sums(comm, "after a refused root");
    if (alone) refused(MPI_Allreduce(in, out, -1, MPI_INT, MPI_SUM, comm), MPI_ERR_COUNT, "a count");
    sums(comm, "after a refused count");
    if (alone) refused(MPI_Iscan(in, out, -1, MPI_INT, MPI_SUM, comm, &r), MPI_ERR_COUNT, "a count of iscan");
    sums(comm, "after a refused count of iscan");
    if (alone)
      refused(MPI_Bcast_init(in, -1, MPI_INT, 0, comm, MPI_INFO_NULL, &r), MPI_ERR_COUNT, "a count of bcast_init");
    sums(comm, "after a refused count of bcast_init");
    if (alone)
      refused(MPI_Neighbor_allgather(in, 1, MPI_INT, out, 1, MPI_INT, comm), MPI_ERR_TOPOLOGY, "no neighbours");
    sums(comm, "after refused neighbours");
  }
  MPI_Comm_free(&comm);
}

// ---- operations that write whole structs, of which one member comes ----

enum { kStructs = 3 };
struct wide {
  char before[4000];
  int value;
  char after[4092];
};
static void add_wide(void* in, void* inout, int* count, MPI_Datatype* type) {
  (void)type;
  struct wide *a = in, *b = inout;
  for (int i = 0; i < *count; ++i) {
    const int sum = a[i].value + b[i].value;
    memset(&b[i], 0x5a, sizeof b[i]);
    b[i].value = sum;
  }
}
static struct wide* fill_wide(void) {
  static struct wide made[64];
  memset(made, 0, sizeof made);
  for (int i = 0; i < 64; ++i) made[i].value = me + i;
  return made;
}
// `factor` * i + `first` in each, and nothing between.
static void came_wide(const struct wide* seen, int count, int first, int factor, const char* what) {
  for (int i = 0; i < count; ++i) {
    expect(seen[i].value == first + factor * i, what, seen[i].value);
    for (int k = 0; k < 4000; ++k)
      if (seen[i].before[k] != 1 || seen[i].after[k] != 1) return expect(0, "the rest of a struct", k);
  }
}
static void structs(void) {
  static struct wide out[kStructs];
  const MPI_Aint at = offsetof(struct wide, value);
  const int one = 1, sum = n * (n - 1) / 2, up_to = me * (me + 1) / 2;
  MPI_Datatype type, int_type = MPI_INT, member;
  MPI_Type_create_struct(1, &one, &at, &int_type, &member);
  MPI_Type_create_resized(member, 0, sizeof(struct wide), &type);
  MPI_Type_commit(&type);
  for (int commutes = 0; commutes < 2; ++commutes) {
    MPI_Op op;
    MPI_Op_create(add_wide, commutes, &op);
    memset(out, 1, sizeof out);
    MPI_Reduce(fill_wide(), out, kStructs, type, op, 0, MPI_COMM_WORLD);
    if (me == 0) came_wide(out, kStructs, sum, n, "reduce of structs");
    MPI_Allreduce(fill_wide(), out, kStructs, type, op, MPI_COMM_WORLD);
    came_wide(out, kStructs, sum, n, "allreduce of structs");
    MPI_Scan(fill_wide(), out, kStructs, type, op, MPI_COMM_WORLD);
    came_wide(out, kStructs, up_to, me + 1, "scan of structs");
    MPI_Exscan(fill_wide(), out, kStructs, type, op, MPI_COMM_WORLD);
    if (me != 0) came_wide(out, kStructs, up_to - me, me, "exscan of structs");
    MPI_Reduce_scatter_block(fill_wide(), out, 2, type, op, MPI_COMM_WORLD);
    came_wide(out, 2, sum + n * 2 * me, n, "reduce_scatter of structs");
    MPI_Op_free(&op);
  }
  MPI_Type_free(&member);
  MPI_Type_free(&type);
}

// ---- requests whose communicator is freed, and another one has its handle ----

static int told;
static void count_error(MPI_Comm* comm, int* code, ...) {
  (void)comm, (void)code;
  ++told;
}
static void outlived(void) {
  MPI_Comm first, second;
  MPI_Request r[2];
  MPI_Status status;
  MPI_Errhandler counts;
  int room[2] = {-1, -1}, values[2] = {7, 8};
  MPI_Comm_create_errhandler(count_error, &counts);
  MPI_Comm_dup(MPI_COMM_WORLD, &first);
  if (me == 0) {
    MPI_Irecv(&room[0], 1, MPI_INT, n - 1, 3, first, &r[0]);
    MPI_Ibarrier(first, &r[1]);
    MPI_Comm_free(&first);
  }
  MPI_Comm_dup(MPI_COMM_WORLD, &second);
  MPI_Comm_disconnect(&second);  // waits for what is its own, of which there is nothing
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == n - 1) MPI_Send(values, 1, MPI_INT, 0, 3, first);
  if (me != 0) MPI_Ibarrier(first, &r[1]);
  if (me == 0) MPI_Wait(&r[0], &status);
  expect(room[0] == (me == 0 ? 7 : -1), "a receive outlives its communicator", room[0]);
  MPI_Wait(&r[1], MPI_STATUS_IGNORE);
  if (me != 0) MPI_Comm_free(&first);

  // What is wrong with it is not told to the other one's handler.
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_dup(MPI_COMM_WORLD, &first);
  if (me == 0) {
    MPI_Irecv(room, 1, MPI_INT, n - 1, 4, first, &r[0]);
    MPI_Comm_free(&first);
  }
  MPI_Comm_dup(MPI_COMM_WORLD, &second);
  MPI_Comm_set_errhandler(second, counts);
  if (me == n - 1) MPI_Send(values, 2, MPI_INT, 0, 4, first);
  if (me == 0) {
    refused(MPI_Wait(&r[0], &status), MPI_ERR_TRUNCATE, "a message that is too long");
    expect(told == 0, "handlers of another communicator", told);
    // That of its own communicator is told.
    MPI_Irecv(room, 1, MPI_INT, 0, 5, second, &r[0]);
    MPI_Send(values, 2, MPI_INT, 0, 5, second);
    MPI_Wait(&r[0], &status);
    expect(told == 1, "the communicator's handler", told);
  }
  MPI_Comm_free(&second);
  if (me != 0) MPI_Comm_free(&first);
  MPI_Errhandler_free(&counts);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_ARE_FATAL);
}

// ---- sends that are cancelled ----

static int is_cancelled(MPI_Request* r) {
  MPI_Status status;
  int cancelled;
  MPI_Cancel(r);
  MPI_Wait(r, &status);
  MPI_Test_cancelled(&status, &cancelled);
  return cancelled;
}
static int is_there(int from, int tag) {
  int flag;
  MPI_Iprobe(from, tag, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE);
  return flag;
}
static void cancels(int count, int to, int from) {
  static int out[1 << 18], in[1 << 18];
  const MPI_Comm world = MPI_COMM_WORLD;
  MPI_Request r, receive;
  MPI_Message message;
  MPI_Status status;
  int cancelled;
  for (int i = 0; i < count; ++i) out[i] = me + i;
  // Nobody receives it.
  MPI_Issend(out, count, MPI_INT, to, 20, world, &r);
  expect(is_cancelled(&r), "a send that nobody receives is cancelled", count);
  MPI_Barrier(world);
  expect(!is_there(from, 20), "what was cancelled is gone", count);
  // It is received.
  memset(in, 0, sizeof in);
  MPI_Irecv(in, count, MPI_INT, from, 21, world, &receive);
  MPI_Barrier(world);
  MPI_Issend(out, count, MPI_INT, to, 21, world, &r);
  MPI_Cancel(&r);
  MPI_Wait(&receive, &status);
  MPI_Wait(&r, &status);
  MPI_Test_cancelled(&status, &cancelled);
  expect(!cancelled, "a send that is received is not cancelled", count);
  expect(in[count - 1] == from + count - 1, "what was not cancelled", in[count - 1]);
  // It is claimed, and received later.
  memset(in, 0, sizeof in);
  MPI_Issend(out, count, MPI_INT, to, 22, world, &r);
  MPI_Mprobe(from, 22, world, &message, MPI_STATUS_IGNORE);
  MPI_Barrier(world);
  MPI_Cancel(&r);
  MPI_Mrecv(in, count, MPI_INT, &message, MPI_STATUS_IGNORE);
  MPI_Wait(&r, &status);
  MPI_Test_cancelled(&status, &cancelled);
  expect(!cancelled, "a send that is claimed is not cancelled", count);
  expect(in[count - 1] == from + count - 1, "what was claimed", in[count - 1]);
  // A persistent one is cancelled and sent afterwards; those behind it come.
  memset(in, 0, sizeof in);
  MPI_Ssend_init(out, count, MPI_INT, to, 23, world, &r);
  MPI_Start(&r);
  expect(is_cancelled(&r), "a persistent send is cancelled", count);
  MPI_Barrier(world);
  MPI_Start(&r);
  MPI_Recv(in, count, MPI_INT, from, 23, world, &status);
  MPI_Wait(&r, &status);
  MPI_Test_cancelled(&status, &cancelled);
  expect(!cancelled && in[count - 1] == from + count - 1, "a persistent send after it", cancelled);
  MPI_Request_free(&r);
  MPI_Barrier(world);
  expect(!is_there(from, 23), "a persistent send comes once", count);
  // One that is not synchronous ends without a receive, cancelled or not.
  memset(in, 0, sizeof in);
  MPI_Isend(out, count, MPI_INT, to, 24, world, &r);
  cancelled = is_cancelled(&r);
  memset(out, 0, sizeof out);
  MPI_Barrier(world);
  if (!cancelled) MPI_Recv(in, count, MPI_INT, from, 24, world, &status);
  expect(cancelled || in[count - 1] == from + count - 1, "a standard send", in[count - 1]);
  MPI_Barrier(world);
}

// ---- nothing at all ----

static void nothing(void) {
  const int none[64] = {0};
  const MPI_Aint nowhere[64] = {0};
  const MPI_Info info = MPI_INFO_NULL;
  MPI_Datatype types[64], empty;
  MPI_Comm ring;
  MPI_Request r[8];
  const int around = 1, to = (me + 1) % n, from = (me + n - 1) % n;
  for (int i = 0; i < 64; ++i) types[i] = MPI_DATATYPE_NULL;
  MPI_Cart_create(MPI_COMM_WORLD, 1, &n, &around, 0, &ring);
  MPI_Alltoallw(NULL, none, none, types, NULL, none, none, types, ring);
  MPI_Neighbor_alltoallw(NULL, none, nowhere, types, NULL, none, nowhere, types, ring);
  MPI_Ialltoallw(NULL, none, none, types, NULL, none, none, types, ring, &r[0]);
  MPI_Ineighbor_alltoallw(NULL, none, nowhere, types, NULL, none, nowhere, types, ring, &r[1]);
  MPI_Alltoallw_init(NULL, none, none, types, NULL, none, none, types, ring, info, &r[2]);
  MPI_Neighbor_alltoallw_init(NULL, none, nowhere, types, NULL, none, nowhere, types, ring, info, &r[3]);
  MPI_Recv_init(NULL, 0, MPI_DATATYPE_NULL, from, 1, ring, &r[4]);
  MPI_Send_init(NULL, 0, MPI_DATATYPE_NULL, to, 1, ring, &r[5]);
  MPI_Startall(4, r + 2);
  MPI_Irecv(NULL, 0, MPI_DATATYPE_NULL, from, 2, ring, &r[6]);
  MPI_Isend(NULL, 0, MPI_DATATYPE_NULL, to, 2, ring, &r[7]);
  MPI_Waitall(8, r, MPI_STATUSES_IGNORE);
  for (int i = 2; i < 6; ++i) MPI_Request_free(&r[i]);

  // Members that exchange nothing have no datatype beside those that do.
  int counts[64], out = me, in = -1;
  for (int i = 0; i < n; ++i) counts[i] = i == to;
  types[to] = MPI_INT;
  int in_counts[64];
  MPI_Datatype in_types[64];
  for (int i = 0; i < n; ++i) in_counts[i] = i == from, in_types[i] = i == from ? MPI_INT : MPI_DATATYPE_NULL;
  MPI_Alltoallw(&out, counts, none, types, &in, in_counts, none, in_types, ring);
  expect(in == from, "alltoallw with some", in);
  MPI_Comm_set_errhandler(ring, MPI_ERRORS_RETURN);
  types[to] = MPI_DATATYPE_NULL;
  refused(MPI_Alltoallw(&out, counts, none, types, &in, in_counts, none, in_types, ring), MPI_ERR_TYPE,
          "alltoallw of no datatype");
  MPI_Comm_free(&ring);

  MPI_Type_contiguous(0, MPI_INT, &empty);
  MPI_Status status;
  int elements = -1;
  memset(&status, 0, sizeof status);
  MPI_Status_set_elements(&status, empty, 3);
  MPI_Get_elements(&status, MPI_INT, &elements);
  expect(elements == 0, "elements of nothing", elements);
  MPI_Status_set_elements_x(&status, empty, 3);
  MPI_Get_elements(&status, empty, &elements);
  expect(elements == 0, "elements of nothing", elements);
  MPI_Type_free(&empty);
}

// ---- statuses of Fortran ----

// MPICH's header has them, its library for C has not.
#pragma weak MPI_Status_c2f08
#pragma weak MPI_Status_f2f08
#pragma weak MPI_Status_f082c
#pragma weak MPI_Status_f082f
static void statuses(void) {
  expect(MPI_Status_c2f08 != NULL, "c2f08 is there", 0);
  if (MPI_Status_c2f08 == NULL) return;
  MPI_Status status, back;
  MPI_F08_status module, again;
  MPI_Fint numbers[MPI_F_STATUS_SIZE];
  int elements = 0, in[3], out[3] = {0};
  MPI_Sendrecv(out, 3, MPI_INT, 0, 9, in, 3, MPI_INT, 0, 9, MPI_COMM_SELF, &status);
  status.MPI_ERROR = MPI_ERR_OTHER;
  MPI_Status_c2f08(&status, &module);
  expect(module.MPI_SOURCE == 0 && module.MPI_TAG == 9 && module.MPI_ERROR == MPI_ERR_OTHER, "c2f08", module.MPI_TAG);
  MPI_Status_f082f(&module, numbers);
  expect(numbers[MPI_F_TAG] == 9 && numbers[MPI_F_ERROR] == MPI_ERR_OTHER, "f082f", numbers[MPI_F_TAG]);
  MPI_Status_f2f08(numbers, &again);
  MPI_Status_f082c(&again, &back);
  MPI_Get_elements(&back, MPI_INT, &elements);
  expect(elements == 3 && back.MPI_TAG == 9, "f2f08 and f082c", elements);
}

// All send first, and ask until that is done: nobody receives before, and MPI_Wait would return.
static void sends_asked_for(void) {
  enum { kBytes = 300000 };
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  char *const out = malloc(kBytes), *const in = malloc(kBytes);
  int done = 0;
  MPI_Request request;
  memset(out, 'a' + me % 26, kBytes);
  MPI_Isend(out, kBytes, MPI_CHAR, right, 6, MPI_COMM_WORLD, &request);
  for (const double begin = MPI_Wtime(); !done && MPI_Wtime() < begin + 20;)
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
  expect(done, "MPI_Test of a send that nobody receives yet", done);
  if (done) memset(out, '-', kBytes);
  MPI_Recv(in, kBytes, MPI_CHAR, left, 6, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  expect(in[0] == 'a' + left % 26 && in[kBytes - 1] == in[0], "what was sent", in[0]);
  if (!done) MPI_Wait(&request, MPI_STATUS_IGNORE);
  free(out);
  free(in);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  neighbours();
  refusals(1);
  refusals(-1);
  structs();
  outlived();
  cancels(1, (me + 1) % n, (me + n - 1) % n);
  cancels(1 << 18, (me + 1) % n, (me + n - 1) % n);
  cancels(3, me, me);
  nothing();
  statuses();
  sends_asked_for();
  MPI_Barrier(MPI_COMM_WORLD);
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
