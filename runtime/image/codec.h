#ifndef ROAM_RUNTIME_IMAGE_CODEC_H_
#define ROAM_RUNTIME_IMAGE_CODEC_H_

#include <concepts>
#include <cstddef>

#include "base/range.h"
#include "base/text.h"
#include "runtime/image/check_image.h"
#include "runtime/image/image.h"
#include "runtime/image/landing.h"

namespace roam::runtime {

// Where an image is written: a message, a file, a buffer. copy() is done with the bytes when it
// returns; those of memory() stay as they are until the image has landed or is taken back, so a
// sink may read them later. A sink that can fail remembers that it did.
template <class T>
concept ImageSink = requires(T sink, const void* from, std::size_t bytes, Range run) {
  sink.copy(from, bytes);
  sink.memory(run);
};

// And where it is read. left(): bytes that are there. copy() and memory() are asked for no more;
// false: they cannot be read.
template <class T>
concept ImageSource = requires(T source, void* to, std::size_t bytes, Range run) {
  { source.left() } -> std::convertible_to<std::size_t>;
  { source.copy(to, bytes) } -> std::same_as<bool>;
  { source.memory(run) } -> std::same_as<bool>;
};

inline std::size_t lists_bytes(const Image& image) {
  return sizeof(ImageHead) + image.marks.size() * sizeof(Mark) + image.runs.size() * sizeof(Range);
}

// An image is its head and lists, and behind them its bytes.
template <ImageSink Sink>
void write_lists(const ImageHead& head, const Image& image, Sink& sink) {
  sink.copy(&head, sizeof head);
  sink.copy(image.marks.data(), image.marks.size() * sizeof(Mark));
  sink.copy(image.runs.data(), image.runs.size() * sizeof(Range));
}
template <ImageSink Sink>
void write_bytes(const Image& image, Sink& sink) {
  for (const Range& run : image.runs) sink.memory(run);
}

// Errors: false with corrupt_image and why.
template <ImageSource Source>
bool read_lists(Source& source, ImageHead* head, Image* image, ImageRefusal* refusal) {
  if (source.left() < sizeof *head) {
    *refusal = {Errc::corrupt_image, text("the image is cut off: its head takes %zu bytes, %zu are "
                                          "there",
                                          sizeof *head, std::size_t{source.left()})};
    return false;
  }
  const auto unreadable = [refusal](const char* what) {
    *refusal = {Errc::corrupt_image, text("the image's %s cannot be read", what)};
    return false;
  };
  if (!source.copy(head, sizeof *head)) return unreadable("head");
  if (!check_head(*head, source.left(), refusal)) return false;
  image->bytes = head->bytes;
  image->idle_bytes = 0;
  image->marks.resize(head->marks);
  image->runs.resize(head->runs);
  if (!source.copy(image->marks.data(), head->marks * sizeof(Mark)) ||
      !source.copy(image->runs.data(), head->runs * sizeof(Range)))
    return unreadable("lists");
  return check_lists(*head, *image, refusal);
}

// Puts a whole image in its place, ready for land(). Errors: false with a code and why; nothing of
// it is here then.
template <ImageSource Source>
bool read_image(Source& source, ImageHead* head, Image* image, bool* returns,
                ImageRefusal* refusal) {
  if (!read_lists(source, head, image, refusal)) return false;
  if (source.left() < image->bytes) {
    *refusal = {Errc::corrupt_image,
                text("the image is cut off: its runs have %zu bytes, %zu follow its lists",
                     std::size_t{image->bytes}, std::size_t{source.left()})};
    return false;
  }
  if (!claim(*image, returns, refusal)) return false;
  for (const Range& run : image->runs) {
    if (source.memory(run)) continue;
    give_up(*image);
    *refusal = {Errc::corrupt_image, text("the %s of the image at 0x%zx cannot be read",
                                          bytes_text(run.bytes).c_str(), run.begin)};
    return false;
  }
  if (check_bytes(*head, *image, refusal)) return true;
  give_up(*image);
  return false;
}

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_IMAGE_CODEC_H_
