// C++: exceptions over messages, static objects, containers, a number of its own in each rank.
#include <map>
#include <new>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.h"

namespace {

struct Counter {
  ~Counter() { std::printf("%d ends with %d\n", me, count); }
  int count = 0;
} counter;
thread_local int turns = 0;

void pass_on(std::vector<double>& values) {
  std::vector<double> in(values.size());
  MPI_Sendrecv(values.data(), static_cast<int>(values.size()), MPI_DOUBLE, (me + 1) % n, 0,
               in.data(), static_cast<int>(in.size()), MPI_DOUBLE, (me + n - 1) % n, 0,
               MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  ++turns;
  if (in[0] == 0) throw std::runtime_error("zero has come after " + std::to_string(turns));
  values.swap(in);
}

// What a function that MPI calls has thrown comes to who has called MPI.
int refuse_to_end(MPI_Comm, int, void* value, void*) {
  if (*static_cast<int*>(value) == 8) throw std::bad_alloc();
  throw std::out_of_range("attribute " + std::to_string(*static_cast<int*>(value)));
}
void throw_through() {
  int key, value = 7;
  MPI_Comm own;
  MPI_Comm_dup(MPI_COMM_SELF, &own);
  MPI_Comm_set_errhandler(own, MPI_ERRORS_RETURN);
  MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, refuse_to_end, &key, nullptr);
  MPI_Comm_set_attr(own, key, &value);
  try {
    const int code = MPI_Comm_delete_attr(own, key);
    say("not thrown: %d", code);
  } catch (const std::out_of_range& error) {
    say("thrown: %s", error.what());
  }
  value = 8;
  try {
    const int code = MPI_Comm_delete_attr(own, key);
    say("not thrown: %d", code);
  } catch (const std::bad_alloc&) {
    say("thrown: no memory");
  }
}

}  // namespace

int main(int argc, char** argv) {
  begin(&argc, &argv);
  std::vector<double> values(1000);
  std::iota(values.begin(), values.end(), me);
  std::map<std::string, int> seen;
  for (int i = 0; i < n; ++i) {
    try {
      pass_on(values);
    } catch (const std::runtime_error& error) {
      // The exception is under way while this rank waits, and may move.
      MPI_Sendrecv(&me, 1, MPI_INT, me, 1, &turns, 0, MPI_INT, MPI_PROC_NULL, 1, MPI_COMM_WORLD,
                   MPI_STATUS_IGNORE);
      MPI_Recv(&me, 1, MPI_INT, me, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      ++seen[error.what()];
      values.assign(values.size(), me + 1000.0);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    ++counter.count;
  }
  double sum = std::accumulate(values.begin(), values.end(), 0.0), all = 0;
  MPI_Allreduce(&sum, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  for (const auto& [text, count] : seen) say("%s: %d", text.c_str(), count);
  say("sum %.1f turns %d", all, turns);
  throw_through();
  MPI_Finalize();
  return 0;
}
