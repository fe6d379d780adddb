// Which packs faster, this folder or MPICH? Both pack and unpack the same data in turn, in slices
// of a millisecond, in one process (MPI_Init without mpiexec); so do the operations.
//
//   pack_race [ROUNDS]     prints for each datatype and size our nanoseconds, MPICH's, and the
//   median
//                          of ours by theirs of each round: below 1 we are faster

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "mpi/datatype/constructors.h"
#include "mpi/datatype/operation.h"
#include "mpi/datatype/pack.h"

namespace roam::mpi {
namespace {

int rounds = 100;

// Of the processor, for this thread: others may be busy on the machine.
double now_ns() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// Nanoseconds of one call, of as many as take a millisecond.
class Slice {
 public:
  explicit Slice(std::function<void()> call) : call_(std::move(call)) {
    do {
      calls_ *= 2;
    } while (run() * calls_ < 1e6);
  }
  double run() {
    const double begin = now_ns();
    for (int i = 0; i < calls_; ++i) call_();
    return (now_ns() - begin) / calls_;
  }

 private:
  std::function<void()> call_;
  int calls_ = 1;
};

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

void race(const std::string& name, std::function<void()> ours, std::function<void()> theirs) {
  Slice a(std::move(ours)), b(std::move(theirs));
  std::vector<double> us, them, ratio;
  for (int i = 0; i < rounds; ++i) {
    us.push_back(a.run());
    them.push_back(b.run());
    ratio.push_back(us.back() / them.back());
  }
  std::printf("%-44s %12.0f %12.0f %8.2f\n", name.c_str(), median(us), median(them), median(ratio));
}

struct Both {
  TypeRef ours;
  MPI_Datatype theirs;
};

void check(const Failure& f, int error) {
  if (!f && error == MPI_SUCCESS) return;
  std::fprintf(stderr, "pack_race: a datatype was refused: %s\n", f.text.c_str());
  std::exit(1);
}

void race_packing(const std::string& name, Both t, int count) {
  MPI_Type_commit(&t.theirs);
  const MPI_Count bytes = count * t.ours->size;
  const auto room = static_cast<std::size_t>(count * t.ours->bounds.extent() + 64);
  std::vector<char> buffer(room, 1), packed(static_cast<std::size_t>(bytes), 0);
  const std::string size = ", " + std::to_string(bytes) + " B";
  race(
      name + size, [&] { check(pack(buffer.data(), count, *t.ours, 0, bytes, packed.data()), 0); },
      [&] {
        int position = 0;
        MPI_Pack(buffer.data(), count, t.theirs, packed.data(), static_cast<int>(bytes), &position,
                 MPI_COMM_SELF);
      });
  race(
      name + size + " back",
      [&] { check(unpack(packed.data(), 0, bytes, buffer.data(), count, *t.ours), 0); },
      [&] {
        int position = 0;
        MPI_Unpack(packed.data(), static_cast<int>(bytes), &position, buffer.data(), count,
                   t.theirs, MPI_COMM_SELF);
      });
  MPI_Type_free(&t.theirs);
}

Both vector_of(int n, int length, int stride, MPI_Datatype of) {
  Both t;
  check(make_vector(Call::plain, n, length, stride, predefined(of), &t.ours),
        MPI_Type_vector(n, length, stride, of, &t.theirs));
  return t;
}

// Blocks of one to four doubles with gaps of one to four, or of one double.
Both indexed(int n, bool by_block) {
  std::vector<int> lengths, places;
  unsigned x = 12345;
  for (int i = 0, at = 0; i < n; ++i) {
    x = x * 1103515245U + 12345U;
    lengths.push_back(by_block ? 1 : 1 + static_cast<int>(x >> 16 & 3));
    places.push_back(at);
    at += lengths.back() + 1 + static_cast<int>(x >> 20 & 3);
  }
  Both t;
  const TypeRef of = predefined(MPI_DOUBLE);
  if (by_block) {
    check(make_indexed_block(Call::plain, n, 1, places.data(), of, &t.ours),
          MPI_Type_create_indexed_block(n, 1, places.data(), MPI_DOUBLE, &t.theirs));
  } else {
    check(make_indexed(Call::plain, n, lengths.data(), places.data(), of, &t.ours),
          MPI_Type_indexed(n, lengths.data(), places.data(), MPI_DOUBLE, &t.theirs));
  }
  return t;
}

// struct { char c; double d[3]; int i; short s; }, with gaps or without.
Both structure(bool has_gaps) {
  const int lengths[] = {1, 3, 1, 1};
  const MPI_Aint places[] = {0, 8, 32, 36}, close[] = {38, 0, 24, 28};
  const MPI_Datatype types[] = {MPI_CHAR, MPI_DOUBLE, MPI_INT, MPI_SHORT};
  const MPI_Aint* at = has_gaps ? places : close;
  Both t;
  check(make_struct(Call::plain, 4, lengths, at,
                    {predefined(types[0]), predefined(types[1]), predefined(types[2]),
                     predefined(types[3])},
                    &t.ours),
        MPI_Type_create_struct(4, lengths, at, types, &t.theirs));
  return t;
}

// A face of a cube of doubles, across its rows.
Both face(int n, int dimension) {
  const int sizes[] = {n, n, n}, zeros[] = {0, 0, 0};
  int part[] = {n, n, n};
  part[dimension] = 1;
  Both t;
  check(make_subarray(Call::plain, 3, sizes, part, zeros, MPI_ORDER_C, predefined(MPI_DOUBLE),
                      &t.ours),
        MPI_Type_create_subarray(3, sizes, part, zeros, MPI_ORDER_C, MPI_DOUBLE, &t.theirs));
  return t;
}

void race_operation(const char* name, MPI_Op op, MPI_Datatype type, int count, int size) {
  std::vector<char> in(static_cast<std::size_t>(count * size), 0), inout = in;
  race(
      std::string(name) + ", " + std::to_string(count),
      [&] { check(reduce(op, in.data(), inout.data(), count, *predefined(type)), 0); },
      [&] { MPI_Reduce_local(in.data(), inout.data(), count, type, op); });
}

}  // namespace
}  // namespace roam::mpi

int main(int argc, char** argv) {
  using namespace roam::mpi;
  if (argc > 1) rounds = std::max(1, std::atoi(argv[1]));
  MPI_Init(nullptr, nullptr);
  std::printf("%-44s %12s %12s %8s\n", "", "ours ns", "MPICH ns", "ratio");
  for (const int n : {8, 128, 8192, 1 << 20})
    race_packing("vector of doubles, stride 2", vector_of(n, 1, 2, MPI_DOUBLE), 1);
  for (const int n : {128, 65536})
    race_packing("vector of 5 ints, stride 8", vector_of(n, 5, 8, MPI_INT), 1);
  race_packing("vector of 100 doubles, stride 200", vector_of(1000, 100, 200, MPI_DOUBLE), 1);
  for (const int n : {2, 100, 20000}) race_packing("struct with gaps", structure(true), n);
  for (const int n : {100, 20000}) race_packing("struct without gaps", structure(false), n);
  for (const int n : {16, 1000, 100000}) race_packing("indexed", indexed(n, false), 1);
  for (const int n : {16, 1000, 100000}) race_packing("indexed block", indexed(n, true), 1);
  for (const int d : {0, 1, 2})
    race_packing("face of a cube of 64, " + std::to_string(d), face(64, d), 1);
  race_packing("contiguous doubles", vector_of(1, 1, 1, MPI_DOUBLE), 1000);
  for (const int n : {1, 1000, 1 << 20}) {
    race_operation("MPI_SUM of doubles", MPI_SUM, MPI_DOUBLE, n, 8);
    race_operation("MPI_MAX of ints", MPI_MAX, MPI_INT, n, 4);
  }
  MPI_Finalize();
  return 0;
}
