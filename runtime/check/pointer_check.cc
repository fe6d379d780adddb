#include "runtime/check/pointer_check.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <string_view>

#include "base/check.h"
#include "base/os/memory.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/process_blocks.h"
#include "threads/companions.h"
#include "threads/scheduler.h"

namespace roam::runtime {
namespace {

// Lines a rank; what is found beyond is counted.
constexpr std::uint64_t kMostLines = 50;
// Of each large block so much is looked at.
constexpr std::size_t kMostOfLarge = std::size_t{64} << 20;

std::atomic<bool> running = false;

// Blocks of a SystemHeap and of statics are the program's, those of its kernel threads too.
bool made_by_runtime() {
  if (!running.load(std::memory_order_relaxed) || threads::on_other_kernel_thread()) return false;
  const Tcb* self = threads::scheduler().current();
  if (self == nullptr || !self->stack().contains(__builtin_frame_address(0))) return true;
  return self->system_heaps == 0 && self->static_inits == 0;
}

// Calls `visit` with the address and value of each word of `range`, which begins with one.
template <class Visit>
void for_each_word(Range range, const Address* words, Visit visit) {
  const std::size_t count = range.bytes / sizeof(Address);
  for (std::size_t i = 0; i < count; ++i) visit(range.begin + i * sizeof(Address), words[i]);
}

// Where memory of the process may be; the arena is in the midst of that.
bool may_point(Address value) { return value - 0x10000 < (Address{1} << 47) - 0x10000; }

// Whether a value of this kind means something else in another process, and is no trace of how the
// compiler or a library works. What a frame holds is often an address that was computed early, of a
// variable of the program or of the kernel thread: each is at the same place everywhere, and the
// program names it anyway. Or it is left over from a call: a library's own variable then, or a
// place on the kernel thread's stack, or one where another block lies by now, though seldom at its
// begin. The last word of what a heap's block was filled with is often half of an old pointer: to
// the gigabytes that runtime and MPI map (OwnMappings), or into a library's
// variables. So of those without a name only libc's results count, which begin at whole words.
bool means_nothing_elsewhere(const Place& place, Address value, bool on_stack) {
  switch (place.kind) {
    case Place::Kind::kNothing:
    case Place::Kind::kConstant:
      return false;
    case Place::Kind::kVariable:
      if (place.module->program) return !on_stack;
      return (!on_stack && value % sizeof(Address) == 0 &&
              std::string_view(place.module->name()) == "libc.so.6") ||
             place.has_name(value);
    case Place::Kind::kThreadLocal:
      return !on_stack && place.module != nullptr && place.module->program;
    case Place::Kind::kBlock:
      return !on_stack || value == place.range.begin;
    case Place::Kind::kMapping:
      return true;
    case Place::Kind::kStack:
      return !on_stack;
  }
  return false;
}

// Whether the thread takes along that another rank has told of this word. It does from now on, in
// place of the oldest.
bool told_before(Tcb* t, Address at, Address value) {
  const std::uint64_t mixed = (at * 31 + value) * 31 + t->id.load(std::memory_order_relaxed);
  const auto mark = static_cast<std::uint32_t>((mixed * 0x9e3779b97f4a7c15) >> 32);
  if (std::find(std::begin(t->told), std::end(t->told), mark) != std::end(t->told)) return true;
  std::rotate(std::begin(t->told), std::end(t->told) - 1, std::end(t->told));
  t->told[0] = mark;
  return false;
}

// The part of a suspended thread's stack in which there are frames.
Range frames_of(const Tcb* t) {
  const Address end = reinterpret_cast<Address>(t->context);
  return t->stack().contains(end) ? Range{end, t->stack().end() - end} : Range{};
}

}  // namespace

void PointerCheck::begin_noting() {
  set_running(true);
  iso::note_runtime_blocks(made_by_runtime);
  ProcessMap::runtime_starts();
}

void PointerCheck::set_running(bool now) { running.store(now, std::memory_order_relaxed); }

[[gnu::noinline]] void PointerCheck::clear_left_frames() {
  constexpr std::size_t kBytes = 8 << 10;
  const Tcb* self = threads::scheduler().current();
  const Address here = reinterpret_cast<Address>(__builtin_frame_address(0));
  if (self == nullptr || !self->stack().contains(here) || here - self->stack().begin < 2 * kBytes)
    return;
  volatile char left[kBytes];
  std::fill(left, left + kBytes, char{0});
}

void PointerCheck::tell(const std::string& line) {
  if (++lines_ > kMostLines) return;
  report(("ROAM_CHECK: " + line).c_str());
  if (lines_ == kMostLines) report("ROAM_CHECK: what else is found on this rank is only counted");
}

// What is alive: a pointer to a frame that was left, or to a block that was freed, is wrong without
// any move, and most often left over where nobody looks.
void PointerCheck::list_memory(Tcb* t, Range frames) {
  memory_.clear();
  t->heap.collect();
  const auto add = [this](Range block) { memory_.push_back({block, false}); };
  t->heap.for_each_live_block(add);
  threads::for_each_companion(t, [&add](const Tcb* c) { c->heap.for_each_live_block(add); });
  if (frames.bytes != 0) memory_.push_back({frames, true});
}

void PointerCheck::sort_memory() {
  std::sort(memory_.begin(), memory_.end(),
            [](const Held& a, const Held& b) { return a.range.begin < b.range.begin; });
}

void PointerCheck::leaves(Tcb* t, int to) {
  ++counts_.departures;
  map_.refresh();
  list_memory(t, frames_of(t));
  look_out(t, to);
  sort_memory();
  look_into(t, text("leaves for rank %d", to));
}

void PointerCheck::ends(Tcb* t) {
  ++counts_.ends;
  map_.refresh();
  list_memory(t, Range{});
  sort_memory();
  look_into(t, "has ended");
}

// Blocks come before frames: what is in both is the object's. Of large blocks what was ever
// touched, and not all of it.
void PointerCheck::look_out(Tcb* t, int to) {
  iso::Arena& arena = iso::arena();
  for (const Held& held : memory_) {
    const Range range = held.range;
    if (held.stack || range.bytes <= iso::kUnitBytes) {
      look_at_words(range, held, t, to);
      continue;
    }
    const Address begin = round_down(range.begin, kPageBytes);
    const std::size_t bytes = std::min(round_up(range.end(), kPageBytes) - begin, kMostOfLarge);
    os::for_each_present(Range{begin, bytes}, arena.shared(), arena.fd(), arena.offset(begin),
                         [&](Range run) {
                           const Address from = std::max(run.begin, range.begin);
                           const Address end = std::min(run.end(), range.end());
                           if (from < end) look_at_words({from, end - from}, held, t, to);
                         });
  }
}

std::string PointerCheck::describe(const Held& held, Address address) {
  return held.stack ? text("%zu bytes below the top of its stack", held.range.end() - address)
                    : text("byte %zu of a block of %zu bytes of its heap at %p",
                           address - held.range.begin, held.range.bytes, held.range.pointer());
}

void PointerCheck::look_at_words(Range range, const Held& held, Tcb* t, int to) {
  const Range arena = iso::arena().whole();
  range = Range{round_up(range.begin, sizeof(Address)),
                range.end() - std::min(range.end(), round_up(range.begin, sizeof(Address)))};
  for_each_word(
      range, static_cast<const Address*>(range.pointer()), [&](Address at, Address value) {
        if (!may_point(value) || arena.contains(value)) return;
        const Place place = map_.find(value);
        if (!means_nothing_elsewhere(place, value, held.stack)) return;
        const bool variable = place.kind == Place::Kind::kVariable;
        if (!reported_.insert({0, variable ? value : place.range.begin}).second) return;
        if (told_before(t, at, value)) return;
        ++counts_.out;
        tell(text(
            "thread '%s' leaves for rank %d with a pointer to memory of this process: at %p, %s, "
            "is %p, in %s",
            t->name(), to, reinterpret_cast<void*>(at), describe(held, at).c_str(),
            reinterpret_cast<void*>(value), place.describe(value).c_str()));
      });
}

void PointerCheck::look_into(const Tcb* t, const std::string& when) {
  const Range arena = iso::arena().whole();
  map_.for_each_holder([&](Range range, const Address* words, const Place& holder) {
    for_each_word(range, words, [&](Address at, Address value) {
      if (!arena.contains(value)) return;
      const auto after =
          std::upper_bound(memory_.begin(), memory_.end(), value,
                           [](Address a, const Held& held) { return a < held.range.begin; });
      if (after == memory_.begin() || !(after - 1)->range.contains(value)) return;
      // A library has several pointers to one block, and the same ones in every round.
      const Held& held = *(after - 1);
      const Address from = holder.kind == Place::Kind::kBlock ? holder.range.begin : at & ~0xff;
      if (!reported_.insert({from, held.range.begin}).second) return;
      ++counts_.in;
      tell(text("thread '%s' %s, and a pointer to its memory stays: at %p, in %s, is %p, %s",
                t->name(), when.c_str(), reinterpret_cast<void*>(at), holder.describe(at).c_str(),
                reinterpret_cast<void*>(value), describe(held, value).c_str()));
    });
  });
}

}  // namespace roam::runtime
