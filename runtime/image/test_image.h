#ifndef ROAM_RUNTIME_IMAGE_TEST_IMAGE_H_
#define ROAM_RUNTIME_IMAGE_TEST_IMAGE_H_

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "isomalloc/arena.h"
#include "runtime/image/codec.h"
#include "runtime/image/image.h"
#include "runtime/image/landing.h"
#include "runtime/image/memory_stream.h"
#include "threads/test_threads.h"

namespace roam::runtime {

using detail::Tcb;

// For tests: an image in a buffer, and its thread gone from here or not.
struct StoredImage {
  ImageHead head;
  Image image;
  std::vector<char> bytes;

  explicit StoredImage(Tcb* t, ImageOf what = ImageOf::kThread) {
    close_for_image(t);
    plan_image(*t, what, &image);
    head = head_of(*t, what, image);
    write();
  }
  // Again, after a change of the head or the lists. The bytes have to be where they were.
  void write() {
    bytes.assign(lists_bytes(image) + image.bytes, '\0');
    MemorySink sink(bytes.data());
    write_lists(head, image, sink);
    write_bytes(image, sink);
  }
  bool is_here() const {
    bool any = false;
    for (const Mark& mark : image.marks) {
      for (Address a = mark.range.begin; a < mark.range.end(); a += iso::kUnitBytes)
        any |= iso::arena().units().kind(a) != iso::UnitKind::kNone;
    }
    return any;
  }
  // As on a rank where it never was.
  void remove() const {
    give_up(image);
    EXPECT_FALSE(is_here());
    EXPECT_NE(head.control->slot, image.marks[0].range) << "its memory is gone";
  }
  // The thread, which is to be resumed; null with a failure if it was refused.
  Tcb* land_here() const {
    MemorySource source(bytes.data(), bytes.size());
    ImageHead read_head;
    Image read;
    bool returns = true;
    ImageRefusal refusal;
    if (!read_image(source, &read_head, &read, &returns, &refusal)) {
      ADD_FAILURE() << refusal.why;
      return nullptr;
    }
    EXPECT_FALSE(returns) << "nothing was kept";
    EXPECT_EQ(source.left(), 0u);
    return land(read_head, read, threads::TestThreads::kRank);
  }
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_IMAGE_TEST_IMAGE_H_
