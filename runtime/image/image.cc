#include "runtime/image/image.h"

#include <algorithm>

#include "base/job_clock.h"
#include "base/os/memory.h"
#include "base/os/page_scan.h"
#include "base/ranges.h"
#include "isomalloc/heap.h"
#include "threads/companions.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::Tcb;

namespace {

// The end of a suspended thread's stack: below it nothing is alive.
Address stack_end(const Tcb& t) { return reinterpret_cast<Address>(t.context); }

class Planner {
 public:
  Planner(Image& image, const std::vector<Range>* mapped, bool certain)
      : image_(image), mapped_(mapped), certain_(certain) {}

  void add_slot(const Tcb& t, MarkKind kind, Address from) {
    image_.marks.push_back({t.slot, kind, 0});
    add_run(Range{from, t.heap.head_used().end() - from});
  }

  void add_heap(const iso::Heap& heap) {
    heap.for_each_span([&](const iso::Span& span) {
      image_.marks.push_back({span.range(), span.large() ? kLargeMark : kSpanMark, 0});
      if (!span.large()) {
        add_span(span);
        return;
      }
      for_each_present(
          span.range(), mapped_, [&](Range run) { add_run(run); }, certain_);
    });
  }

 private:
  // Runs between holes are short, and gathered in buffers. Beyond so much of them a span is sent
  // whole, as if it had no holes, so that a fragmented heap does not take its own size in buffers.
  static constexpr std::size_t kMostInPieces = 64 << 20;

  void add_span(const iso::Span& span) {
    if (in_pieces_ > kMostInPieces) {
      add_run(span.touched());
      return;
    }
    const std::uint64_t bytes_before = image_.bytes;
    span.for_each_run([&](Range run) { add_run(run); });
    const std::size_t sent = image_.bytes - bytes_before;
    if (sent == span.touched().bytes) return;
    in_pieces_ += sent;
    image_.idle_bytes += span.touched().bytes - sent;
  }
  void add_run(Range run) {
    image_.runs.push_back(run);
    image_.bytes += run.bytes;
  }
  Image& image_;
  const std::vector<Range>* mapped_;
  bool certain_;
  std::size_t in_pieces_ = 0;
};

// Of private memory: what is `mapped` is there, of the rest page tables know.
void for_each_present_beside(Range range, const std::vector<Range>& mapped,
                             const std::function<void(Range)>& run) {
  std::vector<Range> there;
  auto at = std::upper_bound(mapped.begin(), mapped.end(), range.begin,
                             [](Address a, const Range& r) { return a < r.end(); });
  for (; at != mapped.end() && at->begin < range.end(); ++at) {
    const Address begin = std::max(at->begin, range.begin);
    there.push_back({begin, std::min(at->end(), range.end()) - begin});
  }
  for (const Range& gap : without({range}, there))
    os::for_each_present(gap, false, -1, 0, [&](Range found) { there.push_back(found); });
  for (const Range& part : joined(std::move(there))) run(part);
}

}  // namespace

void for_each_present(Range range, const std::vector<Range>* mapped,
                      const std::function<void(Range)>& run, bool certain) {
  const iso::Arena& arena = iso::arena();
  const std::size_t offset = arena.offset(range.begin);
  if (mapped != nullptr && arena.shared())
    os::for_each_present_of(range, arena.fd(), offset, *mapped, run);
  else if (mapped != nullptr && certain)
    for_each_present_beside(range, *mapped, run);
  else
    os::for_each_present(range, arena.shared(), arena.fd(), offset, run);
}

void close_for_image(Tcb* t) {
  threads::sweep_companions(t);
  t->heap.close_remote();
  t->heap.release_empty();
  t->heap.find_holes();
}

void tidy_for_image(Tcb* t) {
  threads::sweep_companions(t);
  t->heap.release_empty();
  t->heap.find_holes();
}

void reopen(Tcb* t) { t->heap.open_remote(); }

void plan_image(const Tcb& t, ImageOf what, Image* image, const std::vector<Range>* mapped,
                bool certain) {
  image->marks.clear();
  image->runs.clear();
  image->bytes = image->idle_bytes = 0;
  Planner planner(*image, mapped, certain);
  planner.add_slot(t, kSlotMark,
                   what == ImageOf::kThread ? stack_end(t) : reinterpret_cast<Address>(&t));
  planner.add_heap(t.heap);
  threads::for_each_companion(&t, [&](const Tcb* c) {
    planner.add_slot(*c, kCompanionMark, reinterpret_cast<Address>(c));
  });
}

ImageHead head_of(const Tcb& t, ImageOf what, const Image& image) {
  ImageHead head{};
  head.version = kImageVersion;
  head.what = what;
  head.marks = static_cast<std::uint32_t>(image.marks.size());
  head.runs = static_cast<std::uint32_t>(image.runs.size());
  head.id = t.id.load(std::memory_order_relaxed);
  head.control = const_cast<Tcb*>(&t);
  head.bytes = image.bytes;
  head.sleep_left_ns =
      t.deadline_ns != 0 ? std::max<std::int64_t>(t.deadline_ns - job_now_ns(), 0) : -1;
  return head;
}

std::size_t heap_bytes_of(const Image& image) {
  std::size_t bytes = 0;
  for (const Mark& mark : image.marks) bytes += is_slot(mark) ? 0 : mark.range.bytes;
  return bytes;
}

}  // namespace roam::runtime
