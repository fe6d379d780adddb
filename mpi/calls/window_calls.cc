// Windows: made, freed, and what is known of them (chapter 11.2 of the standard).

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/collective_frame.h"
#include "mpi/calls/communicators.h"
#include "mpi/calls/memory.h"
#include "mpi/calls/process_memory.h"
#include "mpi/image/image.h"
#include "roam/thread.h"
#include "runtime/api/member_messages.h"

namespace roam::mpi {
namespace {

// What a window says of itself, unless the program has said otherwise. Other keys are not kept.
constexpr std::pair<const char*, const char*> kKeys[] = {
    {"no_locks", "false"},
    {"accumulate_ordering", "rar,raw,war,waw"},
    {"accumulate_ops", "same_op_no_op"},
    {"same_size", "false"},
    {"same_disp_unit", "false"},
    {"alloc_shared_noncontig", "false"},
};

void take_keys(const Info& from, Info* to) {
  for (const auto& [key, unused] : kKeys) {
    if (const std::string* value = from.find(key)) to->set(key, *value);
  }
}

void check_unit(MPI_Aint unit) {
  if (unit <= 0)
    throw CallError(MPI_ERR_DISP, text("displacements of %ld bytes", static_cast<long>(unit)));
}
void check_size(MPI_Aint size) {
  if (size < 0) throw CallError(MPI_ERR_SIZE, text("the size is %ld", static_cast<long>(size)));
}
// Others reach it while its virtual rank does not run.
void check_memory(const void* base, MPI_Aint size) {
  if (size == 0) return;
  if (base == nullptr) throw CallError(MPI_ERR_BASE, "the memory of the window is a null pointer");
  const char* last = static_cast<const char*>(base) + size - 1;
  if (Image::running()->is_of_file(base) || Image::running()->is_of_file(last)) {
    throw CallError(MPI_ERR_BASE,
                    "the memory is constant, and is there only while its virtual rank runs: give "
                    "a window memory of malloc, a variable or the stack");
  }
  if (is_of_process(base) || is_of_process(last)) {
    throw CallError(MPI_ERR_BASE,
                    "the memory is a thread_local variable, or of a library that virtual ranks "
                    "share: give a window memory of malloc, a global variable or the stack");
  }
}
// Memory that is on this rank only, as that of mmap: its virtual rank stays while others may reach
// it.
bool stays_here(const void* base, MPI_Aint size) { return size != 0 && !runtime::travels(base); }

// A window on the members of a communicator, which nobody else knows yet.
std::unique_ptr<Window> begin_window(VirtualRank& me, MPI_Comm handle, MPI_Info info, int flavor,
                                     MPI_Aint size, MPI_Aint unit) {
  Communicator& c = me.communicator(handle);
  check_intra(c);
  check_size(size);
  check_unit(unit);
  auto w = std::make_unique<Window>();
  for (const auto& [key, value] : kKeys) w->info.set(key, value);
  const Info wishes = me.info_or_none(info);
  take_keys(wishes, &w->info);
  // Of memory that the window itself has; it stays as it is.
  const bool allocates = flavor == MPI_WIN_FLAVOR_ALLOCATE || flavor == MPI_WIN_FLAVOR_SHARED;
  if (allocates && alignment_in(wishes) != 0)
    w->info.set(kAlignmentKey, *wishes.find(kAlignmentKey));
  w->communicator.context = new_context(me, c);
  w->communicator.group = c.group;
  w->communicator.rank = c.rank;
  w->flavor = flavor;
  w->size = size;
  w->unit = unit;
  // In calls and attributes that have an int for it.
  w->unit_attribute = unit > INT32_MAX ? MPI_UNDEFINED : static_cast<int>(unit);
  return w;
}
// What one member cannot do, none does, and all say why. `work` does not suspend.
template <class Work>
void do_if_all_can(VirtualRank& me, Communicator& c, Work work) {
  struct Failure {
    int code = MPI_SUCCESS;
    char why[240] = "";
  } mine;
  try {
    work();
  } catch (const CallError& failure) {
    mine.code = failure.code;
    std::snprintf(mine.why, sizeof mine.why, "%s", failure.what());
  }
  const std::vector<int> codes = exchange(me, c, mine.code);
  const auto first =
      std::find_if(codes.begin(), codes.end(), [](int c) { return c != MPI_SUCCESS; });
  if (first == codes.end()) return;
  const auto rank = static_cast<int>(first - codes.begin());
  Failure its = mine;
  const std::unique_ptr<Schedule> word = begin_collective(c);
  add_broadcast(word.get(), c, rank, &its, sizeof its);
  wait_for(me, word.get());
  if (mine.code != MPI_SUCCESS) throw CallError(mine.code, mine.why);
  throw CallError(its.code, text("%s (so says rank %d)", its.why, rank));
}
// No member goes on before all know it.
void finish_window(VirtualRank& me, std::unique_ptr<Window> made, MPI_Win* window) {
  Window& w = *made;
  *window = me.windows.add(std::move(made));
  wait_for_barrier(me, w.communicator);
}

template <Name kName, class Unit>
int create(void* base, MPI_Aint size, Unit unit, MPI_Info info, MPI_Comm communicator,
           MPI_Win* window) {
  return call(kName.text, communicator, needs(window), [&](VirtualRank& me) {
    std::optional<this_thread::Pin> pin;
    if (stays_here(base, size)) pin.emplace();
    auto w = begin_window(me, communicator, info, MPI_WIN_FLAVOR_CREATE, size, unit);
    do_if_all_can(me, w->communicator, [&] { check_memory(base, size); });
    w->base = base;
    if (pin) w->pin.emplace();
    finish_window(me, std::move(w), window);
  });
}
template <Name kName, class Unit>
int allocate(MPI_Aint size, Unit unit, MPI_Info info, MPI_Comm communicator, void* base,
             MPI_Win* window) {
  return call(kName.text, communicator, needs(base, window), [&](VirtualRank& me) {
    auto w = begin_window(me, communicator, info, MPI_WIN_FLAVOR_ALLOCATE, size, unit);
    do_if_all_can(me, w->communicator, [&] { w->memory.reset(memory_for(size, w->info)); });
    w->base = w->memory.get();
    std::memcpy(base, &w->base, sizeof w->base);
    finish_window(me, std::move(w), window);
  });
}
int create_dynamic(MPI_Info info, MPI_Comm communicator, MPI_Win* window) {
  return call("MPI_Win_create_dynamic", communicator, needs(window), [&](VirtualRank& me) {
    auto w = begin_window(me, communicator, info, MPI_WIN_FLAVOR_DYNAMIC, 0, 1);
    w->base = MPI_BOTTOM;
    finish_window(me, std::move(w), window);
  });
}

// ---- memory that all members reach by pointers ----

bool all_on_one_node() {
  for (int r = 0; r < ranks(); ++r) {
    if (node_of(r) != node()) return false;
  }
  return true;
}

// What a member says of its part.
struct Part {
  MPI_Aint size = 0, unit = 1;
  int node = 0;
  bool wants_own = false;  // memory that does not follow that of others
  char* base = nullptr;
};

// Where there are several nodes, all come to that of rank 0, and stay while the window is there.
// One that cannot come is found out by who compares their nodes.
void gather_on_one_node(VirtualRank& me, Window& w) {
  Communicator& c = w.communicator;
  if (c.size() == 1 || all_on_one_node()) return;
  if (c.rank == 0) w.pin.emplace();
  const int there = exchange(me, c, Part{.node = node()})[0].node;
  if (node() != there) {
    std::vector<int> places;
    for (int r = 0; r < ranks(); ++r) {
      if (node_of(r) == there) places.push_back(r);
    }
    try {
      this_thread::migrate(places[static_cast<std::size_t>(c.rank) % places.size()]);
    } catch (const Error&) {  // it holds what cannot travel
    }
  }
  if (c.rank != 0) w.pin.emplace();
}

// One row of memory, which rank 0 has; or each has its own, if one member asks for that.
template <Name kName, class Unit>
int allocate_shared(MPI_Aint size, Unit unit, MPI_Info info, MPI_Comm communicator, void* base,
                    MPI_Win* window) {
  return call(kName.text, communicator, needs(base, window), [&](VirtualRank& me) {
    auto w = begin_window(me, communicator, info, MPI_WIN_FLAVOR_SHARED, size, unit);
    Communicator& c = w->communicator;
    gather_on_one_node(me, *w);
    Part mine{size, w->unit, node(), *w->info.find("alloc_shared_noncontig") == "true", nullptr};
    std::vector<Part> parts = exchange(me, c, mine);
    MPI_Aint all = 0;
    bool apart = false;
    for (int i = 0; i < c.size(); ++i) {
      const Part& part = parts[static_cast<std::size_t>(i)];
      if (part.node != mine.node) {
        throw CallError(
            MPI_ERR_RMA_SHARED,
            text("ranks %d and %d are on different nodes, and cannot come together: one "
                 "has an open file, or something else that keeps it where it is",
                 c.rank, i));
      }
      if (__builtin_add_overflow(all, part.size, &all))
        throw CallError(MPI_ERR_NO_MEM, "the members' memory is more than there are addresses");
      apart = apart || part.wants_own;
    }
    do_if_all_can(me, c, [&] {
      if (apart) {
        w->memory.reset(memory_for(size, w->info));
      } else if (c.rank == 0) {
        w->memory.reset(memory_for(all, w->info));
      }
    });
    mine.base = static_cast<char*>(w->memory.get());
    parts = exchange(me, c, mine);
    char* at = parts[0].base;
    for (Part& part : parts) {
      if (!apart) {
        part.base = at;
        at += part.size;
      }
      w->segments.push_back({part.size == 0 ? nullptr : part.base, part.size, part.unit});
    }
    w->base = w->segments[static_cast<std::size_t>(c.rank)].base;
    std::memcpy(base, &w->base, sizeof w->base);
    finish_window(me, std::move(w), window);
  });
}
template <Name kName, class Unit>
int shared_query(MPI_Win window, int rank, MPI_Aint* size, Unit* unit, void* base) {
  return window_call(kName.text, window, needs(size, unit, base), [&](VirtualRank&, Window& w) {
    if (w.flavor != MPI_WIN_FLAVOR_SHARED)
      throw CallError(MPI_ERR_RMA_FLAVOR, "the window is not of MPI_Win_allocate_shared");
    if (rank == MPI_PROC_NULL) {  // the first that has any
      for (rank = 0; rank + 1 < w.communicator.size(); ++rank) {
        if (w.segments[static_cast<std::size_t>(rank)].size != 0) break;
      }
    }
    if (rank < 0 || rank >= w.communicator.size())
      throw CallError(MPI_ERR_RANK, text("there is no rank %d in the window", rank));
    const Window::Segment& of = w.segments[static_cast<std::size_t>(rank)];
    *size = of.size;
    *unit = static_cast<Unit>(of.unit);
    if (*unit != of.unit) *unit = MPI_UNDEFINED;
    std::memcpy(base, &of.base, sizeof of.base);
  });
}

// ---- memory of dynamic windows ----

void check_dynamic(const Window& w) {
  if (w.flavor != MPI_WIN_FLAVOR_DYNAMIC)
    throw CallError(MPI_ERR_RMA_FLAVOR, "the window is not of MPI_Win_create_dynamic");
}
int attach(MPI_Win window, void* base, MPI_Aint size) {
  return window_call("MPI_Win_attach", window, [&](VirtualRank&, Window& w) {
    check_dynamic(w);
    check_size(size);
    check_memory(base, size);
    std::unique_ptr<this_thread::Pin> pin;
    if (stays_here(base, size)) pin = std::make_unique<this_thread::Pin>();
    w.attached.push_back({static_cast<char*>(base), size, std::move(pin)});
  });
}
int detach(MPI_Win window, const void* base) {
  return window_call("MPI_Win_detach", window, [&](VirtualRank&, Window& w) {
    check_dynamic(w);
    for (auto region = w.attached.begin(); region != w.attached.end(); ++region) {
      if (region->begin != base) continue;
      w.attached.erase(region);
      return;
    }
    throw CallError(MPI_ERR_RMA_ATTACH, "the memory is not attached to the window");
  });
}

// ---- the end, and what else is known ----

int free_window(MPI_Win* window) {
  const MPI_Win named = window == nullptr ? MPI_WIN_NULL : *window;
  return window_call("MPI_Win_free", named, needs(window), [&](VirtualRank& me, Window& w) {
    if (w.exposed || (w.epoch != Window::Epoch::kNone && w.epoch != Window::Epoch::kFence))
      throw CallError(MPI_ERR_RMA_SYNC, "an epoch of the window is open");
    w.attributes.remove_all(me, *window);
    wait_for_barrier(me, w.communicator);
    me.requests.for_each([&](Request& request) {
      if (request.window != *window) return;
      request.window = MPI_WIN_NULL;
      request.errhandler = w.errhandler;
    });
    me.windows.remove(*window);
    *window = MPI_WIN_NULL;
  });
}
int get_group(MPI_Win window, MPI_Group* group) {
  return window_call("MPI_Win_get_group", window, needs(group),
                     [&](VirtualRank& me, Window& w) { *group = me.add(w.communicator.group); });
}
int set_name(MPI_Win window, const char* name) {
  return window_call("MPI_Win_set_name", window, needs(name), [&](VirtualRank&, Window& w) {
    w.name = std::string(name).substr(0, MPI_MAX_OBJECT_NAME - 1);
  });
}
int get_name(MPI_Win window, char* name, int* length) {
  return window_call("MPI_Win_get_name", window, needs(name, length), [&](VirtualRank&, Window& w) {
    *length = std::snprintf(name, MPI_MAX_OBJECT_NAME, "%s", w.name.c_str());
  });
}
int set_info(MPI_Win window, MPI_Info info) {
  return window_call("MPI_Win_set_info", window,
                     [&](VirtualRank& me, Window& w) { take_keys(me.info(info), &w.info); });
}
int get_info(MPI_Win window, MPI_Info* info) {
  return window_call("MPI_Win_get_info", window, needs(info), [&](VirtualRank& me, Window& w) {
    *info = me.infos.add(std::make_unique<Info>(w.info));
  });
}

}  // namespace

void add_window_calls() {
  add_call("MPI_Win_create", &create<"MPI_Win_create", int>);
  add_call("MPI_Win_create_c", &create<"MPI_Win_create_c", MPI_Aint>);
  add_call("MPI_Win_allocate", &allocate<"MPI_Win_allocate", int>);
  add_call("MPI_Win_allocate_c", &allocate<"MPI_Win_allocate_c", MPI_Aint>);
  add_call("MPI_Win_allocate_shared", &allocate_shared<"MPI_Win_allocate_shared", int>);
  add_call("MPI_Win_allocate_shared_c", &allocate_shared<"MPI_Win_allocate_shared_c", MPI_Aint>);
  add_call("MPI_Win_shared_query", &shared_query<"MPI_Win_shared_query", int>);
  add_call("MPI_Win_shared_query_c", &shared_query<"MPI_Win_shared_query_c", MPI_Aint>);
  add_call("MPI_Win_create_dynamic", &create_dynamic);
  add_call("MPI_Win_attach", &attach);
  add_call("MPI_Win_detach", &detach);
  add_call("MPI_Win_free", &free_window);
  add_call("MPI_Win_get_group", &get_group);
  add_call("MPI_Win_set_name", &set_name);
  add_call("MPI_Win_get_name", &get_name);
  add_call("MPI_Win_set_info", &set_info);
  add_call("MPI_Win_get_info", &get_info);
}

}  // namespace roam::mpi
