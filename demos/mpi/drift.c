// An MPI program as many are: particles drift round a ring of columns, which are dealt to the ranks
// in strips of equal width. Most particles begin in the first columns, so the first ranks have most
// of the work, and where the work is moves on. Nothing here knows of Roam.
//
//   mpicc.mpich -O2 -o drift drift.c; mpiexec.hydra -n 2 ./drift
//
// Each step computes something of each particle, moves it on and sends it to the next rank where it
// leaves the strip. At the end each particle is compared with where it must be by then. The lines
// that it prints on standard output are the same for any number of ranks; times go to standard
// error.

#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct Particle {
  uint64_t id;
  uint64_t charge;  // all that was computed of it
  int64_t column;
  int64_t speed;  // columns a step, 1 to 3
};

struct Strip {
  struct Particle* particles;
  size_t count, room;
};

static int me, size;
static int64_t columns = 6144, particles = 120000, steps = 150;

static void fail(const char* text, const char* value) {
  if (me == 0) fprintf(stderr, "drift: %s: %s\n", text, value);
  MPI_Finalize();
  exit(2);
}

static int64_t number(const char* text, int64_t least) {
  char* end;
  const long long value = strtoll(text, &end, 10);
  if (*text == 0 || *end != 0 || value < least) fail("not a number that is large enough", text);
  return value;
}

static void read_arguments(int argc, char** argv) {
  int option;
  while ((option = getopt(argc, argv, "c:p:s:")) != -1) {
    if (option == 'c')
      columns = number(optarg, 1);
    else if (option == 'p')
      particles = number(optarg, 0);
    else if (option == 's')
      steps = number(optarg, 0);
    else
      fail("usage", "drift [-c COLUMNS] [-p PARTICLES] [-s STEPS]");
  }
  // A particle goes no farther than to the next rank in a step.
  if (columns / size < 3) fail("a rank must have 3 columns at least", "give more with -c");
}

static void add(struct Strip* strip, const struct Particle* particle) {
  if (strip->count == strip->room) {
    strip->room = strip->room == 0 ? 64 : 2 * strip->room;
    strip->particles = realloc(strip->particles, strip->room * sizeof *strip->particles);
    if (strip->particles == NULL) {
      fprintf(stderr, "drift: no memory for %zu particles\n", strip->room);
      MPI_Abort(MPI_COMM_WORLD, 3);
    }
  }
  strip->particles[strip->count++] = *particle;
}

// Where a particle begins: half of all in the first sixteenth of the columns, half of the others in
// the next sixteenth, and so on.
static int64_t first_column(uint64_t id) {
  const uint64_t mixed = (id + 1) * 0x9E3779B97F4A7C15u;
  const int part = __builtin_ctzll(mixed >> 20 | UINT64_C(1) << 15);
  const int64_t begin = columns * part / 16, end = columns * (part + 1) / 16;
  return end > begin ? begin + (int64_t)((mixed >> 40) % (uint64_t)(end - begin)) : begin;
}

static uint64_t computed(uint64_t charge, int64_t column) {
  for (int round = 0; round < 60; ++round) {
    charge = (charge ^ (uint64_t)column) * 0xD1342543DE82EF95u;
    charge ^= charge >> 29;
  }
  return charge;
}

static int owner(int64_t column) { return (int)(((column + 1) * size - 1) / columns); }

static void step(struct Strip* mine, struct Strip* leaving) {
  size_t kept = 0;
  leaving->count = 0;
  for (size_t i = 0; i < mine->count; ++i) {
    struct Particle particle = mine->particles[i];
    particle.charge = computed(particle.charge, particle.column);
    particle.column = (particle.column + particle.speed) % columns;
    if (owner(particle.column) == me)
      mine->particles[kept++] = particle;
    else
      add(leaving, &particle);
  }
  mine->count = kept;
}

static void exchange(struct Strip* mine, const struct Strip* leaving) {
  const int next = (me + 1) % size, previous = (me + size - 1) % size;
  MPI_Status status;
  MPI_Request request;
  int bytes;
  MPI_Isend(leaving->particles, (int)(leaving->count * sizeof *leaving->particles), MPI_BYTE, next,
            0, MPI_COMM_WORLD, &request);
  MPI_Probe(previous, 0, MPI_COMM_WORLD, &status);
  MPI_Get_count(&status, MPI_BYTE, &bytes);
  const size_t count = (size_t)bytes / sizeof *mine->particles;
  struct Particle* arrived = malloc((size_t)bytes + 1);
  MPI_Recv(arrived, bytes, MPI_BYTE, previous, 0, MPI_COMM_WORLD, &status);
  for (size_t i = 0; i < count; ++i) add(mine, &arrived[i]);
  free(arrived);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
}

// The number of particles that are not where, or not what, they must be.
static int64_t wrong(const struct Strip* mine) {
  int64_t count = 0;
  for (size_t i = 0; i < mine->count; ++i) {
    const struct Particle* particle = &mine->particles[i];
    int64_t column = first_column(particle->id);
    uint64_t charge = particle->id;
    for (int64_t s = 0; s < steps; ++s) {
      charge = computed(charge, column);
      column = (column + particle->speed) % columns;
    }
    count += column != particle->column || charge != particle->charge;
  }
  return count;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  read_arguments(argc, argv);

  struct Strip mine = {0}, leaving = {0};
  for (int64_t id = 0; id < particles; ++id) {
    const struct Particle particle = {(uint64_t)id, (uint64_t)id, first_column((uint64_t)id),
                                      1 + id % 3};
    if (owner(particle.column) == me) add(&mine, &particle);
  }

  MPI_Barrier(MPI_COMM_WORLD);
  const double begin = MPI_Wtime();
  uint64_t sum = 0;
  for (int64_t s = 0; s < steps; ++s) {
    step(&mine, &leaving);
    exchange(&mine, &leaving);
    uint64_t part = 0;
    for (size_t i = 0; i < mine.count; ++i) part += mine.particles[i].charge;
    MPI_Allreduce(&part, &sum, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    if (me == 0 && steps >= 3 && (s + 1) % (steps / 3) == 0)
      printf("after %lld steps the charges sum up to %016llx\n", (long long)s + 1,
             (unsigned long long)sum);
  }
  double seconds = MPI_Wtime() - begin;
  // Nobody verifies before this clock is read: where ranks share a core, as virtual ranks do, that
  // of others would be part of the time.
  MPI_Bcast(&seconds, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);

  // Of a few steps all are verified; of many it would take as long as the computation.
  int64_t of_mine[2] = {(int64_t)mine.count, wrong(&mine)}, of_all[2];
  MPI_Reduce(of_mine, of_all, 2, MPI_INT64_T, MPI_SUM, 0, MPI_COMM_WORLD);
  const int bad = me == 0 && (of_all[0] != particles || of_all[1] != 0);
  if (me == 0) {
    printf("%lld particles, %lld wrong\n", (long long)of_all[0], (long long)of_all[1]);
    fprintf(stderr, "drift: %.2f s for %lld steps\n", seconds, (long long)steps);
  }
  free(mine.particles);
  free(leaving.particles);
  MPI_Finalize();
  return bad;
}
