// main starts and ends MPI itself, and calls run() twice between MPI calls of its own. With an
// argument, something is mapped meanwhile where the arena would be.
#include <mpi.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "roam/isomalloc.h"
#include "roam/pup.h"
#include "roam/roam.h"

namespace {

void expect(bool ok, const char* what) {
  if (ok) return;
  int rank = -1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  fprintf(stderr, "rank %d: not so: %s\n", rank, what);
  MPI_Abort(MPI_COMM_WORLD, 1);
}

// With a message under way that another rank receives after run(): tags and communicators must not
// mix.
void talk(int round) {
  int rank, ranks;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  int sum = 0;
  MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  expect(sum == ranks * (ranks - 1) / 2,
         "MPI_Allreduce between the runs gives the sum of the ranks");
  expect(rank == roam::rank() || round == 0, "roam::rank() in plain code is MPI's after a run");
}

// The image of a block whose addresses another rank has: between runs it cannot be asked.
void unpack_a_copy() {
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  void* block = rank == 0 ? iso_malloc(1000) : nullptr;
  std::vector<char> image;
  if (rank == 0) {
    roam::PupSizer sizer;
    roam::pup_block(sizer, &block);
    image.resize(sizer.bytes());
    roam::PupToMemory packer(image.data(), false);
    roam::pup_block(packer, &block);
  }
  unsigned long bytes = image.size();
  MPI_Bcast(&bytes, 1, MPI_UNSIGNED_LONG, 0, MPI_COMM_WORLD);
  image.resize(bytes);
  MPI_Bcast(image.data(), static_cast<int>(bytes), MPI_BYTE, 0, MPI_COMM_WORLD);
  try {
    roam::PupFromMemory unpacker(image.data(), image.size());
    void* copy = nullptr;
    roam::pup_block(unpacker, &copy);
    expect(false, "a block is not unpacked where it may be in use");
  } catch (const roam::Error& error) {
    expect(error.code() == roam::Errc::address_in_use, "an address that may be in use is refused");
  }
  MPI_Barrier(MPI_COMM_WORLD);
  iso_free(block);
}

int visit_all(int code) {
  std::vector<int> data(50000);
  std::iota(data.begin(), data.end(), code);
  for (int i = 0; i < 2 * roam::ranks(); ++i) {
    roam::this_thread::migrate((roam::rank() + 1) % roam::ranks());
    int rank = -1;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank != roam::rank()) return -1;
  }
  for (int i = 0; i < 50000; ++i) {
    if (data[i] != code + i) return -2;
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, ranks;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (argc > 1 && rank == ranks - 1) {
    expect(mmap(reinterpret_cast<void*>(0x2b0000000000), 4096, PROT_READ,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED,
           "there is room in the arena's usual place");
  }
  talk(0);
  // Sent before the first run, received after the last.
  std::vector<char> mail(100000, static_cast<char>('a' + rank));
  MPI_Request sent;
  MPI_Isend(mail.data(), 100000, MPI_CHAR, (rank + 1) % ranks, 0, MPI_COMM_WORLD, &sent);
  for (int round = 1; round <= 2; ++round) {
    int initialized = 0, finalized = 0;
    expect(roam::run(argc, argv, [round] { return visit_all(100 * round); }) == 100 * round,
           "run() returns root's int");
    MPI_Initialized(&initialized);
    MPI_Finalized(&finalized);
    expect(initialized && !finalized, "run() leaves main's MPI alone");
    talk(round);
    unpack_a_copy();
  }
  std::vector<char> received(100000);
  const int from = (rank + ranks - 1) % ranks;
  MPI_Recv(received.data(), 100000, MPI_CHAR, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  MPI_Wait(&sent, MPI_STATUS_IGNORE);
  expect(received == std::vector<char>(100000, static_cast<char>('a' + from)),
         "mail from before the runs");
  MPI_Finalize();
  return 0;
}
