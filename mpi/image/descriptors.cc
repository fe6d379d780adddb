#include "mpi/image/descriptors.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <new>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/process_call.h"
#include "mpi/image/of_process.h"
#include "mpi/image/process_calls.h"

namespace roam::mpi {
namespace {

// Stands for the descriptor among objects that pin: no object lies there.
const void* object_of(int descriptor) {
  return reinterpret_cast<const void*>(static_cast<std::uintptr_t>(descriptor));
}

// Whose each number of the process is.
constinit OfProcess<std::vector<const Descriptors*>> owners;

const Descriptors* owner_of(std::size_t number) {
  const auto known = owners.use();
  return number < known->size() ? (*known)[number] : nullptr;
}

// Descriptors of its own, or of libraries, would get the numbers of standard ones that the process
// was started without; so they are there before anything else is opened: initialisers of a program
// come after those of its libraries (UCX 1.18 opens a socket in one), but for these.
void have_standard_ones() {
  while (true) {
    const long made = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
    if (made > STDERR_FILENO) syscall(SYS_close, made);
    if (made < 0 || made > STDERR_FILENO) return;
  }
}
[[gnu::section(".preinit_array"), gnu::used]] void (*standard_ones)() = have_standard_ones;

}  // namespace

bool Descriptors::has(int descriptor) const {
  const auto number = static_cast<std::size_t>(descriptor);
  return descriptor >= 0 && number < kinds_.size() && kinds_[number] != kNone &&
         owner_of(number) == this;
}

int Descriptors::note(int descriptor, Kind kind) {
  if (descriptor <= kLastStandard) return descriptor;
  if (has(descriptor)) return descriptor;  // dup2 over one of its own, fdopen of one
  const int error = errno;
  const auto number = static_cast<std::size_t>(descriptor);
  try {
    if (number >= kinds_.size()) kinds_.resize(number + 1, kNone);
  } catch (const std::bad_alloc&) {
    ::close(descriptor);
    errno = ENOMEM;
    return -1;
  }
  kinds_[number] = kind;
  iso::Heap* caller = iso::current_heap;
  const auto known = owners.use();
  if (kind == kPins) iso::opened(object_of(descriptor), "file descriptor", caller);
  if (number >= known->size()) known->resize(number + 1);
  (*known)[number] = this;
  errno = error;
  return descriptor;
}

bool Descriptors::forget(int descriptor) {
  if (!has(descriptor)) return false;
  Kind& kind = kinds_[static_cast<std::size_t>(descriptor)];
  const bool pins = kind == kPins;
  kind = kNone;
  (*owners.use())[static_cast<std::size_t>(descriptor)] = nullptr;
  if (pins) {
    const iso::HeapScope process;
    iso::closed(object_of(descriptor));
  }
  return true;
}

int Descriptors::close(int descriptor) {
  if (is_standard(descriptor)) {
    closed_[descriptor] = true;
    return 0;
  }
  if (!forget(descriptor)) {
    errno = EBADF;
    return -1;
  }
  return ::close(descriptor);
}

void Descriptors::tell_of_closed(int descriptor, int least) {
  bool* const place =
      std::find(closed_ + std::clamp(least, 0, kLastStandard + 1), std::end(closed_), true);
  if (place == std::end(closed_) || descriptor <= kLastStandard) return;
  *place = false;
  const int error = errno;
  report_refused(text("opening descriptor %d anew", static_cast<int>(place - closed_)).c_str(),
                 "it is the process's, and all of its virtual ranks use it, so it has stayed open. "
                 "Use the descriptor that the call gives, or redirect the job");
  errno = error;
}

void Descriptors::close_all() {
  for (int descriptor = 0; descriptor < end(); ++descriptor) {
    if (has(descriptor)) close(descriptor);
  }
}

Descriptors::OnlyOwn::OnlyOwn(const Descriptors& own) {
  const int count = static_cast<int>(owners.use()->size());
  for (int i = 0; i < count; ++i) {
    const Descriptors* owner = owner_of(static_cast<std::size_t>(i));
    if (owner == nullptr || owner == &own) continue;
    const int flags = ::fcntl(i, F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC) != 0) continue;
    hidden_.push_back(i);
    ::fcntl(i, F_SETFD, flags | FD_CLOEXEC);
  }
}

Descriptors::OnlyOwn::~OnlyOwn() {
  const int error = errno;
  for (const int descriptor : hidden_) ::fcntl(descriptor, F_SETFD, 0);
  errno = error;
}

void Descriptors::report_foreign(int descriptor) {
  if (told_ || ::fcntl(descriptor, F_GETFD) == -1) return;
  told_ = true;
  const iso::HeapScope process;
  report(text("a virtual rank uses descriptor %d, which it has not opened by a call that is seen: "
              "it is the process's or another virtual rank's, and not open for this one (EBADF)",
              descriptor)
             .c_str());
}

}  // namespace roam::mpi
