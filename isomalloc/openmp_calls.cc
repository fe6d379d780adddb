// Parallel regions of OpenMP (GCC's libgomp) inside a thread: the team is the kernel thread's, so
// the thread stays until the region ends; and what the other members allocate is the process's, so
// it pins as what other kernel threads of the thread allocate (helper_threads.h).

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
};

void run_member(void* given) {
  const Region& region = *static_cast<const Region*>(given);
  if (current_heap != nullptr || helper != nullptr) return region.body(region.data);
  helper = region.owner;
  region.body(region.data);
  helper = nullptr;
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
  Region region{body, data, made != nullptr ? made : helper};
  call(run_member, &region);
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
