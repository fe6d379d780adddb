// Calls that start a program, which inherits the descriptors of its virtual rank and not those of
// others: it would hold the ends of their pipes. Calls that wait for one: a virtual rank's own
// only.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

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
  constexpr bool kTellsChild = std::string_view(kCalls[kIndex]).starts_with("posix_spawn");
  pid_t child = 0;
  if (kTellsChild && a == 0) a = reinterpret_cast<long>(&child);
  long result;
  {
    const Descriptors::OnlyOwn inherited(Image::running()->descriptors());
    const StandardInput::OfChildren input(Image::running()->standard_input());
    result = real_calls[kIndex](a, b, c, d, e, f);
  }
  Image* const image = Image::running();
  if (image->signal_actions().forgets_children()) image->children().forget_ended();
  if (kTellsChild && static_cast<int>(result) == 0)
    image->children().started(*reinterpret_cast<pid_t*>(a));
  return result;
}

// ---- waiting ----

Children& children() { return Image::running()->children(); }

// `ask` of each child that is meant, with more options, until one answers: its number; 0: none has.
// `is_end`: whether the last answer was that the child has ended. Who forgets those is not told.
template <class Ask, class IsEnd>
pid_t wait_for(pid_t which, int options, Ask ask, IsEnd is_end) {
  for (;;) {
    const bool forgets = Image::running()->signal_actions().forgets_children();
    if (forgets) children().forget_ended();
    const std::vector<pid_t> meant = children().meant(which);
    if (meant.empty()) {
      errno = ECHILD;
      return -1;
    }
    const bool one = meant.size() == 1 && !forgets;
    bool again = false;
    for (const pid_t child : meant) {
      const pid_t found = ask(child, one ? 0 : WNOHANG);
      again = again || (found > 0 && forgets && is_end());
      if (found > 0 && !again) return found;
      if (found < 0 && errno == ECHILD) children().ended(child);  // nobody keeps it (SIGCHLD)
      if (found < 0 && (one || errno != ECHILD)) return found;
    }
    if (again) continue;  // it has ended just now
    if ((options & WNOHANG) != 0) return 0;
    ::usleep(1000);  // which of several ends first the kernel does not tell
  }
}

pid_t wait_with_usage(pid_t which, int* status, int options, rusage* usage) {
  int how = 0;
  const auto is_end = [&how] { return WIFEXITED(how) || WIFSIGNALED(how); };
  const pid_t found = wait_for(
      which, options,
      [&](pid_t child, int more) { return ::wait4(child, &how, options | more, usage); }, is_end);
  if (found <= 0) return found;
  if (is_end()) children().ended(found);
  if (status != nullptr) *status = how;
  return found;
}
pid_t wait_for_any(int* status) { return wait_with_usage(-1, status, 0, nullptr); }
pid_t wait_for_one(pid_t which, int* status, int options) {
  return wait_with_usage(which, status, options, nullptr);
}
pid_t wait_for_any_with_usage(int* status, int options, rusage* usage) {
  return wait_with_usage(-1, status, options, usage);
}

int wait_by_kind(idtype_t kind, id_t id, siginfo_t* info, int options) {
  siginfo_t how{};
  const auto is_end = [&how] {
    return how.si_code == CLD_EXITED || how.si_code == CLD_KILLED || how.si_code == CLD_DUMPED;
  };
  const bool ends = (options & WNOWAIT) == 0;
  if (kind != P_ALL && kind != P_PID && kind != P_PGID) {
    if (::waitid(kind, id, &how, options) != 0) return -1;
    if (how.si_pid > 0 && ends && is_end()) children().ended(how.si_pid);
    if (info != nullptr) *info = how;
    return 0;
  }
  const auto number = static_cast<pid_t>(id);
  const pid_t which = kind == P_ALL ? -1 : kind == P_PID ? number : -number;
  const auto ask = [&](pid_t child, int more) -> pid_t {
    how.si_pid = 0;
    return ::waitid(P_PID, static_cast<id_t>(child), &how, options | more) != 0 ? -1 : how.si_pid;
  };
  const pid_t found = wait_for(which, options, ask, is_end);
  if (found < 0) return -1;
  if (found == 0) how = {};
  if (found > 0 && ends && is_end()) children().ended(found);
  if (info != nullptr) *info = how;
  return 0;
}

FILE* (*real_popen)(const char*, const char*) = nullptr;
FILE* open_command(const char* command, const char* mode) {
  FILE* made = nullptr;
  {
    const Descriptors::OnlyOwn inherited(Image::running()->descriptors());
    const StandardInput::OfChildren input(Image::running()->standard_input());
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
  for (const char* name : {"wait", "__wait"}) add_launcher_call(name, &wait_for_any);
  for (const char* name : {"waitpid", "__waitpid"}) add_launcher_call(name, &wait_for_one);
  add_launcher_call("wait3", &wait_for_any_with_usage);
  add_launcher_call("wait4", &wait_with_usage);
  add_launcher_call("waitid", &wait_by_kind);
  for (const char* name : {"popen", "_IO_popen"}) add_launcher_call(name, &open_command);
}

}  // namespace roam::mpi
