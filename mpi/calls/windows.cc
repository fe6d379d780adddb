#include "mpi/calls/windows.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/float_modes.h"
#include "base/text.h"
#include "mpi/calls/call_error.h"
#include "mpi/calls/ending.h"
#include "mpi/datatype/operation.h"
#include "mpi/datatype/pack.h"
#include "roam/error.h"
#include "runtime/api/member_messages.h"

namespace roam::mpi {
namespace {

using What = WindowMessage::Kind;

// While something is served: the virtual rank has told itself what its thread may wait for.
bool told_itself = false;

bool brings_data(const WindowMessage& head) {
  return head.kind != What::kGet && (head.kind != What::kGetAccumulate || head.op != MPI_NO_OP);
}
bool gives_answer(What kind) {
  return kind == What::kGet || kind == What::kGetAccumulate || kind == What::kCompareAndSwap;
}

// One element or several in a row, packed without gaps, as an operation takes them.
struct Elements {
  const Datatype* type;
  bool has_gaps;  // a pair: then it is one element

  Elements(MPI_Datatype handle, const TypeRef& held)
      : type(held.get()),
        has_gaps(handle != MPI_DATATYPE_NULL && held->bounds.extent() != held->size) {}

  // Of the memory that a run of so many packed bytes takes.
  std::size_t span(std::size_t bytes) const {
    return has_gaps ? static_cast<std::size_t>(type->bounds.true_ub) : bytes;
  }
  void read(const char* from, std::size_t bytes, char* to) const {
    if (!has_gaps) {
      std::memcpy(to, from, bytes);
    } else {
      (void)pack(from, 1, *type, 0, type->size, to);
    }
  }
  // What has been checked is not refused.
  void combine(MPI_Op op, const char* from, std::size_t bytes, char* into) const {
    if (!has_gaps) {
      (void)reduce(op, from, into, static_cast<MPI_Count>(bytes) / type->size, *type);
      return;
    }
    alignas(16) char element[64] = {};
    (void)unpack(from, 0, type->size, element, 1, *type);
    (void)reduce(op, element, into, 1, *type);
  }
};

std::vector<WindowRun> runs_of(const WindowMessage& head, const char* data) {
  std::vector<WindowRun> runs(head.runs);
  if (head.runs != 0) std::memcpy(runs.data(), data, runs.size() * sizeof(WindowRun));
  return runs;
}

}  // namespace

Windows::~Windows() {
  if (member_ != nullptr) runtime::set_server(nullptr);
}

Window& Windows::window(MPI_Win handle) {
  Window* found = find(handle);
  if (found == nullptr) {
    throw CallError(MPI_ERR_WIN, handle == MPI_WIN_NULL ? std::string("the window is MPI_WIN_NULL")
                                                        : text("0x%08x is no window, or was freed",
                                                               static_cast<unsigned>(handle)));
  }
  return *found;
}

MPI_Win Windows::add(std::unique_ptr<Window> made) {
  if (member_ == nullptr) {
    runtime::set_server(this);
    member_ = &runtime::calling_member();
  }
  Window* window = made.get();
  by_number_[window->number()] = window;
  return window->handle = table_.add(std::move(made));
}

void Windows::remove(MPI_Win handle) {
  by_number_.erase(window(handle).number());
  table_.remove(handle);
}

void Windows::send(Window& w, int to, const WindowMessage& head, const void* data,
                   std::size_t bytes) {
  std::vector<char> message(sizeof head + bytes);
  std::memcpy(message.data(), &head, sizeof head);
  if (bytes != 0) std::memcpy(message.data() + sizeof head, data, bytes);
  send_whole(w, to, message.data(), message.size());
}

void Windows::send_whole(Window& w, int to, const char* message, std::size_t bytes) {
  if (to == number_) {
    told_itself |= act(w, to, message, bytes);
  } else {
    runtime::send_to_server(*member_, to, w.number(), message, bytes);
  }
}

bool Windows::serve(detail::Member&, const detail::Envelope& e, const char* data) {
  const auto found = by_number_.find(e.context);
  if (found == by_number_.end()) {
    end_job(1, text("virtual rank %d accesses a window that virtual rank %d has freed", e.from,
                    number_));
  }
  try {
    // What it serves may be what its own thread waits for: another one gives a lock back. And what
    // it then sends to others of this rank is served at once, within this.
    const bool outer = std::exchange(told_itself, false);
    const bool news = act(*found->second, e.from, data, e.bytes);
    return std::exchange(told_itself, outer) || news;
  } catch (const Error& error) {
    end_job(1, text("virtual rank %d cannot answer to an access to its window: %s", number_,
                    error.what()));
  } catch (const std::bad_alloc&) {
    end_job(1, text("virtual rank %d has no memory for an access to its window", number_));
  }
}

// True: what the thread waits for may have come.
bool Windows::act(Window& w, int from, const char* message, std::size_t bytes) {
  WindowMessage head;
  std::memcpy(&head, message, sizeof head);
  const char* data = message + sizeof head;
  const std::size_t rest = bytes - sizeof head;
  auto* fetch = reinterpret_cast<Fetch*>(head.fetch);
  const auto came = [&](std::size_t count) {
    fetch->left -= count;
    w.fetching -= count;
    if (fetch->left != 0) return;
    w.fetching -= kMessageBytes;
    --w.peers[from].fetches;
  };
  switch (head.kind) {
    case What::kPut:
    case What::kGet:
    case What::kAccumulate:
    case What::kGetAccumulate:
    case What::kCompareAndSwap:
      access(w, from, head, data);
      return false;
    case What::kFlush:
      send(w, from, {.kind = What::kFlushed});
      return false;
    case What::kLock:
      lock(w, from, head.exclusive != 0);
      return false;
    case What::kUnlock:
      unlock(w, from, head.exclusive != 0);
      return false;
    case What::kComplete:
      ++w.completed;
      return true;
    case What::kPost:
      ++w.peers[from].posts;
      return true;
    case What::kData:
      if (!fetch->unpacked) {
        std::memcpy(fetch->staged.data() + head.at, data, rest);
      } else {
        (void)unpack(data, static_cast<MPI_Count>(head.at), static_cast<MPI_Count>(rest),
                     fetch->data, fetch->count, *fetch->type);
      }
      came(rest);
      return true;
    case What::kFailed: {
      const bool to_request = fetch != nullptr && fetch->requested;
      int& error = to_request ? fetch->error : w.error;
      if (error == MPI_SUCCESS) {
        error = head.op;
        (to_request ? fetch->why : w.why).assign(data, rest);
      }
      if (fetch != nullptr) {
        fetch->error = head.op;
        came(head.at);
      }
      return true;
    }
    case What::kFlushed:
      --w.peers[from].flushes;
      return true;
    case What::kGranted:
      w.peers[from].lock = Window::Peer::Lock::kHeld;
      return true;
    case What::kUnlocked:
      w.peers[from].lock = Window::Peer::Lock::kNone;
      return true;
  }
  return false;
}

// All of a message is in the window, or nothing of it is done.
void Windows::access(Window& w, int from, const WindowMessage& head, const char* data) {
  const std::vector<WindowRun> runs = runs_of(head, data);
  data += runs.size() * sizeof(WindowRun);
  const TypeRef type = head.element == MPI_DATATYPE_NULL ? TypeRef() : predefined(head.element);
  const Elements elements(head.element, type);
  std::size_t bytes = 0;
  for (const WindowRun& run : runs) {
    bytes += run.bytes;
    const std::size_t span = elements.span(run.bytes);
    if (w.place(head.displacement, run.offset, span) != nullptr) continue;
    const std::string why =
        w.flavor == MPI_WIN_FLAVOR_DYNAMIC
            ? text("rank %d has attached no memory that has all of the %zu bytes at address %#llx",
                   w.communicator.rank, span,
                   static_cast<unsigned long long>(head.displacement + run.offset))
            : text(
                  "%zu bytes at %lld bytes from displacement %lld are not in the window of rank "
                  "%d, which has %lld bytes, and displacements of %lld bytes",
                  span, static_cast<long long>(run.offset),
                  static_cast<long long>(head.displacement), w.communicator.rank,
                  static_cast<long long>(w.size), static_cast<long long>(w.unit));
    std::size_t all = 0;
    for (const WindowRun& r : runs) all += r.bytes;
    const std::string said = why.substr(0, 400);
    send(w, from, {.kind = What::kFailed, .op = MPI_ERR_RMA_RANGE, .fetch = head.fetch, .at = all},
         said.data(), said.size());
    return;
  }
  std::vector<char> answer;
  if (gives_answer(head.kind)) {
    const WindowMessage to{.kind = What::kData, .fetch = head.fetch, .at = head.at};
    answer.resize(sizeof to + bytes);
    std::memcpy(answer.data(), &to, sizeof to);
  }
  char* out = answer.empty() ? nullptr : answer.data() + sizeof(WindowMessage);
  std::optional<FloatModes::Scope> modes;  // where this runs is chance
  if (head.kind == What::kAccumulate || head.kind == What::kGetAccumulate)
    modes.emplace(FloatModes(head.modes));
  for (const WindowRun& run : runs) {
    char* at = w.place(head.displacement, run.offset, elements.span(run.bytes));
    if (out != nullptr) {
      elements.read(at, run.bytes, out);
      out += run.bytes;
    }
    switch (head.kind) {
      case What::kPut:
        std::memcpy(at, data, run.bytes);
        break;
      case What::kAccumulate:
      case What::kGetAccumulate:
        if (brings_data(head)) elements.combine(head.op, data, run.bytes, at);
        break;
      case What::kCompareAndSwap:  // what is compared, and what comes in its place
        if (std::memcmp(at, data, run.bytes) == 0) std::memcpy(at, data + run.bytes, run.bytes);
        break;
      default:
        break;
    }
    if (brings_data(head)) data += run.bytes;
  }
  if (!answer.empty()) send_whole(w, from, answer.data(), answer.size());
}

// First come, first served: who wants to write is not passed by readers that come later.
void Windows::lock(Window& w, int from, bool exclusive) {
  w.waiting.push_back({from, exclusive});
  grant(w);
}
void Windows::unlock(Window& w, int from, bool exclusive) {
  if (exclusive) {
    w.writer = false;
  } else {
    --w.readers;
  }
  send(w, from, {.kind = What::kUnlocked});
  grant(w);
}
void Windows::grant(Window& w) {
  while (!w.waiting.empty() && !w.writer && (w.readers == 0 || !w.waiting.front().exclusive)) {
    const Window::Waiting next = w.waiting.front();
    w.waiting.pop_front();
    if (next.exclusive) {
      w.writer = true;
    } else {
      ++w.readers;
    }
    send(w, next.from, {.kind = What::kGranted});
  }
}

}  // namespace roam::mpi
