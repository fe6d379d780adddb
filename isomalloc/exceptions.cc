// Exceptions travel with the thread that handles them. One that is made while the capture is off
// (a static's initialiser, a SystemHeap) is in the process's memory with all its text, and so it
// stays if it is kept there (make_exception_ptr); when it is thrown it is on its way to the
// thread's own code, and comes into the thread's heap. What cannot come, or cannot be known to,
// pins the thread until the exception is freed; so does one from libstdc++'s emergency pool, which
// serves when the heap is full.
//
// Of an exception that stays in the process's memory each exception_ptr pins the thread that has
// it, from when it is made until it ends. A move is neither: code that the compiler puts in place
// of a call. So what ends elsewhere than it was made is told by what is left of it where it was
// made, and one that a thread moves out of an object of the process is never seen at all.

#include "isomalloc/exceptions.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/lock.h"
#include "base/os/memory.h"
#include "isomalloc/arena.h"
#include "isomalloc/process_call.h"

namespace roam::iso {
namespace {

constexpr const char* kInPool = "an exception that libstdc++ made in its emergency pool";
constexpr const char* kHoldsProcess = "an exception that holds memory of the process";
constexpr const char* kKept = "an exception that was kept while the capture was off";
constexpr const char* kOfProcess = "an exception of the process";

Heap* thread_heap() {
  return process_hooks.thread_heap != nullptr ? process_hooks.thread_heap() : nullptr;
}

// What is known of a live exception.
struct Note {
  std::size_t bytes = 0;  // of one that was made in a thread with the capture off
  bool pins = false;
};
// An exception_ptr that a thread has made.
struct Reference {
  const void* place;  // where, and under which name it pins
  Heap* heap;         // the thread's
};
struct Notes {
  Lock lock;
  std::unordered_map<const void*, Note> of;
  std::unordered_multimap<const void*, Reference> references;  // of each exception of the process
};
Notes& all_notes() {
  static Notes& notes = *new Notes;  // exceptions outlive statics
  return notes;
}
[[gnu::constructor(102)]] void keep_notes_over_fork() {
  pthread_atfork([] { all_notes().lock.lock(); }, [] { all_notes().lock.unlock(); },
                 [] { all_notes().lock.unlock(); });
}
std::atomic<std::size_t> noted = 0, referred = 0;
thread_local constinit bool noting = false;  // an exception meanwhile is libstdc++'s business

// Calls f(all notes), with the capture off.
template <class F>
void with_all_notes(F f) {
  HeapScope process;
  noting = true;
  {
    Notes& notes = all_notes();
    const std::lock_guard hold(notes.lock);
    f(notes);
    noted.store(notes.of.size(), std::memory_order_relaxed);
    referred.store(notes.references.size(), std::memory_order_relaxed);
  }
  noting = false;
}
template <class F>
void with_notes(F f) {
  with_all_notes([&](Notes& notes) { f(notes.of); });
}

void pin(const void* exception, const char* what) {
  Heap* heap = thread_heap();
  if (heap == nullptr || process_hooks.opened == nullptr) return;
  with_notes([&](auto& notes) { notes[exception].pins = true; });
  HeapScope process;
  process_hooks.opened(heap, exception, what, what == kKept);
}

bool is_on_a_stack(const void* p) { return arena().region(Region::kSlots).contains(p); }

// The heap of the thread that has an exception_ptr at `place`, made in a turn of who has `running`;
// null: it is the process's, for all that can be known.
Heap* heap_of_reference(const void* place, Heap* running) {
  if (!arena().contains(place)) return current_heap != nullptr ? running : nullptr;
  Heap* owner = heap_of(place);
  return owner != nullptr ? owner : running;
}

// `place` is an exception_ptr to an exception of the process.
void note_reference(const void* exception, const void* place, Heap* running) {
  Heap* heap = heap_of_reference(place, running);
  if (heap == nullptr || process_hooks.opened == nullptr) return;
  with_all_notes([&](Notes& notes) {
    notes.references.emplace(exception, Reference{place, heap});
  });
  HeapScope process;
  opened(place, kOfProcess, heap);
}

// Whether what the thread of the heap `own` has made at `place` is surely still there.
bool still_refers(const Reference& reference, const void* exception, const Heap* own) {
  if (!is_on_a_stack(reference.place) && heap_of(reference.place) != own) return false;
  return *static_cast<const void* const*>(reference.place) == exception;
}

// The one at `place` ends: one that was made there, or one of `running` that has moved there.
// Nobody else's, nor another one of the same thread: it may have come there unseen.
void end_reference(const void* exception, const void* place, const Heap* running) {
  if (referred.load(std::memory_order_relaxed) == 0 || noting) return;
  const void* ended = nullptr;
  with_all_notes([&](Notes& notes) {
    const auto [first, last] = notes.references.equal_range(exception);
    auto found = last;
    for (auto it = first; it != last; ++it) {
      if (it->second.place == place) {
        found = it;
        break;
      }
      if (it->second.heap == running && !still_refers(it->second, exception, running)) found = it;
    }
    if (found == last) return;
    ended = found->second.place;
    notes.references.erase(found);
  });
  if (ended == nullptr) return;
  HeapScope process;
  closed(ended);
}

void end_references(const void* exception) {
  if (referred.load(std::memory_order_relaxed) == 0 || noting) return;
  std::vector<const void*> ended;
  with_all_notes([&](Notes& notes) {
    const auto [first, last] = notes.references.equal_range(exception);
    for (auto it = first; it != last; ++it) ended.push_back(it->second.place);
    notes.references.erase(first, last);
  });
  HeapScope process;
  for (const void* place : ended) closed(place);
  ended = {};
}

// The exception is freed, or goes elsewhere.
Note forget(const void* exception) {
  end_references(exception);
  Note note;
  if (noted.load(std::memory_order_relaxed) == 0 || noting) return note;
  with_notes([&](auto& notes) {
    const auto it = notes.find(exception);
    if (it == notes.end()) return;
    note = it->second;
    notes.erase(it);
  });
  if (note.pins) {
    HeapScope process;
    closed(exception);
  }
  return note;
}

// Neither a thread's memory, nor code or constants, which are alike everywhere.
bool in_process_memory(const void* p) {
  dl_find_object object;
  return !arena().contains(p) && _dl_find_object(const_cast<void*>(p), &object) != 0;
}

// The E in an object of `type` that a handler for E would see; null if it would not.
template <class E>
E* as(void* object, const std::type_info* type) {
  return typeid(E).__do_catch(type, &object, 1) ? static_cast<E*>(object) : nullptr;
}

// The text of the standard's errors is counted by reference: a copy of one that the process made
// would be the process's too.
template <class E>
void rehome_text(void* object, const std::type_info* type) {
  E* error = as<E>(object, type);
  if (error == nullptr) return;
  const char* text = error->E::what();
  if (in_process_memory(text)) error->E::operator=(E(text));
}

// The paths are shared by the copies, and how it was made shows in its text only.
void rehome_paths(void* object, const std::type_info* type) {
  using std::filesystem::filesystem_error;
  auto* error = as<filesystem_error>(object, type);
  if (error == nullptr) return;
  std::string what = error->std::system_error::what();
  const std::string message = ": " + error->code().message();
  if (!what.ends_with(message)) return;
  what.resize(what.size() - message.size());
  for (const auto& again :
       {filesystem_error(what, error->code()),
        filesystem_error(what, error->path1(), error->code()),
        filesystem_error(what, error->path1(), error->path2(), error->code())}) {
    if (std::strcmp(again.what(), error->filesystem_error::what()) != 0) continue;
    error->filesystem_error::operator=(again);
    return;
  }
}

// Whether the bytes mean the same at another place and on another rank.
bool may_travel(const void* object, std::size_t bytes) {
  const auto* words = static_cast<void* const*>(object);
  for (std::size_t i = 0; i < bytes / sizeof(void*); ++i) {
    const Address value = reinterpret_cast<Address>(words[i]);
    if (Range{reinterpret_cast<Address>(object), bytes}.contains(value)) return false;
    if (value >= kPageBytes && in_process_memory(words[i]) && os::is_mapped(value)) return false;
  }
  return true;
}

void* allocate(std::size_t bytes) {
  static const auto real = next<void*(std::size_t)>("__cxa_allocate_exception");
  return real(bytes);
}

void release(void* exception) {
  static const auto real = next<void(void*)>("__cxa_free_exception");
  real(exception);
}

// Returns where the exception is from now on.
void* bring_home(void* object, const std::type_info* type, Heap* heap) {
  const bool made_in_process = current_heap == nullptr && !arena().contains(object);
  HeapScope own(heap);
  try {
    rehome_text<std::runtime_error>(object, type);
    rehome_text<std::logic_error>(object, type);
    if (made_in_process) rehome_paths(object, type);
  } catch (...) {  // the heap is full
    pin(object, kHoldsProcess);
    return object;
  }
  if (!made_in_process) return object;
  const Note note = forget(object);
  void* fresh = note.bytes != 0 && may_travel(object, note.bytes) ? allocate(note.bytes) : nullptr;
  if (fresh == nullptr) {
    pin(object, kHoldsProcess);
    return object;
  }
  if (!arena().contains(fresh)) pin(fresh, kInPool);
  std::memcpy(fresh, object, note.bytes);
  release(object);
  return fresh;
}

// Whether `p` lies in the thread's heap, or in an exception that may come there: what is being
// thrown nests what it was made from.
bool travels(Heap* heap, const void* p) {
  if (heap->contains(p)) return true;
  bool found = false;
  with_notes([&](const auto& notes) {
    for (const auto& [exception, note] : notes) {
      if (Range{reinterpret_cast<Address>(exception), note.bytes}.contains(p)) found = true;
    }
  });
  return found;
}

const void* object_of(const std::exception_ptr& error) {
  static_assert(sizeof(error) == sizeof(void*));
  return *reinterpret_cast<void* const*>(&error);
}

// The exception that rethrow_exception is about to throw is the process's.
thread_local constinit bool rethrows_of_process = false;

// A handler may copy what it sees, and the copies of these share nothing with it once they have a
// text of their own.
template <class... E>
void throw_copy(const std::type_info& type, const void* object) {
  const auto throw_if = [&]<class One>(const One* error) {
    if (type == typeid(One)) throw One(*error);
  };
  (throw_if(static_cast<const E*>(object)), ...);
}

}  // namespace

bool of_process(const std::exception_ptr& error) {
  return error != nullptr && !arena().contains(object_of(error));
}

}  // namespace roam::iso

using roam::iso::arena;
using roam::iso::current_heap;
using roam::iso::Heap;
using roam::iso::HeapScope;
using roam::iso::next;

#define ROAM_STD __attribute__((visibility("default")))

namespace __cxxabiv1 {

extern "C" {

ROAM_STD void* __cxa_allocate_exception(std::size_t bytes) noexcept {
  using namespace roam::iso;
  void* object = allocate(bytes);
  if (noting) return object;
  if (current_heap != nullptr) {
    if (!arena().contains(object)) pin(object, kInPool);
  } else if (thread_heap() != nullptr) {
    std::memset(object, 0, bytes);  // what is not written is not taken for addresses
    with_notes([&](auto& notes) { notes[object].bytes = bytes; });
  }
  return object;
}

ROAM_STD void __cxa_free_exception(void* exception) noexcept {
  roam::iso::forget(exception);
  roam::iso::release(exception);
}

// What rethrow_exception throws. It is on its way to the thread's own code too.
ROAM_STD __cxa_dependent_exception* __cxa_allocate_dependent_exception() noexcept {
  using namespace roam::iso;
  static const auto real = next<__cxa_dependent_exception*()>("__cxa_allocate_dependent_exception");
  const bool of_process = std::exchange(rethrows_of_process, false);
  Heap* heap = current_heap != nullptr ? current_heap : thread_heap();
  HeapScope own(heap);
  __cxa_dependent_exception* made = real();
  if (heap == nullptr) return made;
  if (!arena().contains(made)) {
    pin(made, kInPool);
  } else if (of_process) {
    pin(made, kOfProcess);
  }
  return made;
}

ROAM_STD void __cxa_free_dependent_exception(__cxa_dependent_exception* exception) noexcept {
  static const auto real = next<void(__cxa_dependent_exception*)>("__cxa_free_dependent_exception");
  roam::iso::forget(exception);
  real(exception);
}

ROAM_STD void __cxa_throw(void* object, std::type_info* type, void (*destroy)(void*)) {
  static const auto real = next<void(void*, std::type_info*, void (*)(void*))>("__cxa_throw");
  if (Heap* heap = roam::iso::thread_heap(); heap != nullptr && !roam::iso::noting)
    object = roam::iso::bring_home(object, type, heap);
  real(object, type, destroy);
  __builtin_unreachable();
}

}  // extern "C"

}  // namespace __cxxabiv1

namespace std {

// An exception of the thread that code of the process keeps, for all that can be known.
ROAM_STD exception_ptr current_exception() noexcept {
  using namespace roam::iso;
  static const auto real = roam::iso::next<exception_ptr()>("_ZSt17current_exceptionv");
  exception_ptr kept = real();
  if (current_heap != nullptr || kept == nullptr || roam::iso::of_process(kept)) return kept;
  if (Heap* heap = thread_heap(); heap != nullptr && !travels(heap, &kept))
    pin(object_of(kept), kKept);
  return kept;
}

ROAM_STD void rethrow_exception(exception_ptr error) {
  static const auto real = roam::iso::next<void(exception_ptr)>(
      "_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE");
  using namespace roam::iso;
  rethrows_of_process = false;
  if (roam::iso::of_process(error) && current_heap != nullptr && thread_heap() != nullptr) {
    throw_copy<runtime_error, range_error, overflow_error, underflow_error, system_error,
               logic_error, invalid_argument, domain_error, length_error, out_of_range, bad_alloc>(
        *error.__cxa_exception_type(), object_of(error));
    rethrows_of_process = true;
  }
  real(std::move(error));
  __builtin_unreachable();
}

namespace __exception_ptr {

// A thread that holds an exception of the process stays with it.
ROAM_STD void exception_ptr::_M_addref() noexcept {
  using namespace roam::iso;
  static const auto real =
      roam::iso::next<void(exception_ptr*)>("_ZNSt15__exception_ptr13exception_ptr9_M_addrefEv");
  real(this);
  if (noting || _M_exception_object == nullptr || arena().contains(_M_exception_object)) return;
  if (Heap* const running = thread_heap(); running != nullptr)
    note_reference(_M_exception_object, this, running);
}

ROAM_STD void exception_ptr::_M_release() noexcept {
  using namespace roam::iso;
  static const auto real =
      roam::iso::next<void(exception_ptr*)>("_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv");
  if (_M_exception_object != nullptr && !arena().contains(_M_exception_object))
    end_reference(_M_exception_object, this, thread_heap());
  real(this);
}

}  // namespace __exception_ptr
}  // namespace std
