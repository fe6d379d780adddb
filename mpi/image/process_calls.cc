#include "mpi/image/process_calls.h"

#include <pthread.h>
#include <threads.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/heap.h"
#include "mpi/image/image.h"
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
  if (replace != 0 || environment().get(name) == nullptr) environment().set(name, value);
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

void add_process_calls() {
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
  for (const char* name : {"fork", "vfork", "_Fork", "forkpty", "daemon"})
    add_launcher_call(name, &refuse_fork);
}

}  // namespace roam::mpi
