#include "roam/error.h"

namespace roam {

const char* to_string(Errc code) noexcept {
  switch (code) {
    case Errc::no_such_rank:
      return "no_such_rank";
    case Errc::no_such_thread:
      return "no_such_thread";
    case Errc::pinned:
      return "pinned";
    case Errc::thread_ended:
      return "thread_ended";
    case Errc::out_of_address_space:
      return "out_of_address_space";
    case Errc::out_of_memory:
      return "out_of_memory";
    case Errc::address_in_use:
      return "address_in_use";
    case Errc::layout_mismatch:
      return "layout_mismatch";
    case Errc::corrupt_image:
      return "corrupt_image";
    case Errc::not_in_thread:
      return "not_in_thread";
    case Errc::not_running:
      return "not_running";
    case Errc::wrong_rank:
      return "wrong_rank";
    case Errc::would_deadlock:
      return "would_deadlock";
    case Errc::broken_promise:
      return "broken_promise";
    case Errc::bad_option:
      return "bad_option";
    case Errc::not_in_team:
      return "not_in_team";
    case Errc::no_such_member:
      return "no_such_member";
    case Errc::checkpoint_failed:
      return "checkpoint_failed";
    case Errc::message_too_long:
      return "message_too_long";
    case Errc::system:
      return "system";
  }
  return "unknown";
}

}  // namespace roam
