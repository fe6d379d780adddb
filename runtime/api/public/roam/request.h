#ifndef ROAM_REQUEST_H_
#define ROAM_REQUEST_H_

#include <cstddef>
#include <span>
#include <utility>

namespace roam {

// Any member of the team, any tag: for receives and probes.
inline constexpr int kAny = -1;

// What a receive took, or a probe found.
struct Received {
  int from = kAny;        // index of the sender in the team
  int tag = kAny;         //
  std::size_t count = 0;  // elements, of the type that was asked for; wait() and probe(): bytes
  int forwards = 0;       // ranks that passed the message on, since the receiver had moved
};

namespace detail {
struct RequestState;
bool request_test(RequestState* state);
Received request_wait(RequestState*& state);
void request_drop(RequestState* state) noexcept;
}  // namespace detail

// A send, receive or collective under way. Lives in the memory of the thread that started it, and
// travels with it. The data that it was given must stay where it is until the request is done.
//
// A request that is destroyed before it is done: a receive is cancelled, anything else is waited
// for. Another thread than the one that started it, or a kernel thread of the program, that
// destroys it before it is done stops the program.
class Request {
 public:
  Request() = default;
  Request(Request&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Request& operator=(Request&& other) noexcept {
    if (this != &other) {
      drop();
      state_ = std::exchange(other.state_, nullptr);
    }
    return *this;
  }
  ~Request() { drop(); }

  // False once it has been waited for, or if it never was anything.
  explicit operator bool() const { return state_ != nullptr; }
  // Whether it is done: wait() would return at once. Lets messages in, so that a loop around it
  // with a yield makes progress.
  bool test() const { return state_ == nullptr || detail::request_test(state_); }
  // Waits until it is done; the request is empty afterwards.
  //
  // Context: the thread that started it; suspends.
  // Errors:  Errc::message_too_long: what came is longer than the room for it. The message stays
  //          where it is and can be received again, with more room.
  //          Errc::not_in_thread, or Errc::bad_option in another thread than the one that started
  //          it, before it is done; the same of test() and wait_any.
  Received wait() { return state_ == nullptr ? Received{} : detail::request_wait(state_); }

 private:
  friend struct RequestAccess;
  explicit Request(detail::RequestState* state) : state_(state) {}
  void drop() noexcept {
    if (state_ != nullptr) detail::request_drop(std::exchange(state_, nullptr));
  }
  detail::RequestState* state_ = nullptr;
};

struct RequestAccess {
  static Request make(detail::RequestState* state) { return Request(state); }
  static detail::RequestState* state(const Request& request) { return request.state_; }
};

// Waits until one of them is done and returns its index; wait() on it then returns at once. Empty
// ones are passed over; if all are empty: requests.size().
std::size_t wait_any(std::span<const Request> requests);
// Waits for all. If some fail, the first failure is thrown when all are done.
void wait_all(std::span<Request> requests);

}  // namespace roam

#endif  // ROAM_REQUEST_H_
