// endures ROUNDS [fopen|file]: messages, collectives, requests and windows of every kind that
// a checkpoint may find under way, round by round, with pauses in which it may come. Each rank prints
// one line, which it begins before the first round. With a second argument it holds something
// meanwhile that no checkpoint can have.

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int part(int value);  // of a library of its own

enum { kLong = 60000, kPairs = 40, kCells = 16 };

static int me, n;
static uint64_t result = 1;  // of all that has come so far
static __thread uint64_t of_thread = 7;
static void mix(uint64_t value) { result = (result ^ value) * 0x9e3779b97f4a7c15 + (result >> 29); }
static void mix_all(const void* data, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) mix(((const unsigned char*)data)[i]);
}
// Lets others run, and checkpoints be made.
static void pause_ms(int ms) {
  int flag;
  for (const double end = MPI_Wtime() + ms * 1e-3; MPI_Wtime() < end;)
    MPI_Iprobe(0, 0, MPI_COMM_SELF, &flag, MPI_STATUS_IGNORE);
}

// Does not commute: a b = (a0 b0, a1 b0 + b1), modulo 2^64.
static void compose(void* in, void* inout, int* count, MPI_Datatype* type) {
  (void)type;
  const uint64_t* a = in;
  uint64_t* b = inout;
  for (int i = 0; i < *count; ++i, a += 2, b += 2) {
    b[1] += a[1] * b[0];
    b[0] *= a[0];
  }
}

static void say_end(void) { printf(" end %d\n", me); }

static int query(void* extra, MPI_Status* status) {
  MPI_Status_set_elements(status, MPI_INT, *(int*)extra);
  MPI_Status_set_cancelled(status, 0);
  status->MPI_SOURCE = me;
  status->MPI_TAG = *(int*)extra;
  return MPI_SUCCESS;
}
static int give_back(void* extra) {
  free(extra);
  return MPI_SUCCESS;
}
static int cancel(void* extra, int complete) {
  (void)extra;
  (void)complete;
  return MPI_SUCCESS;
}

static void hold(const char* what) {
  MPI_File file;
  if (strcmp(what, "fopen") == 0 && me == 1) {
    if (fopen("held", "w") == NULL) exit(3);
  } else if (strcmp(what, "file") == 0) {
    MPI_File_open(MPI_COMM_WORLD, "held", MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file);
  }
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  MPI_Comm_size(MPI_COMM_WORLD, &n);
  const int rounds = atoi(argv[1]);
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  printf("rank %d of %d:", me, n);
  atexit(say_end);
  srand(me + 5);
  setenv("MINE", me % 2 ? "odd" : "even", 1);
  if (argc > 2) hold(argv[2]);

  MPI_Comm half, half_copy;
  MPI_Comm_split(MPI_COMM_WORLD, me % 2, -me, &half);
  MPI_Comm_dup(half, &half_copy);
  int half_rank, half_size;
  MPI_Comm_rank(half, &half_rank);
  MPI_Comm_size(half, &half_size);

  // Every third of a row of pairs, the pairs with a gap.
  struct Pair {
    char small;
    double large;
  };
  const int lengths[] = {1, 1};
  const MPI_Aint places[] = {offsetof(struct Pair, small), offsetof(struct Pair, large)};
  const MPI_Datatype kinds[] = {MPI_CHAR, MPI_DOUBLE};
  MPI_Datatype loose, pair, comb, affine;
  MPI_Type_create_struct(2, lengths, places, kinds, &loose);
  MPI_Type_create_resized(loose, 0, sizeof(struct Pair), &pair);
  MPI_Type_vector(kPairs / 3, 1, 3, pair, &comb);
  MPI_Type_commit(&comb);
  MPI_Type_contiguous(2, MPI_UINT64_T, &affine);
  MPI_Type_commit(&affine);
  MPI_Type_free(&loose);
  MPI_Op op;
  MPI_Op_create(compose, 0, &op);

  int to_right[4], from_left[4];
  MPI_Request ring[2];
  MPI_Send_init(to_right, 4, MPI_INT, right, 1, MPI_COMM_WORLD, &ring[0]);
  MPI_Recv_init(from_left, 4, MPI_INT, left, 1, MPI_COMM_WORLD, &ring[1]);

  int64_t* cells;
  MPI_Win window;
  MPI_Win_allocate(kCells * sizeof *cells, sizeof *cells, MPI_INFO_NULL, MPI_COMM_WORLD, &cells,
                   &window);
  memset(cells, 0, kCells * sizeof *cells);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Win_lock_all(0, window);

  int* row = malloc(kLong * sizeof *row);
  int* came = malloc(kLong * sizeof *came);
  struct Pair pairs[kPairs], got[kPairs];
  const pid_t number = getpid();
  for (int round = 0; round < rounds; ++round) {
    if (getpid() != number) printf(" another process number");
    // Receives that wait for what is sent after the pause, from anybody; the sum has no order.
    MPI_Request any[2];
    int values[2];
    for (int i = 0; i < 2; ++i)
      MPI_Irecv(&values[i], 1, MPI_INT, MPI_ANY_SOURCE, 2, half_copy, &any[i]);
    // A long message that is received after it, and short ones of a derived type.
    for (int i = 0; i < kLong; ++i) row[i] = part(i * round + me);
    memset(pairs, 0, sizeof pairs);
    memset(got, 0, sizeof got);
    for (int i = 0; i < kPairs; ++i) {
      pairs[i].small = (char)(me + i);
      pairs[i].large = round + i * 0.5;
    }
    MPI_Request sends[3];
    MPI_Isend(row, kLong, MPI_INT, right, 3, MPI_COMM_WORLD, &sends[0]);
    MPI_Isend(pairs, 1, comb, left, 4, MPI_COMM_WORLD, &sends[1]);
    MPI_Issend(&round, 1, MPI_INT, left, 5, MPI_COMM_WORLD, &sends[2]);
    for (int i = 0; i < 4; ++i) to_right[i] = part(me + round * i);
    MPI_Startall(2, ring);
    // Collectives that some have begun.
    uint64_t mine[2] = {2 * (uint64_t)me + 3, (uint64_t)round + of_thread}, all[2];
    int64_t sums[2] = {me, round}, half_sums[2];
    MPI_Request collectives[2];
    if ((me + round) % 3 == 0) pause_ms(3);
    MPI_Iallreduce(mine, all, 1, affine, op, MPI_COMM_WORLD, &collectives[0]);
    if ((me + round) % 3 == 1) pause_ms(4);
    MPI_Iallreduce(sums, half_sums, 2, MPI_INT64_T, MPI_SUM, half, &collectives[1]);
    int* extra = malloc(sizeof *extra);
    *extra = round % 100;
    MPI_Request own;
    MPI_Grequest_start(query, give_back, cancel, extra, &own);
    const int64_t one = me + 1;
    MPI_Accumulate(&one, 1, MPI_INT64_T, right, round % kCells, 1, MPI_INT64_T, MPI_SUM, window);
    if ((me + round) % 3 == 2) pause_ms(5);
    MPI_Win_flush(right, window);

    MPI_Grequest_complete(own);
    MPI_Status status;
    MPI_Wait(&own, &status);
    mix((uint64_t)status.MPI_TAG);
    const int value = part(round + half_rank);
    MPI_Send(&value, 1, MPI_INT, (half_rank + 1) % half_size, 2, half_copy);
    MPI_Send(&value, 1, MPI_INT, (half_rank + round) % half_size, 2, half_copy);
    MPI_Waitall(2, any, MPI_STATUSES_IGNORE);
    mix((uint64_t)(values[0] + values[1]));
    MPI_Recv(came, kLong, MPI_INT, left, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    mix_all(came, kLong * sizeof *came / 64);
    MPI_Recv(got, 1, comb, right, 4, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    for (int i = 0; i < kPairs; ++i) mix((uint64_t)(got[i].small + 16 * got[i].large));
    int noted;
    MPI_Recv(&noted, 1, MPI_INT, right, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    mix((uint64_t)noted);
    MPI_Waitall(3, sends, MPI_STATUSES_IGNORE);
    MPI_Waitall(2, ring, MPI_STATUSES_IGNORE);
    mix_all(from_left, sizeof from_left);
    MPI_Waitall(2, collectives, MPI_STATUSES_IGNORE);
    mix(all[0]);
    mix(all[1]);
    mix((uint64_t)(half_sums[0] + 1000 * half_sums[1]));
    of_thread += all[1] % 5;
    mix((uint64_t)rand());
    mix((uint64_t)getenv("MINE")[0]);
    MPI_Barrier(half_copy);  // behind the receives from anybody
  }
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Win_unlock_all(window);
  mix_all(cells, kCells * sizeof *cells);
  MPI_Win_free(&window);
  MPI_Request_free(&ring[0]);
  MPI_Request_free(&ring[1]);
  printf(" %d rounds, %016llx, %s;", rounds, (unsigned long long)result, getenv("MINE"));
  MPI_Finalize();
  return 0;
}
