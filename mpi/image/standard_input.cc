#include "mpi/image/standard_input.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"

namespace roam::mpi {
namespace {

StandardInput::Ways ways;
int empty = -1;
FILE* empty_stream = nullptr;

bool can_go() { return ways.go_there == nullptr || ways.go_there(); }

}  // namespace

FILE* const StandardInput::input_ = stdin;

void StandardInput::prepare(const Ways& w) {
  ways = w;
  empty = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  empty_stream = std::fopen("/dev/null", "re");
  ROAM_CHECK(empty >= 0 && empty_stream != nullptr,
             "/dev/null cannot be opened, the input of virtual ranks");
}

void StandardInput::reach() {
  if (!can_go()) ways.give_up();
}

ssize_t StandardInput::read(void* to, std::size_t bytes) {
  if (!has_it_) return 0;
  return can_go() ? ::read(0, to, bytes) : ways.read_there(to, bytes);
}

int StandardInput::reading_descriptor() {
  if (!has_it_) return empty;
  reach();
  return 0;
}

// That of another rank may be a pipe in which nothing ever comes. An empty one can always be read.
int StandardInput::asking_descriptor() { return has_it_ && can_go() ? 0 : empty; }

FILE* StandardInput::acted_stream() {
  if (!has_it_) return empty_stream;
  reach();
  return input_;
}

FILE* StandardInput::reading_stream() {
  at_end_ = !has_it_;
  return acted_stream();
}

FILE* StandardInput::asked_stream() {
  if (!has_it_) return empty_stream;
  can_go();
  return input_;
}

// Without a number for it to be kept under, what is started has none.
StandardInput::OfChildren::OfChildren(const StandardInput& own) {
  if (own.has_it()) return;
  flags_ = ::fcntl(0, F_GETFD);
  kept_ = ::fcntl(0, F_DUPFD_CLOEXEC, 3);
  if (kept_ >= 0) {
    ::dup2(empty, 0);
  } else {
    ::fcntl(0, F_SETFD, FD_CLOEXEC);
  }
}

StandardInput::OfChildren::~OfChildren() {
  if (flags_ < 0) return;
  const int error = errno;
  if (kept_ >= 0) {
    ::dup2(kept_, 0);
    ::close(kept_);
  }
  ::fcntl(0, F_SETFD, flags_);
  errno = error;
}

}  // namespace roam::mpi
