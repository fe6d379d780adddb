// getopt and its kin.

#include <getopt.h>

#include "mpi/image/image.h"
#include "mpi/image/libc_environment.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

extern "C" int __posix_getopt(int, char* const*, const char*);

namespace roam::mpi {
namespace {

template <int (*kCall)(int, char* const*, const char*), bool kPosix>
int short_option(int argc, char* const* argv, const char* letters) {
  const LibcEnvironment own(Image::running()->environment().list());  // POSIXLY_CORRECT
  return Image::running()->options().next(argc, argv, letters, kPosix, [&](char* const* arguments) {
    return kCall(argc, arguments, letters);
  });
}
template <int (*kCall)(int, char* const*, const char*, const option*, int*)>
int long_option(int argc, char* const* argv, const char* letters, const option* words, int* word) {
  const LibcEnvironment own(Image::running()->environment().list());
  return Image::running()->options().next(argc, argv, letters, false, [&](char* const* arguments) {
    return kCall(argc, arguments, letters, words, word);
  });
}
int gnu_getopt(int argc, char* const* argv, const char* letters) {
  return ::getopt(argc, argv, letters);
}

}  // namespace

void add_option_calls() {
  add_launcher_call("getopt", &short_option<gnu_getopt, false>);
  add_launcher_call("__posix_getopt", &short_option<__posix_getopt, true>);
  add_launcher_call("getopt_long", &long_option<getopt_long>);
  add_launcher_call("getopt_long_only", &long_option<getopt_long_only>);
}

}  // namespace roam::mpi
