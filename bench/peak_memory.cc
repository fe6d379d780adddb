#include "bench/peak_memory.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>

namespace bench {
namespace {

// VmHWM, the highest resident memory; below zero where there is no such line.
double peak_bytes() {
  std::FILE* status = std::fopen("/proc/self/status", "r");
  double kib = -1;
  char line[256];
  while (status != nullptr && std::fgets(line, sizeof line, status) != nullptr) {
    if (std::sscanf(line, "VmHWM: %lf", &kib) == 1) break;
  }
  if (status != nullptr) std::fclose(status);
  return kib < 0 ? kib : kib * 1024;
}

}  // namespace

PeakMemory::PeakMemory() {
  malloc_trim(0);
  // "5" makes what is resident now the peak: proc(5).
  const int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  if (write(file, "5", 1) == 1) before_ = peak_bytes();
  close(file);
}

double PeakMemory::growth() const { return before_ < 0 ? -1 : peak_bytes() - before_; }

}  // namespace bench
