#include "isomalloc/helper_threads.h"

#include <pthread.h>
#include <sched.h>
#include <threads.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>
#include <functional>
#include <mutex>
#include <new>
#include <unordered_map>

#include "base/lock.h"
#include "base/sanitizers.h"
#include "isomalloc/process_call.h"
#include "isomalloc/runtime_threads.h"

extern "C" {
void* __libc_malloc(std::size_t bytes) ROAM_OF_PROCESS("malloc");
void __libc_free(void* block) ROAM_OF_PROCESS("free");
}

namespace roam::iso {

thread_local constinit Helper* helper = nullptr;
std::atomic<std::size_t> helper_blocks = 0;
bool (*between_joins)(int round) = nullptr;

// Of one kernel thread that a thread started, and of those that it started itself. It pins until
// `pins` is 0. It is freed then.
struct Helper {
  std::size_t pins = 0;  // kernel threads that run, handles that can be joined, live blocks
};

namespace {

// Beside malloc and free, which come here.
template <class T>
struct Beside {
  using value_type = T;
  Beside() = default;
  template <class U>
  Beside(const Beside<U>&) {}
  T* allocate(std::size_t n) {
    void* block = __libc_malloc(n * sizeof(T));
    if (block == nullptr) throw std::bad_alloc();
    return static_cast<T*>(block);
  }
  void deallocate(T* block, std::size_t) { __libc_free(block); }
  bool operator==(const Beside&) const { return true; }
};
template <class Key>
using Table = std::unordered_map<Key, Helper*, std::hash<Key>, std::equal_to<Key>,
                                 Beside<std::pair<const Key, Helper*>>>;
struct Tables {
  Lock lock;
  Table<void*> blocks;
  Table<pthread_t> joinable;
};
Tables& tables() {
  static Tables& made = *new (__libc_malloc(sizeof(Tables))) Tables;
  return made;
}

// A child of fork must not find it taken by a kernel thread that is not there. Last of all locks,
// since who holds another may allocate: so it is registered first.
[[gnu::constructor(101)]] void keep_tables_over_fork() {
  pthread_atfork([] { tables().lock.lock(); }, [] { tables().lock.unlock(); },
                 [] { tables().lock.unlock(); });
}

// REQUIRES: the lock is not held, since closed() frees.
void unpin(Helper* owner) {
  {
    const std::lock_guard hold(tables().lock);
    if (--owner->pins > 0) return;
  }
  closed(owner);
  __libc_free(owner);
}

struct Start {
  void* (*body)(void*);
  void* argument;
  Helper* owner;
  std::atomic<bool> noted;  // its handle is in the table
};

// The kernel thread may give its own handle away at once, so it waits until that is known.
void* begin(void* given) {
  auto* start = static_cast<Start*>(given);
  while (!start->noted.load(std::memory_order_acquire)) sched_yield();
  void* (*const body)(void*) = start->body;
  void* const argument = start->argument;
  helper = start->owner;
  __libc_free(start);
  struct End {
    ~End() {
      Helper* mine = helper;
      helper = nullptr;
      unpin(mine);
    }
  } end;
  return body(argument);
}

// Takes the handle out of the table before libc may use its number again; null: not one of these.
Helper* take_handle(pthread_t id) {
  const std::lock_guard hold(tables().lock);
  const auto it = tables().joinable.find(id);
  if (it == tables().joinable.end()) return nullptr;
  Helper* owner = it->second;
  tables().joinable.erase(it);
  return owner;
}

void put_handle(pthread_t id, Helper* owner) {
  const std::lock_guard hold(tables().lock);
  tables().joinable[id] = owner;
}

// Passes a call on that ends the handle if it returns 0.
template <class F>
int end_handle(pthread_t id, F call) {
  HeapScope process;
  Helper* owner = take_handle(id);
  const int result = call();
  if (owner != nullptr) {
    if (result == 0) {
      unpin(owner);
    } else {
      put_handle(id, owner);
    }
  }
  return result;
}

// Between questions whether it has ended, others run. EBUSY: it is libc's to wait.
int look_for_end(pthread_t id, void** value, clockid_t clock, const timespec* until) {
  if (current_heap == nullptr || between_joins == nullptr || pthread_equal(id, pthread_self()) != 0)
    return EBUSY;
  for (int round = 0;; round += round < INT_MAX ? 1 : 0) {  // a round may be 1 ms, for weeks
    const int result = pthread_tryjoin_np(id, value);
    if (result != EBUSY) return result;
    // libc's own would ask without pause until the end (glibc 2.36, seen in 2026-11).
    if (until != nullptr) {
      timespec now;
      if (until->tv_nsec < 0 || until->tv_nsec >= 1'000'000'000) return EINVAL;
      if (clock_gettime(clock, &now) != 0) return EINVAL;
      if (now.tv_sec > until->tv_sec ||
          (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec)) {
        return ETIMEDOUT;
      }
    }
    if (!between_joins(round)) return EBUSY;
  }
}

bool is_detached(const pthread_attr_t* attributes) {
  int state = PTHREAD_CREATE_JOINABLE;
  return attributes != nullptr && pthread_attr_getdetachstate(attributes, &state) == 0 &&
         state == PTHREAD_CREATE_DETACHED;
}

}  // namespace

void hold_helper_block(Helper* owner, void* block) {
  bool held = false;
  {
    const std::lock_guard hold(tables().lock);
    held = tables().blocks.emplace(block, owner).second;
    if (held && helper_blocks.fetch_add(1, std::memory_order_relaxed) == 0)
      look_at_process_frees(true);
  }
  if (!held) release_helper(owner);
}

void* note_helper_block(void* block) {
  if (block == nullptr) return block;
  Helper* owner = helper;
  {
    const std::lock_guard hold(tables().lock);
    ++owner->pins;
  }
  hold_helper_block(owner, block);
  return block;
}

Helper* forget_helper_block(void* block) {
  const std::lock_guard hold(tables().lock);
  const auto it = tables().blocks.find(block);
  if (it == tables().blocks.end()) return nullptr;
  Helper* owner = it->second;
  tables().blocks.erase(it);
  if (helper_blocks.fetch_sub(1, std::memory_order_relaxed) == 1) look_at_process_frees(false);
  return owner;
}

void release_helper(Helper* owner) { unpin(owner); }

Helper* new_helper(const char* what, Heap* caller) {
  void* room = __libc_malloc(sizeof(Helper));
  if (room == nullptr) return nullptr;
  Helper* made = new (room) Helper{.pins = 1};
  opened(made, what, caller);
  look_at_process_allocations();
  return made;
}

}  // namespace roam::iso

using roam::iso::current_heap;
using roam::iso::HeapScope;
using roam::iso::Helper;
using roam::iso::next;

ROAM_EXPORT int pthread_create(pthread_t* id, const pthread_attr_t* attributes,
                               void* (*body)(void*), void* argument) noexcept {
  using Create = int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto real = next<Create>("pthread_create");
  roam::iso::Heap* caller = current_heap;
  HeapScope process;
  Helper* owner = roam::iso::helper;
  const bool in_plain_code = caller == nullptr && owner == nullptr;
  if (in_plain_code && roam::iso::made_for_runtime(__builtin_return_address(0)))
    return roam::iso::create_for_runtime(real, id, attributes, body, argument);
  if (in_plain_code || roam::iso::is_detached(attributes))
    return real(id, attributes, body, argument);
  auto& tables = roam::iso::tables();
  auto* start = static_cast<roam::iso::Start*>(__libc_malloc(sizeof(roam::iso::Start)));
  if (start == nullptr) return EAGAIN;
  const bool first = owner == nullptr;
  if (first) {
    owner = roam::iso::new_helper(
        "kernel thread (it runs, was not joined, or memory that it allocated is in use)", caller);
    if (owner == nullptr) {
      __libc_free(start);
      return EAGAIN;
    }
  }
  new (start) roam::iso::Start{body, argument, owner, false};
  {
    const std::lock_guard hold(tables.lock);
    owner->pins += first ? 1 : 2;  // it runs, and can be joined
  }
  const int result = real(id, attributes, roam::iso::begin, start);
  if (result != 0) {
    __libc_free(start);
    roam::iso::unpin(owner);
    roam::iso::unpin(owner);
    return result;
  }
  roam::iso::put_handle(*id, owner);
  start->noted.store(true, std::memory_order_release);
  return result;
}

ROAM_EXPORT int pthread_join(pthread_t id, void** value) {
  static const auto real = next<int(pthread_t, void**)>("pthread_join");
  const int result = roam::iso::look_for_end(id, value, CLOCK_REALTIME, nullptr);
  if (result != EBUSY) return result;
  return roam::iso::end_handle(id, [&] { return real(id, value); });
}
ROAM_EXPORT int pthread_tryjoin_np(pthread_t id, void** value) noexcept {
  static const auto real = next<int(pthread_t, void**)>("pthread_tryjoin_np");
  return roam::iso::end_handle(id, [&] { return real(id, value); });
}
ROAM_EXPORT int pthread_timedjoin_np(pthread_t id, void** value, const timespec* until) {
  static const auto real = next<int(pthread_t, void**, const timespec*)>("pthread_timedjoin_np");
  const int result = roam::iso::look_for_end(id, value, CLOCK_REALTIME, until);
  if (result != EBUSY) return result;
  return roam::iso::end_handle(id, [&] { return real(id, value, until); });
}
ROAM_EXPORT int pthread_clockjoin_np(pthread_t id, void** value, clockid_t clock,
                                     const timespec* until) {
  using Join = int(pthread_t, void**, clockid_t, const timespec*);
  static const auto real = next<Join>("pthread_clockjoin_np");
  const int result = roam::iso::look_for_end(id, value, clock, until);
  if (result != EBUSY) return result;
  return roam::iso::end_handle(id, [&] { return real(id, value, clock, until); });
}
ROAM_EXPORT int pthread_detach(pthread_t id) noexcept {
  static const auto real = next<int(pthread_t)>("pthread_detach");
  return roam::iso::end_handle(id, [&] { return real(id); });
}

// C11's, which libc makes beside pthread_create.
namespace {
struct C11Start {
  thrd_start_t body;
  void* argument;
};
void* begin_c11(void* given) {
  const C11Start start = *static_cast<C11Start*>(given);
  __libc_free(given);
  return reinterpret_cast<void*>(static_cast<std::intptr_t>(start.body(start.argument)));
}
}  // namespace
ROAM_EXPORT int thrd_create(thrd_t* id, thrd_start_t body, void* argument) {
  static const auto real = next<int(thrd_t*, thrd_start_t, void*)>("thrd_create");
  if (current_heap == nullptr && roam::iso::helper == nullptr) return real(id, body, argument);
  void* start = __libc_malloc(sizeof(C11Start));
  if (start == nullptr) return thrd_nomem;
  new (start) C11Start{body, argument};
  const int error = pthread_create(id, nullptr, begin_c11, start);
  if (error == 0) return thrd_success;
  __libc_free(start);
  return error == ENOMEM ? thrd_nomem : thrd_error;
}
ROAM_EXPORT int thrd_join(thrd_t id, int* value) {
  void* found = nullptr;
  const int error = pthread_join(id, &found);
  if (value != nullptr) *value = static_cast<int>(reinterpret_cast<std::intptr_t>(found));
  return error == 0 ? thrd_success : thrd_error;
}
ROAM_EXPORT int thrd_detach(thrd_t id) {
  static const auto real = next<int(thrd_t)>("thrd_detach");
  return roam::iso::end_handle(id, [&] { return real(id); });
}
