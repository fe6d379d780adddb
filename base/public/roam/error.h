#ifndef ROAM_ERROR_H_
#define ROAM_ERROR_H_

#include <stdexcept>
#include <string>

namespace roam {

// Why a call was refused. Every refusal leaves the state as it was before the call.
enum class Errc {
  no_such_rank = 1,      // a rank outside [0, ranks())
  no_such_thread,        // an empty handle, or one that no rank ever gave out
  pinned,                // the thread may not move now; the message says what pins it
  thread_ended,          // the thread has ended
  out_of_address_space,  // the arena has no free range that is large enough
  out_of_memory,         // the kernel, or ROAM_MEMORY, gives no more memory
  address_in_use,        // an image would land on memory that is in use
  layout_mismatch,       // the ranks' code or data lie at different addresses
  corrupt_image,         // an image or a file is not what was packed
  not_in_thread,         // the call may suspend, and the caller is no thread of the runtime
  not_running,           // the runtime is not started, or is started already
  wrong_rank,            // the object belongs to threads of another rank
  would_deadlock,        // a thread joins itself, or locks a Mutex that it holds
  broken_promise,        // a Promise ended without a value, or was used twice
  bad_option,            // a ROAM_ variable or an argument is malformed
  not_in_team,           // the caller is not a member of the team
  no_such_member,        // an index outside [0, Team::size())
  message_too_long,      // what came is longer than the room for it
  checkpoint_failed,     // a checkpoint cannot be made, or none can be read
  system,                // the operating system refused; the message has errno's text
};

// Name of `code` as written above, e.g. "no_such_rank".
const char* to_string(Errc code) noexcept;

// What every refused call of Roam throws. what() names the value that was given, what was allowed
// and what to do about it.
class Error : public std::runtime_error {
 public:
  Error(Errc code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Errc code() const noexcept { return code_; }

 private:
  Errc code_;
};

}  // namespace roam

#endif  // ROAM_ERROR_H_
