#ifndef ROAM_RUNTIME_IMAGE_IMAGE_H_
#define ROAM_RUNTIME_IMAGE_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/range.h"
#include "runtime/image/image_head.h"
#include "threads/tcb.h"

namespace roam::runtime {

// An address range that becomes live where the image arrives.
struct Mark {
  Range range;
  std::uint32_t kind;  // MarkKind
  std::uint32_t padding;
};
enum MarkKind : std::uint32_t { kSlotMark = 1, kCompanionMark, kSpanMark, kLargeMark };
// Whether it is a thread's or a companion's slot; else it is a span.
inline bool is_slot(const Mark& mark) {
  return mark.kind == kSlotMark || mark.kind == kCompanionMark;
}

// What of a suspended thread has to travel, and nothing else: the live part of its stack with the
// control block and the head blocks, which lie together; the used part of each span, without pages
// that hold free blocks only; the pages that exist of each large block; the same of companions,
// without a stack.
struct Image {
  std::vector<Mark> marks;       // address ranges that become the target's
  std::vector<Range> runs;       // bytes that are sent, in this order
  std::uint64_t bytes = 0;       // of all runs
  std::uint64_t idle_bytes = 0;  // of pages that hold free blocks only
};

// Makes `t`, which is in no queue, ready for a plan: gives back its empty spans and what of its
// companions nothing lives in, and looks for pages that hold free blocks only. Nothing can be sent
// home to its heap after this; reopen() undoes that.
void close_for_image(detail::Tcb* t);
// For a checkpoint, where `t` stays: the same without closing, which would end a program that frees
// its memory meanwhile. REQUIRES: nobody else frees now (iso::hold_frees_of_others).
void tidy_for_image(detail::Tcb* t);
void reopen(detail::Tcb* t);

// Calls `run` for each run of pages in `range`, of the arena, that exist. `mapped`: what this
// process has mapped of the arena, in order and apart; null: that is not known. Of private memory,
// where it costs little to look, it is heeded only if it is `certain`.
void for_each_present(Range range, const std::vector<Range>* mapped,
                      const std::function<void(Range)>& run, bool certain = false);

// Plans the image of `t` and changes nothing of it. REQUIRES: one of these two, after which `t`
// has not run.
// `mapped`: as for_each_present() takes it. `certain`: it is known of private memory too.
void plan_image(const detail::Tcb& t, ImageOf what, Image* image,
                const std::vector<Range>* mapped = nullptr, bool certain = false);
// The head that goes before the image.
ImageHead head_of(const detail::Tcb& t, ImageOf what, const Image& image);

// What its heap takes where it is, as ROAM_MEMORY counts it.
std::size_t heap_bytes_of(const Image& image);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_IMAGE_IMAGE_H_
