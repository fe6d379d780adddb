#include "mpi/image/libc_environment.h"

#include <unistd.h>

namespace roam::mpi {
namespace {

char** of_process = nullptr;  // while another one is in its place

}  // namespace

LibcEnvironment::LibcEnvironment(char** list) : before_(environ) {
  if (of_process == nullptr) of_process = environ;
  environ = list;
}

LibcEnvironment::~LibcEnvironment() {
  environ = before_;
  if (before_ == of_process) of_process = nullptr;
}

void LibcEnvironment::restore() {
  if (of_process != nullptr) environ = of_process;
  of_process = nullptr;
}

}  // namespace roam::mpi
