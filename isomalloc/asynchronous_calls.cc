// Calls of libc that helper threads of its own carry out later, in the caller's memory: reads,
// writes, look-ups of addresses. The thread stays until it has asked for the result.

#include <aio.h>
#include <netdb.h>
#include <signal.h>

#include <cerrno>

#include "isomalloc/library_slots.h"
#include "isomalloc/process_call.h"

using roam::iso::closed;
using roam::iso::current_heap;
using roam::iso::Heap;
using roam::iso::HeapScope;
using roam::iso::next;
using roam::iso::opened;

namespace {
constexpr char kRequest[] = "aiocb (aio_return was not called)";
constexpr char kLookup[] = "gaicb (gai_error was not asked until it was done)";
}  // namespace

#define ROAM_AIO_START(name, parameters, arguments)       \
  ROAM_EXPORT int name parameters noexcept {              \
    static const auto real = next<int parameters>(#name); \
    Heap* caller = current_heap;                          \
    HeapScope process;                                    \
    const int result = real arguments;                    \
    if (result == 0) opened(request, kRequest, caller);   \
    return result;                                        \
  }
#define ROAM_AIO_CALLS(suffix)                                                           \
  ROAM_AIO_START(aio_read##suffix, (aiocb##suffix * request), (request))                 \
  ROAM_AIO_START(aio_write##suffix, (aiocb##suffix * request), (request))                \
  ROAM_AIO_START(aio_fsync##suffix, (int kind, aiocb##suffix* request), (kind, request)) \
  ROAM_EXPORT ssize_t aio_return##suffix(aiocb##suffix* request) noexcept {              \
    static const auto real = next<ssize_t(aiocb##suffix*)>("aio_return" #suffix);        \
    HeapScope process;                                                                   \
    closed(request);                                                                     \
    return real(request);                                                                \
  }                                                                                      \
  ROAM_EXPORT int lio_listio##suffix(int mode, aiocb##suffix* const* list, int count,    \
                                     sigevent* event) noexcept {                         \
    using List = int(int, aiocb##suffix* const*, int, sigevent*);                        \
    static const auto real = next<List>("lio_listio" #suffix);                           \
    Heap* caller = current_heap;                                                         \
    HeapScope process;                                                                   \
    const int result = real(mode, list, count, event);                                   \
    if (mode == LIO_WAIT && result == 0) return result;                                  \
    for (int i = 0; i < count; ++i) {                                                    \
      if (list[i] == nullptr || list[i]->aio_lio_opcode == LIO_NOP) continue;            \
      if (result == 0 || aio_error##suffix(list[i]) == EINPROGRESS)                      \
        opened(list[i], kRequest, caller);                                               \
    }                                                                                    \
    return result;                                                                       \
  }
ROAM_AIO_CALLS()
ROAM_AIO_CALLS(64)

// What was found becomes its caller's when it asks, so that freeaddrinfo() is as ever.
ROAM_EXPORT int gai_error(gaicb* request) noexcept {
  static const auto real = next<int(gaicb*)>("gai_error");
  const int error = real(request);
  if (error == EAI_INPROGRESS) return error;
  {
    HeapScope process;
    closed(request);
  }
  if (error != 0 || roam::iso::hand_over_addresses(&request->ar_result)) return error;
  freeaddrinfo(request->ar_result);
  request->ar_result = nullptr;
  return EAI_MEMORY;
}

ROAM_EXPORT int getaddrinfo_a(int mode, gaicb** list, int count, sigevent* event) {
  static const auto real = next<int(int, gaicb**, int, sigevent*)>("getaddrinfo_a");
  Heap* caller = current_heap;
  int result = 0;
  {
    HeapScope process;
    result = real(mode, list, count, event);
    for (int i = 0; i < count; ++i) {
      if (list[i] != nullptr) opened(list[i], kLookup, caller);
    }
  }
  if (mode == GAI_NOWAIT) return result;
  for (int i = 0; i < count; ++i) {
    if (list[i] != nullptr) gai_error(list[i]);
  }
  return result;
}
