#include "runtime/trace/event_store.h"

#include <cstring>

namespace roam::runtime {

void EventStore::spill() {
  if (!file_.append(rows_.get(), used_ * sizeof(Event))) dropped_ += used_;
  used_ = 0;
}

EventStore::Reader::Reader(EventStore& store)
    : store_(store), rows_(std::make_unique_for_overwrite<Event[]>(kRows)) {}

const Event* EventStore::Reader::next() {
  // An event and its text may lie across the end of what was read.
  if (at_ == count_ || at_ + 1 + rows_[at_].rows > count_) {
    if (!refill()) return nullptr;
  }
  const Event* event = &rows_[at_];
  at_ += 1 + event->rows;
  return event;
}

bool EventStore::Reader::refill() {
  const std::size_t left = count_ - at_;
  std::memmove(rows_.get(), rows_.get() + at_, left * sizeof(Event));
  at_ = 0;
  count_ = left;
  if (!in_buffer_) {
    const std::size_t bytes =
        store_.file_.bytes() == 0
            ? 0
            : store_.file_.read(offset_, rows_.get() + left, (kRows - left) * sizeof(Event));
    offset_ += bytes;
    count_ += bytes / sizeof(Event);
    in_buffer_ = bytes == 0;
  }
  if (in_buffer_ && store_.used_ != 0) {
    // What was spilled ends with a whole event, so nothing is left of it.
    std::memcpy(rows_.get(), store_.rows_.get(), store_.used_ * sizeof(Event));
    count_ = store_.used_;
    store_.used_ = 0;
  }
  return count_ != 0 && rows_[0].rows < count_;
}

}  // namespace roam::runtime
