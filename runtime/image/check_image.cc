#include "runtime/image/check_image.h"

#include <string>
#include <utility>

#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/heap.h"
#include "threads/tcb.h"

namespace roam::runtime {
namespace {

using detail::Tcb;

bool refuse(ImageRefusal* refusal, std::string why) {
  *refusal = {Errc::corrupt_image, std::move(why)};
  return false;
}

// Whether the mark is whole units of the region of its kind.
bool lies_well(const Mark& mark) {
  const Range region =
      iso::arena().region(is_slot(mark) ? iso::Region::kSlots : iso::Region::kHeap);
  return region.contains(mark.range.begin) && mark.range.bytes != 0 &&
         mark.range.bytes <= region.end() - mark.range.begin &&
         (mark.range.begin | mark.range.bytes) % iso::kUnitBytes == 0;
}

// What of a mark its owner looks at first.
Range anchor_of(const Mark& mark) {
  if (is_slot(mark)) {
    return Range{reinterpret_cast<Address>(detail::tcb_of_slot(mark.range)), sizeof(Tcb)};
  }
  return Range{reinterpret_cast<Address>(iso::Span::at(mark.range.begin)), sizeof(iso::Span)};
}

// Below this nothing of a mark travels.
Address lowest_of(const ImageHead& head, const Mark& mark, Range anchor) {
  if (mark.kind == kSlotMark && head.what == ImageOf::kThread) {
    return mark.range.begin + Tcb::kGuardBytes;
  }
  return is_slot(mark) ? anchor.begin : mark.range.begin;
}

}  // namespace

bool check_head(const ImageHead& head, std::size_t left, ImageRefusal* refusal) {
  if (head.version != kImageVersion) {
    return refuse(refusal, text("the image has version %u; this program reads version %u",
                                head.version, kImageVersion));
  }
  if (head.what != ImageOf::kThread && head.what != ImageOf::kRemains) {
    return refuse(refusal, text("the image is of kind %u; there are 1, a thread, and 2, remains",
                                static_cast<unsigned>(head.what)));
  }
  if (head.marks == 0) return refuse(refusal, "the image has 0 marks; the least is 1, the slot");
  const std::size_t lists = head.marks * sizeof(Mark) + head.runs * sizeof(Range);
  if (lists > left) {
    return refuse(
        refusal,
        text("the image is cut off: %u marks and %u runs take %zu bytes, and %zu follow its "
             "head",
             head.marks, head.runs, lists, left));
  }
  return true;
}

bool check_lists(const ImageHead& head, const Image& image, ImageRefusal* refusal) {
  const std::vector<Range>& runs = image.runs;
  std::size_t run = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < image.marks.size(); ++i) {
    const Mark& mark = image.marks[i];
    if (mark.kind < kSlotMark || mark.kind > kLargeMark || (mark.kind == kSlotMark) != (i == 0)) {
      return refuse(
          refusal,
          text("mark %zu of the image is of kind %u; the first is 1, others 2 to 4", i, mark.kind));
    }
    if (mark.padding != 0) {
      return refuse(refusal,
                    text("mark %zu of the image has %u where 0 has to be", i, mark.padding));
    }
    if (!lies_well(mark)) {
      return refuse(refusal,
                    text("mark %zu of the image, of kind %u, is 0x%zx bytes at 0x%zx; it has to be "
                         "whole units of 0x%zx bytes in the arena's %s",
                         i, mark.kind, mark.range.bytes, mark.range.begin, iso::kUnitBytes,
                         is_slot(mark) ? "slots" : "heaps"));
    }
    const Range anchor = anchor_of(mark);
    bool anchored = false;
    Address at = lowest_of(head, mark, anchor);
    for (; run < runs.size() && mark.range.contains(runs[run].begin); ++run) {
      const Range r = runs[run];
      if (r.begin < at || r.bytes == 0 || r.bytes > mark.range.end() - r.begin) {
        return refuse(
            refusal,
            text("run %zu of the image is 0x%zx bytes at 0x%zx; it has to lie between 0x%zx "
                 "and 0x%zx",
                 run, r.bytes, r.begin, at, mark.range.end()));
      }
      anchored |= r.begin <= anchor.begin && anchor.end() <= r.end();
      at = r.end();
      bytes += r.bytes;
    }
    if (!anchored) {
      return refuse(
          refusal,
          text("the image brings 0x%zx bytes at 0x%zx without the %s at 0x%zx, which would be "
               "run %zu of %zu",
               mark.range.bytes, mark.range.begin,
               is_slot(mark) ? "control block" : "head of the span", anchor.begin, run,
               runs.size()));
    }
  }
  if (run != runs.size()) {
    return refuse(
        refusal, text("run %zu of the image, at 0x%zx, lies in no mark, or not in their order", run,
                      runs[run].begin));
  }
  if (bytes != head.bytes) {
    return refuse(refusal,
                  text("the image's head says %zu bytes, its runs have %zu",
                       static_cast<std::size_t>(head.bytes), static_cast<std::size_t>(bytes)));
  }
  if (head.control != detail::tcb_of_slot(image.marks[0].range)) {
    return refuse(refusal, text("the image's control block is at %p; in its slot it lies at %p",
                                static_cast<void*>(head.control),
                                static_cast<void*>(detail::tcb_of_slot(image.marks[0].range))));
  }
  return true;
}

bool check_bytes(const ImageHead& head, const Image& image, ImageRefusal* refusal) {
  for (const Mark& mark : image.marks) {
    bool fits;
    if (is_slot(mark)) {
      const Tcb* t = detail::tcb_of_slot(mark.range);
      fits = t->slot == mark.range;
    } else {
      const iso::Span* span = iso::Span::at(mark.range.begin);
      fits = span->magic == iso::Span::kMagic &&
             span->units == mark.range.bytes / iso::kUnitBytes &&
             span->large() == (mark.kind == kLargeMark);
    }
    if (!fits) {
      return refuse(refusal,
                    text("the image's bytes have no %s of 0x%zx bytes at 0x%zx",
                         is_slot(mark) ? "slot" : "span", mark.range.bytes, mark.range.begin));
    }
  }
  if (const std::uint64_t id = head.control->id.load(std::memory_order_relaxed); id != head.id) {
    return refuse(refusal, text("the image's head is of thread %zu, its bytes are of thread %zu",
                                static_cast<std::size_t>(head.id), static_cast<std::size_t>(id)));
  }
  return true;
}

}  // namespace roam::runtime
