#include "mpi/image/entry.h"

#include "mpi/image/libc_environment.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

using Initial = void (*)(int, char**, char**);
using Final = void (*)();
using Main = int (*)(int, char**, char**);

void call_initial(Image* image, std::size_t module, Range functions) {
  const auto* list = image->at<const Initial*>(module, functions.begin);
  for (std::size_t i = 0; i < functions.bytes / sizeof(Initial); ++i)
    list[i](image->argument_count(), image->arguments(), image->environment().list());
}

void end_modules(void*) { Image::running()->libraries().end_all(); }

// What the program's first function calls. `init` and `fini` are given by programs that were linked
// with a glibc before 2.34, and do the program's own part.
int start_main(Main main, int, char**, Initial init, Final fini, Final, void*) {
  Image* image = Image::running();
  call_initial(image, 0, image->layout().modules()[0].preinit);
  // The order is this process's; what a module does first may end on another rank.
  for (std::size_t i = 0; i < image->layout().set().count(); ++i) {
    const std::size_t module = image->layout().set().initial_order()[i];
    // Where the dynamic linker asks for it: what libraries have asked for comes when they end.
    if (module == 0) image->exits().add(end_modules, nullptr, nullptr);
    if (module == 0 && fini != nullptr) {
      image->exits().add([](void* f) { reinterpret_cast<Final>(f)(); },
                         reinterpret_cast<void*>(fini), nullptr);
    }
    if (module == 0 && init != nullptr) {
      init(image->argument_count(), image->arguments(), image->environment().list());
    } else {
      begin_module(image, module);
    }
    image->libraries().note_begun(module);
  }
  image->in_main = true;
  exit_program(main(image->argument_count(), image->arguments(), image->environment().list()));
}

// On the stack of the thread, as the kernel starts a process: the count of arguments, their list
// and the environment's, both empty, since start_main knows better.
[[gnu::noinline]] void begin(Image* image) {
  if (__builtin_setjmp(image->leave) != 0) return;
  const auto start = image->at<void*>(0, image->layout().set().program().header().e_entry);
  asm volatile(
      "subq $128, %%rsp\n\t"
      "andq $-16, %%rsp\n\t"
      "pushq $0\n\tpushq $0\n\tpushq $0\n\tpushq $0\n\t"
      "xorl %%edx, %%edx\n\t"
      "jmpq *%[start]"
      :
      : [start] "a"(start)
      : "rdx", "memory");
  __builtin_unreachable();
}

[[noreturn, gnu::noinline]] void leave_main(Image* image) { __builtin_longjmp(image->leave, 1); }

int at_exit(void (*function)(void*), void* argument, void* module) {
  Image::running()->exits().add(function, argument, module);
  return 0;
}
int at_exit_of_thread(void (*function)(void*), void* argument, void* module) {
  Image::running()->libraries().keep(module);
  Image::running()->exits().add_of_thread(function, argument);
  return 0;
}
int at_quick_exit(void (*function)(void*), void* argument, void*) {
  Image::running()->exits().add_quick(function, argument);
  return 0;
}
void finalize(void* module) { Image::running()->exits().run_of_module(module); }
[[noreturn]] void quick_exit(int status) {
  Image::running()->exits().run_quick();
  exit_program_at_once(status);
}

struct ThreadLocalIndex {
  char* begin;  // of the module's, as Relocator has it
  std::size_t offset;
};
void* thread_local_at(const ThreadLocalIndex* index) { return index->begin + index->offset; }

}  // namespace

// What each calls may move to another process.
void begin_module(Image* image, std::size_t module) {
  if (const std::size_t first = image->module(module).init_function; first != 0) {
    image->at<Initial>(module, first)(image->argument_count(), image->arguments(),
                                      image->environment().list());
  }
  call_initial(image, module, image->module(module).init);
}

void end_module(Image* image, std::size_t module) {
  const Range functions = image->module(module).fini;
  const std::size_t last = image->module(module).fini_function;
  const auto* list = image->at<const Final*>(module, functions.begin);
  for (std::size_t i = functions.bytes / sizeof(Final); i != 0; --i) list[i - 1]();
  if (last != 0) image->at<Final>(module, last)();
}

int run_program(Image* image) {
  begin(image);
  return image->status;
}

void exit_program(int status) {
  Image* image = Image::running();
  image->in_main = false;
  image->exits().run_of_thread();
  image->exits().run_at_exit(status);
  image->streams().flush_all();
  exit_program_at_once(status);
}

void exit_program_at_once(int status) {
  Image* image = Image::running();
  LibcEnvironment::restore();  // it may end in a function that glob has called
  image->look_at_standard_streams();
  image->in_main = false;
  image->status = status & 0xff;
  leave_main(image);
}

void add_entry_calls() {
  add_launcher_call("__libc_start_main", &start_main);
  add_launcher_call("exit", &exit_program);
  add_launcher_call("_exit", &exit_program_at_once);
  add_launcher_call("_Exit", &exit_program_at_once);
  add_launcher_call("quick_exit", &quick_exit);
  add_launcher_call("__cxa_atexit", &at_exit);
  add_launcher_call("__cxa_at_quick_exit", &at_quick_exit);
  add_launcher_call("__cxa_finalize", &finalize);
  add_launcher_call("__cxa_thread_atexit", &at_exit_of_thread);
  add_launcher_call("__cxa_thread_atexit_impl", &at_exit_of_thread);
  add_launcher_call("__tls_get_addr", &thread_local_at);
  add_end_calls();
}

}  // namespace roam::mpi
