#ifndef ROAM_CHANNEL_H_
#define ROAM_CHANNEL_H_

#include <cstddef>
#include <deque>
#include <list>
#include <optional>
#include <type_traits>
#include <utility>

#include "roam/errand.h"
#include "roam/error.h"
#include "roam/rehome.h"
#include "roam/wait_queue.h"

// Included by roam/sync.h, whose rules of migration hold.
namespace roam {

// A FIFO of values between threads. With a capacity, send waits while it is full. A value received
// is in the receiver's memory, where its type can be copied; see roam/rehome.h.
template <class T>
class Channel {
 public:
  // `capacity` in values; 0 and the default are unbounded.
  explicit Channel(std::size_t capacity = 0) : capacity_(capacity) {}

  // Errors: Error(broken_promise) if the channel is closed.
  void send(T value) {
    if (!detail::is_here(this, "Channel")) {
      detail::check_given<T>("Channel::send");
      detail::errand_until("Channel::send", this, detail::kForEver,
                           [&] { return try_send(value); });
      return;
    }
    while (full() && !closed_) senders_.wait(this, "Channel");
    require_open();
    store(value);
    detail::migration_point();
  }
  // False if full. Leaves `value` as it is then.
  bool try_send(T& value) {
    if (!detail::is_here(this, "Channel")) {
      detail::check_given<T>("Channel::try_send");
      return detail::errand("Channel::try_send", [&] { return try_send(value); });
    }
    require_open();
    if (!detail::asked(!full())) return false;
    store(value);
    return true;
  }
  bool try_send(T&& value) { return try_send(value); }
  // The next value; nothing once the channel is closed and empty.
  std::optional<T> recv() {
    if (!detail::is_here(this, "Channel")) return recv_outside();
    while (values_.empty() && !closed_) receivers_.wait(this, "Channel");
    std::optional<T> value = try_recv();
    detail::migration_point();
    return value;
  }
  std::optional<T> try_recv() {
    if (!detail::is_here(this, "Channel")) {
      detail::check_taken<T>("Channel::try_recv");
      return detail::errand("Channel::try_recv", [&] { return try_recv(); });
    }
    if (!detail::asked(!values_.empty())) return std::nullopt;
    return take_front();
  }
  // No more values can be sent; those inside can still be received.
  void close() {
    if (!detail::is_here(this, "Channel")) {
      detail::errand("Channel::close", [&] { close(); });
      return;
    }
    closed_ = true;
    receivers_.wake_all();
    senders_.wake_all();
  }
  bool closed() const {
    if (!detail::is_here(this, "Channel"))
      return detail::errand("Channel::closed", [&] { return closed(); });
    return detail::asked(closed_);
  }
  std::size_t size() const {
    if (!detail::is_here(this, "Channel"))
      return detail::errand("Channel::size", [&] { return size(); });
    return empty() ? 0 : values_.size();
  }
  bool empty() const {
    if (!detail::is_here(this, "Channel"))
      return detail::errand("Channel::empty", [&] { return empty(); });
    return !detail::asked(!values_.empty());
  }

 private:
  std::optional<T> recv_outside() {
    detail::check_taken<T>("Channel::recv");
    std::optional<std::optional<T>> got;
    detail::errand_until("Channel::recv", this, detail::kForEver, [&] {
      detail::check_home(this, "Channel");
      if (!values_.empty() || closed_) got.emplace(try_recv());
      return got.has_value();
    });
    return std::move(*got);
  }
  // Plain values: what goes in and out is one step. Others go in and out with their node, which is
  // nobody else's from the first on: a copy, or a move of what can only be copied, may wait, and
  // others send and receive meanwhile.
  static constexpr bool kPlain = !detail::kCopyMayWait<T>;

  // The caller, one of `others`, may have been woken for what it cannot do now, for want of memory:
  // that is the next one's.
  template <class Hold>
  Hold hold_or_pass_on(detail::WaitQueue& others) {
    try {
      return Hold(this, !kPlain);
    } catch (...) {
      if (&others == &receivers_ || !full()) others.wake_one();
      throw;
    }
  }
  std::optional<T> take_front() {
    const auto hold = hold_or_pass_on<detail::HoldHome>(receivers_);
    if constexpr (kPlain) {
      T front(std::move(values_.front()));
      values_.pop_front();
      senders_.wake_one();
      return front;
    } else {
      std::list<T> front;
      front.splice(front.begin(), values_, values_.begin());
      senders_.wake_one();
      try {
        return detail::rehome(std::move(front.front()));
      } catch (...) {
        values_.splice(values_.begin(), front);
        receivers_.wake_one();
        throw;
      }
    }
  }
  void store(T& value) {
    {
      const auto scope = hold_or_pass_on<detail::AllocateBeside>(senders_);
      if constexpr (kPlain) {
        try {
          values_.push_back(std::move(value));
        } catch (...) {  // no memory: the room, for which this sender was woken, is the next one's
          if (!full()) senders_.wake_one();
          throw;
        }
      } else {
        const Coming room(*this);
        std::list<T> fresh;
        fresh.push_back(detail::rehome(std::move(value)));
        require_open();  // still
        values_.splice(values_.end(), fresh);
      }
    }
    receivers_.wake_one();
  }
  // Room for a value that is being copied.
  struct Coming {
    explicit Coming(Channel& c) : channel(c) { ++channel.coming_; }
    ~Coming() {
      --channel.coming_;
      if (!channel.full()) channel.senders_.wake_one();
    }
    Channel& channel;
  };
  bool full() const { return capacity_ != 0 && values_.size() + coming_ >= capacity_; }
  void require_open() const {
    if (closed_) throw Error(Errc::broken_promise, "send on a closed Channel");
  }
  std::size_t capacity_;
  bool closed_ = false;
  std::size_t coming_ = 0;
  std::conditional_t<kPlain, std::deque<T>, std::list<T>> values_;
  detail::WaitQueue senders_;
  detail::WaitQueue receivers_;
};

}  // namespace roam

#endif  // ROAM_CHANNEL_H_
