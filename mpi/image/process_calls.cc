#include "mpi/image/process_calls.h"

#include <fmtmsg.h>
#include <glob.h>
#include <nl_types.h>
#include <pthread.h>
#include <spawn.h>
#include <threads.h>
#include <unistd.h>
#include <wordexp.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/heap.h"
#include "mpi/image/image.h"
#include "mpi/image/libc_environment.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

Environment& environment() { return Image::running()->environment(); }

bool is_bad_name(const char* name) {
  if (name != nullptr && *name != '\0' && std::strchr(name, '=') == nullptr) return false;
  errno = EINVAL;
  return true;
}

char* get_environment(const char* name) { return environment().get(name); }
int set_environment(const char* name, const char* value, int replace) {
  if (is_bad_name(name)) return -1;
  try {
    if (replace != 0 || environment().get(name) == nullptr) environment().set(name, value);
  } catch (const std::bad_alloc&) {
    errno = ENOMEM;
    return -1;
  }
  return 0;
}
int unset_environment(const char* name) {
  if (is_bad_name(name)) return -1;
  environment().unset(name);
  return 0;
}
int put_environment(char* line) {
  if (std::strchr(line, '=') == nullptr) {
    environment().unset(line);
  } else {
    environment().put(line);
  }
  return 0;
}
int clear_environment() {
  environment().clear();
  return 0;
}

// ---- programs ----

// A call that reads libc's environment, or gives it on to a program.
template <auto kCall, class... A>
auto in_own_environment(A... arguments) {
  const LibcEnvironment own(environment().list());
  return kCall(arguments...);
}

// By its address: linkers warn of who names it.
char* temporary_name_in(const char* folder, const char* begin) {
  static const auto name =
      as_function<char* (*)(const char*, const char*)>(process_symbol("tempnam", ""));
  const LibcEnvironment own(environment().list());
  return name(folder, begin);
}

constexpr char kNoThreads[] =
    "a kernel thread would have thread_local variables of its own in the place of the virtual "
    "rank's. Run it with one thread (OMP_NUM_THREADS=1), and more virtual ranks";
int refuse_kernel_thread(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) {
  report_refused("pthread_create", kNoThreads);
  return EAGAIN;
}
int refuse_c11_thread(thrd_t*, thrd_start_t, void*) {
  report_refused("thrd_create", kNoThreads);
  return thrd_error;
}
pid_t refuse_fork() {
  report_refused("fork",
                 "the copy would be of the process, with all of its virtual ranks. Use "
                 "posix_spawn, system or popen to start a program");
  errno = ENOSYS;
  return -1;
}

int refuse_clone() {
  report_refused("clone",
                 "a kernel thread would have thread_local variables of its own in the place of the "
                 "virtual rank's, and a copy would be of the process, with all of its virtual "
                 "ranks. Use posix_spawn, system or popen to start a program");
  errno = ENOSYS;
  return -1;
}

int refuse_exec() {
  report_refused("exec and its kin",
                 "another program would take the place of the process, with all of its virtual "
                 "ranks. Use posix_spawn, system or popen to start one");
  errno = ENOSYS;
  return -1;
}

// It would be in one piece for all virtual ranks of the process, and stay there when one moves.
void* move_break(std::intptr_t bytes) {
  if (bytes == 0) return ::sbrk(0);
  refuse_break();
  errno = ENOMEM;
  return reinterpret_cast<void*>(-1);
}
int set_break(void* end) {
  if (end == ::sbrk(0)) return 0;
  refuse_break();
  errno = ENOMEM;
  return -1;
}

int refuse_format() {
  report_refused("register_printf_specifier and its kin",
                 "printf of the process, and of all its virtual ranks, would call it wherever they "
                 "are. A library that does so works shared: --shared=LIBRARY");
  errno = ENOSYS;
  return -1;
}

}  // namespace

void report_refused(const char* call, const char* why) {
  const iso::HeapScope process;
  report(text("%s in a virtual rank is refused: %s", call, why).c_str());
}

void refuse_break() {
  report_refused("sbrk or brk",
                 "all virtual ranks of the process would get parts of one piece of memory, which "
                 "does not move with them. Use malloc or mmap");
}

void add_process_calls() {
  for (const char* name : {"sbrk", "__sbrk"}) add_launcher_call(name, &move_break);
  for (const char* name : {"brk", "__brk"}) add_launcher_call(name, &set_break);
  add_launcher_call("getenv", &get_environment);
  add_launcher_call("secure_getenv", &get_environment);
  add_launcher_call("__secure_getenv", &get_environment);
  add_launcher_call("setenv", &set_environment);
  add_launcher_call("unsetenv", &unset_environment);
  add_launcher_call("putenv", &put_environment);
  add_launcher_call("clearenv", &clear_environment);
  add_launcher_call("pthread_create", &refuse_kernel_thread);
  add_launcher_call("thrd_create", &refuse_c11_thread);
  for (const char* name : {"register_printf_function", "register_printf_modifier",
                           "register_printf_specifier", "register_printf_type"})
    add_launcher_call(name, &refuse_format);
  for (const char* name :
       {"execl", "execle", "execlp", "execv", "execve", "execveat", "execvp", "execvpe", "fexecve"})
    add_launcher_call(name, &refuse_exec);
  add_launcher_call("system", &in_own_environment<::system, const char*>);
  add_launcher_call("popen", &in_own_environment<::popen, const char*, const char*>);
  add_launcher_call(
      "posix_spawnp",
      &in_own_environment<::posix_spawnp, pid_t*, const char*, const posix_spawn_file_actions_t*,
                          const posix_spawnattr_t*, char* const*, char* const*>);
  add_launcher_call("wordexp", &in_own_environment<::wordexp, const char*, wordexp_t*, int>);
  for (const char* name : {"glob", "glob64"}) {
    add_launcher_call(
        name, &in_own_environment<::glob, const char*, int, int (*)(const char*, int), glob_t*>);
  }
  add_launcher_call("tempnam", &temporary_name_in);
  add_launcher_call("catopen", &in_own_environment<::catopen, const char*, int>);
  add_launcher_call(
      "fmtmsg",
      &in_own_environment<::fmtmsg, long, const char*, int, const char*, const char*, const char*>);
  for (const char* name : {"clone", "__clone"}) add_launcher_call(name, &refuse_clone);
  for (const char* name : {"fork", "vfork", "_Fork", "forkpty", "daemon"})
    add_launcher_call(name, &refuse_fork);
}

}  // namespace roam::mpi
