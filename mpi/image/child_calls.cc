// Calls that start a program, which inherits the descriptors of its virtual rank and not those of
// others: it would hold the ends of their pipes.

#include <cstdio>
#include <iterator>
#include <utility>

#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

// The arguments are pointers and integers, at most six, handed on as they are.
using Real = long (*)(long, long, long, long, long, long);

constexpr const char* kCalls[] = {"posix_spawn", "posix_spawnp", "system", "wordexp"};
constexpr std::size_t kCount = std::size(kCalls);
Real real_calls[kCount];

template <std::size_t kIndex>
long starting(long a, long b, long c, long d, long e, long f) {
  const Descriptors::OnlyOwn inherited(Image::running()->descriptors());
  return real_calls[kIndex](a, b, c, d, e, f);
}

FILE* (*real_popen)(const char*, const char*) = nullptr;
FILE* open_command(const char* command, const char* mode) {
  FILE* made = nullptr;
  {
    const Descriptors::OnlyOwn inherited(Image::running()->descriptors());
    made = real_popen(command, mode);
  }
  return Image::running()->streams().opened(made, true);
}

// What is called so far: of the launcher, or of the process.
const void* called(const char* name) {
  const void* ours = launcher_call(name);
  return ours != nullptr ? ours : process_symbol(name, {});
}

template <std::size_t... kIndex>
void add(std::index_sequence<kIndex...>) {
  ((real_calls[kIndex] = as_function<Real>(called(kCalls[kIndex])),
    add_launcher_call(kCalls[kIndex], &starting<kIndex>)),
   ...);
}

}  // namespace

void add_child_calls() {
  add(std::make_index_sequence<kCount>());
  real_popen = as_function<decltype(real_popen)>(called("popen"));
  for (const char* name : {"popen", "_IO_popen"}) add_launcher_call(name, &open_command);
}

}  // namespace roam::mpi
