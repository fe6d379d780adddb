// Parallel regions of OpenMP (GCC's libgomp) inside a thread: the team is the kernel thread's, so
// the thread stays until the region ends; and what the other members allocate is the process's, so
// it pins as what other kernel threads of the thread allocate (helper_threads.h). Members run tasks
// also when they have done their part of the region, at its end.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/range.h"
#include "isomalloc/helper_threads.h"
#include "isomalloc/process_call.h"

namespace {

using roam::iso::current_heap;
using roam::iso::Heap;
using roam::iso::HeapScope;
using roam::iso::helper;
using roam::iso::Helper;
using roam::iso::next;

using Body = void(void*);

struct Region {
  Body* body;
  void* data;
  Helper* owner;
  const Heap* heap;  // of the thread whose region it is; null: a helper's
  Region* outer;     // of those that threads of this rank are in
};
// Context: the rank's kernel thread, which alone has heaps.
constinit Region* regions = nullptr;

// Calls `body` for the thread of `owner`, whose kernel thread this is while it lasts, if it is
// nobody's.
void run_for(Helper* owner, Body* body, void* data) {
  if (current_heap != nullptr || helper != nullptr) return body(data);
  helper = owner;
  body(data);
  helper = nullptr;
}

void run_member(void* given) {
  const Region& region = *static_cast<const Region*>(given);
  run_for(region.owner, region.body, region.data);
}

template <class Call>
void in_region(Body* body, void* data, Call call) {
  Heap* caller = current_heap;
  if (caller == nullptr && helper == nullptr) {
    call(body, data);
    return;
  }
  Helper* made = nullptr;
  if (helper == nullptr) {
    HeapScope process;
    made = roam::iso::new_helper(
        "region of OpenMP (it runs, or memory that its other members allocated is in use)", caller);
  }
  Region region{body, data, made != nullptr ? made : helper, caller, nullptr};
  if (caller != nullptr) region.outer = std::exchange(regions, &region);
  call(run_member, &region);
  if (caller != nullptr) {
    Region** at = &regions;
    while (*at != &region) at = &(*at)->outer;
    *at = region.outer;
  }
  if (made == nullptr) return;
  HeapScope process;
  roam::iso::release_helper(made);
}

}  // namespace

#define ROAM_REGION(name, types, parameters, arguments)                                   \
  ROAM_EXPORT void name parameters {                                                      \
    static const auto real = next<void types>(#name);                                     \
    in_region(region_body, region_data, [&](Body* body, void* data) { real arguments; }); \
  }
#define ROAM_PLAIN_REGION(name, type)                                               \
  ROAM_REGION(name, (Body*, void*, unsigned, type),                                 \
              (Body * region_body, void* region_data, unsigned members, type rest), \
              (body, data, members, rest))
#define ROAM_LOOP_REGION(name)                                                                \
  ROAM_REGION(name, (Body*, void*, unsigned, long, long, long, long, unsigned),               \
              (Body * region_body, void* region_data, unsigned members, long begin, long end, \
               long step, long chunk, unsigned flags),                                        \
              (body, data, members, begin, end, step, chunk, flags))
#define ROAM_RUNTIME_LOOP_REGION(name)                                                        \
  ROAM_REGION(name, (Body*, void*, unsigned, long, long, long, unsigned),                     \
              (Body * region_body, void* region_data, unsigned members, long begin, long end, \
               long step, unsigned flags),                                                    \
              (body, data, members, begin, end, step, flags))

ROAM_PLAIN_REGION(GOMP_parallel, unsigned)
ROAM_LOOP_REGION(GOMP_parallel_loop_static)
ROAM_LOOP_REGION(GOMP_parallel_loop_dynamic)
ROAM_LOOP_REGION(GOMP_parallel_loop_guided)
ROAM_LOOP_REGION(GOMP_parallel_loop_nonmonotonic_dynamic)
ROAM_LOOP_REGION(GOMP_parallel_loop_nonmonotonic_guided)
ROAM_RUNTIME_LOOP_REGION(GOMP_parallel_loop_runtime)
ROAM_RUNTIME_LOOP_REGION(GOMP_parallel_loop_nonmonotonic_runtime)
ROAM_RUNTIME_LOOP_REGION(GOMP_parallel_loop_maybe_nonmonotonic_runtime)
ROAM_REGION(GOMP_parallel_sections, (Body*, void*, unsigned, unsigned, unsigned),
            (Body * region_body, void* region_data, unsigned members, unsigned count,
             unsigned flags),
            (body, data, members, count, flags))
ROAM_REGION(GOMP_teams_reg, (Body*, void*, unsigned, unsigned, unsigned),
            (Body * region_body, void* region_data, unsigned teams, unsigned limit, unsigned flags),
            (body, data, teams, limit, flags))

ROAM_EXPORT unsigned GOMP_parallel_reductions(Body* region_body, void* region_data,
                                              unsigned members, unsigned flags) {
  using Reduce = unsigned(Body*, void*, unsigned, unsigned);
  static const auto real = next<Reduce>("GOMP_parallel_reductions");
  unsigned result = 0;
  in_region(region_body, region_data,
            [&](Body* body, void* data) { result = real(body, data, members, flags); });
  return result;
}

// ---- tasks ----

namespace {

using Copy = void(void*, void*);

// Whose work the tasks are that the caller makes; null: nobody's.
Helper* owner_of_tasks() {
  if (current_heap == nullptr) return helper;
  for (const Region* r = regions; r != nullptr; r = r->outer) {
    if (r->heap == current_heap) return r->owner;
  }
  return nullptr;
}

// libgomp copies what a task works on. It writes into the first words: the handle of the task's end
// before it copies, the bounds of a loop's part after that; and it reads the third word of a loop
// that reduces. So what is passed on begins with such words, and what the task was made with
// follows where its alignment allows.
constexpr std::size_t kWords = 3;
struct Head {
  void* words[kWords];
  std::size_t bounds;  // how many of them are set after what the task works on was copied
  std::size_t offset;  // of what the task was made with
  Helper* owner;
  Body* body;
};
struct Made {
  void* data;
  std::size_t bytes, alignment;

  std::size_t words_bytes() const {
    return std::min(kWords, bytes / sizeof(void*)) * sizeof(void*);
  }
  Head head(Helper* owner, std::size_t bounds, Body* body) const {
    Head head{{},
              std::min(bounds, bytes / sizeof(void*)),
              roam::round_up(sizeof head, alignment),
              owner,
              body};
    if (words_bytes() != 0) std::memcpy(head.words, data, words_bytes());
    return head;
  }
};
// Of a program that copies by a function of its own.
struct Task {
  Head head;
  Copy* copy;
  Made made;
};

void copy_task(void* to, void* from) {
  const auto& task = *static_cast<const Task*>(from);
  const std::size_t words_bytes = task.made.words_bytes();
  if (words_bytes != 0) std::memcpy(task.made.data, task.head.words, words_bytes);
  std::memcpy(to, &task.head, sizeof task.head);
  task.copy(static_cast<char*>(to) + task.head.offset, task.made.data);
}

void run_task(void* given) {
  const auto& head = *static_cast<const Head*>(given);
  char* const data = static_cast<char*>(given) + head.offset;
  std::memcpy(data, head.words, head.bounds * sizeof(void*));
  run_for(head.owner, head.body, data);
}

// Calls libgomp with what is to be copied in place of `made`. Without a function that copies where
// the program has none: with one libgomp runs tasks that were cancelled, and makes all those of a
// loop that runs at once at the same time, on the caller's stack.
template <class Call>
void pass_on(const Head& head, Copy* copy, const Made& made, Call call) {
  const std::size_t bytes = head.offset + made.bytes;
  const std::size_t alignment = std::max(made.alignment, alignof(Head));
  if (copy != nullptr) {
    Task task{head, copy, made};
    call(&task, copy_task, static_cast<long>(bytes), static_cast<long>(alignment));
    return;
  }
  auto* const room = static_cast<char*>(__builtin_alloca(bytes + alignment));
  char* const at = room + (-reinterpret_cast<std::uintptr_t>(room) & (alignment - 1));
  std::memcpy(at, &head, sizeof head);
  if (made.bytes != 0) std::memcpy(at + head.offset, made.data, made.bytes);
  call(at, nullptr, static_cast<long>(bytes), static_cast<long>(alignment));
}

Made made_with(void* data, long bytes, long alignment) {
  return {data, static_cast<std::size_t>(bytes), static_cast<std::size_t>(std::max(alignment, 1L))};
}

}  // namespace

ROAM_EXPORT void GOMP_task(Body* body, void* data, Copy* copy, long bytes, long alignment,
                           bool deferred, unsigned flags, void** depends, int priority,
                           void* detach) {
  using Call = void(Body*, void*, Copy*, long, long, bool, unsigned, void**, int, void*);
  static const auto real = next<Call>("GOMP_task");
  Helper* const owner = owner_of_tasks();
  if (owner == nullptr)
    return real(body, data, copy, bytes, alignment, deferred, flags, depends, priority, detach);
  const Made made = made_with(data, bytes, alignment);
  // The handle is there before a copy: a function of the program's has copied it.
  const Head head = made.head(owner, copy == nullptr ? 1 : 0, body);
  pass_on(head, copy, made, [&](void* with, Copy* by, long whole_bytes, long aligned) {
    real(run_task, with, by, whole_bytes, aligned, deferred, flags, depends, priority, detach);
  });
}

#define ROAM_TASK_LOOP(name, Number)                                                            \
  ROAM_EXPORT void name(Body* body, void* data, Copy* copy, long bytes, long alignment,         \
                        unsigned flags, unsigned long tasks, int priority, Number begin,        \
                        Number end, Number step) {                                              \
    using Call = void(Body*, void*, Copy*, long, long, unsigned, unsigned long, int, Number,    \
                      Number, Number);                                                          \
    static const auto real = next<Call>(#name);                                                 \
    Helper* const owner = owner_of_tasks();                                                     \
    if (owner == nullptr) {                                                                     \
      real(body, data, copy, bytes, alignment, flags, tasks, priority, begin, end, step);       \
      return;                                                                                   \
    }                                                                                           \
    const Made made = made_with(data, bytes, alignment);                                        \
    const Head head = made.head(owner, 2, body);                                                \
    pass_on(head, copy, made, [&](void* with, Copy* by, long whole_bytes, long aligned) {       \
      real(run_task, with, by, whole_bytes, aligned, flags, tasks, priority, begin, end, step); \
    });                                                                                         \
  }
ROAM_TASK_LOOP(GOMP_taskloop, long)
ROAM_TASK_LOOP(GOMP_taskloop_ull, unsigned long long)
