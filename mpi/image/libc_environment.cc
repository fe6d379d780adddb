#include "mpi/image/libc_environment.h"

#include <unistd.h>

namespace roam::mpi {
namespace {

char** of_process = nullptr;  // while others are in its place
int others = 0;

}  // namespace

LibcEnvironment::LibcEnvironment(char** list) : before_(environ) {
  if (others++ == 0) of_process = environ;
  environ = list;
}

LibcEnvironment::~LibcEnvironment() {
  if (others == 0) return;  // restored
  environ = --others == 0 ? of_process : before_;
}

void LibcEnvironment::restore() {
  if (others != 0) environ = of_process;
  others = 0;
}

}  // namespace roam::mpi
