#include "mpi/image/libc_environment.h"

#include <unistd.h>

#include <utility>

#include "mpi/image/image.h"

namespace roam::mpi {
namespace {

char** of_process = nullptr;  // while others are in its place
int others = 0;

// How many of these the running virtual rank is in.
int& own_depth() { return Image::running()->libc_state().environments; }

}  // namespace

LibcEnvironment::LibcEnvironment(char** list) : before_(environ) {
  if (others++ == 0) of_process = environ;
  ++own_depth();
  environ = list;
}

// What was in its place when it began may be another virtual rank's, which has ended meanwhile.
LibcEnvironment::~LibcEnvironment() {
  if (own_depth() == 0) return;  // restored
  --others;
  environ = --own_depth() == 0 ? of_process : before_;
}

void LibcEnvironment::restore() {
  if (own_depth() == 0) return;
  others -= std::exchange(own_depth(), 0);
  environ = of_process;
}

}  // namespace roam::mpi
