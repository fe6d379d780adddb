#include "isomalloc/runtime_threads.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <new>

#include "base/sanitizers.h"

extern "C" {
void* __libc_malloc(std::size_t bytes) ROAM_OF_PROCESS("malloc");
void __libc_free(void* block) ROAM_OF_PROCESS("free");
}

namespace roam::iso {
namespace {

std::atomic<int> count = 0;
thread_local constinit int scopes_here = 0;

// While it runs. It exists before it is counted, and after: none that is not there is.
struct Counted {
  Counted() { count.fetch_add(1, std::memory_order_relaxed); }
  ~Counted() { count.fetch_sub(1, std::memory_order_relaxed); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
};

struct Start {
  void* (*body)(void*);
  void* argument;
};

void* begin(void* given) {
  const Start start = *static_cast<Start*>(given);
  __libc_free(given);
  const Counted counted;
  const ForRuntime what_it_makes;
  return start.body(start.argument);
}

}  // namespace

bool (*called_by_mpi)(const void* caller) = nullptr;

int runtime_threads() { return count.load(std::memory_order_relaxed); }

ForRuntime::ForRuntime() { ++scopes_here; }
ForRuntime::~ForRuntime() { --scopes_here; }

bool made_for_runtime(const void* caller) {
  return scopes_here > 0 || (called_by_mpi != nullptr && called_by_mpi(caller));
}

int create_for_runtime(int (*real)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*),
                       pthread_t* id, const pthread_attr_t* attributes, void* (*body)(void*),
                       void* argument) {
  void* start = __libc_malloc(sizeof(Start));
  if (start == nullptr) return EAGAIN;
  new (start) Start{body, argument};
  const int result = real(id, attributes, begin, start);
  if (result != 0) __libc_free(start);
  return result;
}

}  // namespace roam::iso
