#include "mpi/image/children.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "isomalloc/process_call.h"

namespace roam::mpi {

Children::~Children() {
  const iso::HeapScope process;
  for (const pid_t& child : list_) iso::closed(&child);
}

void Children::started(pid_t child) {
  try {
    list_.push_back(child);
  } catch (const std::bad_alloc&) {
    return;
  }
  iso::Heap* const caller = iso::current_heap;
  const iso::HeapScope process;
  iso::opened(&list_.back(), "program that was started and not waited for", caller);
}

void Children::ended(pid_t child) {
  const auto found = std::find(list_.begin(), list_.end(), child);
  if (found == list_.end()) return;
  {
    const iso::HeapScope process;
    iso::closed(&*found);
  }
  list_.erase(found);
}

void Children::forget_ended() {
  const int error = errno;
  for (const pid_t child : meant(-1)) {
    const pid_t found = ::waitpid(child, nullptr, WNOHANG);
    if (found == child || (found < 0 && errno == ECHILD)) ended(child);
  }
  errno = error;
}

std::vector<pid_t> Children::meant(pid_t which) const {
  const pid_t group = which == 0 ? getpgrp() : -which;
  std::vector<pid_t> children;
  for (const pid_t child : list_) {
    if (which == -1 || child == which || (which <= 0 && getpgid(child) == group))
      children.push_back(child);
  }
  return children;
}

}  // namespace roam::mpi
