#ifndef ROAM_RUNTIME_TRACE_EVENT_STORE_H_
#define ROAM_RUNTIME_TRACE_EVENT_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/os/file.h"
#include "runtime/trace/event.h"

namespace roam::runtime {

// The rows of one rank, in order. The newest are in a buffer; when it is full it goes to a file
// without a name, so that memory is bounded and a long run loses nothing. Where there is no room
// for the file, rows are dropped and counted.
class EventStore {
 public:
  // Rows of the buffer: it stays in the second-level cache, and a system call is made once in so
  // many events.
  static constexpr std::size_t kRows = 8192;

  EventStore() : rows_(std::make_unique_for_overwrite<Event[]>(kRows)) {}
  // False: what does not fit into the buffer will be dropped.
  bool open() { return file_.open(); }

  // Room for `rows` rows in a row, at most 9, to be filled in at once. Context: any
  // stack of some 700 bytes; allocates nothing.
  Event* add(std::size_t rows = 1) {
    if (used_ + rows > kRows) [[unlikely]]
      spill();
    Event* room = rows_.get() + used_;
    used_ += rows;
    return room;
  }

  std::uint64_t dropped() const { return dropped_; }

  // Reads them all, once, from the first to the last.
  class Reader {
   public:
    explicit Reader(EventStore& store);
    // Valid until the next call; null: there are no more. A text's rows lie behind it.
    const Event* next();

   private:
    bool refill();

    EventStore& store_;
    std::unique_ptr<Event[]> rows_;
    std::uint64_t offset_ = 0;  // in the file, of what is read next
    bool in_buffer_ = false;
    std::size_t at_ = 0, count_ = 0;
  };

 private:
  [[gnu::noinline]] void spill();

  std::unique_ptr<Event[]> rows_;
  std::size_t used_ = 0;
  os::ScratchFile file_;
  std::uint64_t dropped_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TRACE_EVENT_STORE_H_
