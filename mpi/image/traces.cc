// Through which functions of a program its virtual rank came to where it is: at a crash, and for
// backtrace_symbols of the program's own.

#include "mpi/image/traces.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/heap.h"
#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"
#include "mpi/image/refusal.h"
#include "threads/scheduler.h"
#include "threads/tcb.h"

extern "C" {
// For debuggers (tools/gdb/roam.py): the path of the program, and where an Image has Image::maps.
struct RoamImages {
  const char* program;
  unsigned long maps;
};
[[gnu::used, gnu::visibility("default")]] RoamImages roam_images = {};
}

namespace roam::mpi {
namespace {

// From the Guest of it, by which threads have it.
unsigned long offset_of_maps() {
  const auto* probe = reinterpret_cast<const Image*>(Address{1} << 20);
  return reinterpret_cast<Address>(&probe->maps) -
         reinterpret_cast<Address>(static_cast<const threads::Guest*>(probe));
}

constexpr int kMostFrames = 16;

struct Trace {
  const Image* image;
  std::size_t used = 0;
  int frames = 0;
  char text[1200] = "";
};

// Code that was called lies before where it is come back to, which may be another function's.
const void* place_of_frame(_Unwind_Context* context) {
  int is_exact = 0;
  const _Unwind_Ptr at = _Unwind_GetIPInfo(context, &is_exact);
  return reinterpret_cast<const void*>(is_exact != 0 ? at : at - 1);
}

_Unwind_Reason_Code add_frame(_Unwind_Context* context, void* to) {
  auto* trace = static_cast<Trace*>(to);
  char line[300];
  if (!describe_code(*trace->image, place_of_frame(context), true, line, sizeof line))
    return trace->frames == 0 ? _URC_NO_REASON : _URC_END_OF_STACK;
  const int added = std::snprintf(trace->text + trace->used, sizeof trace->text - trace->used,
                                  "%s%s", trace->frames == 0 ? "" : "\n  called from ", line);
  if (added < 0 || trace->used + static_cast<std::size_t>(added) >= sizeof trace->text) {
    trace->text[trace->used] = '\0';
    return _URC_END_OF_STACK;
  }
  trace->used += static_cast<std::size_t>(added);
  return ++trace->frames == kMostFrames ? _URC_END_OF_STACK : _URC_NO_REASON;
}

// What is said of the crash is said already: should this fail too, nothing else is lost.
void tell_trace() {
  static bool told = false;
  const detail::Tcb* self = threads::on_rank_thread ? threads::scheduler().current() : nullptr;
  const Image* image = Image::running();
  if (told || self == nullptr || image == nullptr ||
      self->guest != static_cast<const threads::Guest*>(image))
    return;
  told = true;
  static Trace trace;
  trace.image = image;
  {
    // Names are made readable in the thread's memory, which no lock of the process guards.
    const iso::HeapScope own(const_cast<iso::Heap*>(&self->heap));
    _Unwind_Backtrace(add_frame, &trace);
  }
  if (trace.frames == 0) return;
  char message[sizeof trace.text + 20];
  std::snprintf(message, sizeof message, "in %s", trace.text);
  report(message);
}

void (*next_tell_launcher)(int, bool) = nullptr;
void (*next_end_job)(int) = nullptr;

// ---- backtrace_symbols ----

std::string text_of_code(void* address) {
  static const auto tell = as_function<int (*)(const void*, Dl_info*)>(launcher_call("dladdr"));
  Dl_info info{};
  if (tell(address, &info) == 0 || info.dli_fname == nullptr || *info.dli_fname == '\0')
    return text("[%p]", address);
  const void* base = info.dli_sname != nullptr ? info.dli_saddr : info.dli_fbase;
  return text("%s(%s+%#tx) [%p]", info.dli_fname, info.dli_sname != nullptr ? info.dli_sname : "",
              static_cast<char*>(address) - static_cast<const char*>(base), address);
}

// One block, which the caller frees.
char** texts_of_code(void* const* addresses, int count) {
  std::vector<std::string> texts;
  std::size_t bytes = 0;
  for (int i = 0; i < count; ++i) {
    texts.push_back(text_of_code(addresses[i]));
    bytes += sizeof(char*) + texts.back().size() + 1;
  }
  auto** list = static_cast<char**>(std::malloc(bytes));
  if (list == nullptr) return nullptr;
  char* to = reinterpret_cast<char*>(list + texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    list[i] = to;
    std::memcpy(to, texts[i].c_str(), texts[i].size() + 1);
    to += texts[i].size() + 1;
  }
  return list;
}
void write_texts_of_code(void* const* addresses, int count, int descriptor) {
  for (int i = 0; i < count; ++i) {
    const std::string line = text_of_code(addresses[i]) + "\n";
    if (::write(descriptor, line.data(), line.size()) < 0) return;
  }
}

std::string_view name_or_nothing(const ElfFile& file, std::uint64_t address) {
  try {
    return file.name_at(address);
  } catch (const Refusal&) {  // damaged
    return {};
  }
}

}  // namespace

bool describe_code(const Image& image, const void* address, bool readable, char* buffer,
                   std::size_t bytes) {
  const std::size_t module = image.module_of(address);
  if (module == image.module_count()) return false;
  const ElfFile& file = *image.module(module).file;
  const std::uint64_t at = reinterpret_cast<Address>(address) - image.begin_of(module);
  const std::string_view name = name_or_nothing(file, at);
  char* made = nullptr;
  if (readable && name.starts_with("_Z"))
    made = abi::__cxa_demangle(name.data(), nullptr, nullptr, nullptr);
  std::snprintf(buffer, bytes, "%s%s(%.*s+0x%llx)",
                made != nullptr ? made
                : name.empty()  ? ""
                                : name.data(),
                name.empty() ? "" : " ", static_cast<int>(file.name().size()), file.name().data(),
                static_cast<unsigned long long>(at));
  std::free(made);
  return true;
}

void trace_crashes(const ElfFile& program) {
  static bool once = false;
  if (once) return;
  once = true;
  const iso::HeapScope process;
  roam_images = {realpath(program.path().c_str(), nullptr), offset_of_maps()};
  next_tell_launcher = fatal_hooks.tell_launcher;
  next_end_job = fatal_hooks.end_job;
  fatal_hooks.tell_launcher = [](int status, bool once_gone) {
    tell_trace();
    if (next_tell_launcher != nullptr) next_tell_launcher(status, once_gone);
  };
  fatal_hooks.end_job = [](int status) {
    tell_trace();
    if (next_end_job != nullptr) next_end_job(status);
  };
}

void add_trace_calls() {
  add_launcher_call("backtrace_symbols", &texts_of_code);
  add_launcher_call("backtrace_symbols_fd", &write_texts_of_code);
}

}  // namespace roam::mpi
