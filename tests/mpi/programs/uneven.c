// Work that lies with the lower half of the ranks, who are one rank's: for balance_test.sh.
//
//   uneven collectives   steps end with a collective of all, until somebody has moved
//   uneven neighbours    steps end with messages between neighbours only
//   uneven asked         each step calls AMPI_Migrate, four times in all, messages under way
//
// Rank 0 prints how many moves were seen in all, by AMPI's names, which a process has not: it sees
// none.

#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>

int AMPI_My_pe(int* rank) __attribute__((weak));
int AMPI_Migrate(MPI_Info hints) __attribute__((weak));

enum { kLeastSteps = 20, kMostSteps = 400, kTogether = 20 };

static int me, size, wrong = 0;

static double work(long amount) {
  double sum = 0;
  for (long i = 1; i <= amount; ++i) sum += sin((double)i) * 1e-3;
  return sum;
}

static int place(void) {
  int rank = 0;
  if (AMPI_My_pe != NULL) AMPI_My_pe(&rank);
  return rank;
}

static void check(int right) { wrong += !right; }

// Parts of different sizes, whose sum depends on how they are combined.
static double part(int of, int step) { return 1.0 / (of + 1) + step * 1e-3 * (of % 3); }

// The bits of a sum are those of the step before with the same parts, wherever anybody is.
static void all_sum(int step) {
  static double first[4];
  double sum = 0;
  const double mine = part(me, step % 4);
  MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  double exact = 0;
  for (int i = 0; i < size; ++i) exact += part(i, step % 4);
  check(fabs(sum - exact) < 1e-12);
  if (step < 4) first[step] = sum;
  check(memcmp(&first[step % 4], &sum, sizeof sum) == 0);
}

static void pass_on(int step) {
  int out = me * 1000 + step, in = -1;
  const int right = (me + 1) % size, left = (me + size - 1) % size;
  MPI_Sendrecv(&out, 1, MPI_INT, right, 1, &in, 1, MPI_INT, left, 1, MPI_COMM_WORLD,
               MPI_STATUS_IGNORE);
  check(in == left * 1000 + step);
}

// Who waits for an answer of one that balances already gets it.
static void migrate(int step) {
  int in = -1;
  MPI_Request request = MPI_REQUEST_NULL;
  if (AMPI_Migrate == NULL) return;
  if (me % 2 == 1) MPI_Irecv(&in, 1, MPI_INT, me - 1, 2, MPI_COMM_WORLD, &request);
  if (me % 2 == 0 && me + 1 < size) MPI_Ssend(&step, 1, MPI_INT, me + 1, 2, MPI_COMM_WORLD);
  check(AMPI_Migrate(MPI_INFO_NULL) == MPI_SUCCESS);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  check(me % 2 == 0 || in == step);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const char* mode = argc > 1 ? argv[1] : "collectives";
  const int asked = strcmp(mode, "asked") == 0, neighbours = strcmp(mode, "neighbours") == 0;
  const long amount = me < size / 2 ? 40000 : 100;
  int moves = 0, all_moves = 0, before = place();
  double done = 0;
  for (int step = 0; step < kMostSteps; ++step) {
    done += work(amount);
    if (neighbours && step % kTogether != 0) {
      pass_on(step);
    } else if (!asked) {
      all_sum(step);
    } else {
      migrate(step);
    }
    const int now = place();
    moves += now != before;
    before = now;
    if (asked && step == 3) break;
    if (step % kTogether != 0) continue;
    int most = 0;
    MPI_Allreduce(&moves, &all_moves, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Allreduce(&moves, &most, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    check(most <= all_moves && moves <= most);
    if (all_moves > 0 && step >= kLeastSteps) break;
  }
  check(done != 0);
  MPI_Allreduce(&moves, &all_moves, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (me == 0) printf("%d wrong, moved %d\n", wrong, all_moves);
  MPI_Finalize();
  return 0;
}
