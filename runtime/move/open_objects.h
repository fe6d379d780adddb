#ifndef ROAM_RUNTIME_MOVE_OPEN_OBJECTS_H_
#define ROAM_RUNTIME_MOVE_OPEN_OBJECTS_H_

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/lock.h"
#include "runtime/net/component.h"

namespace roam::runtime {

// Objects of the process that threads have opened and not closed, such as FILE*: they keep who
// opened them on this rank. Context of what is not said to be otherwise: the rank's kernel thread,
// capture off.
class OpenObjects final : public Component {
 public:
  // `self` opened it, which runs or is being made. `lent`: it refers to memory of `self`.
  void note_open(const void* object, const char* what, Tcb* self, bool lent = false);
  // `t`, which had the number `from`, has another from now on: what it opened is of that thread.
  // Cheap if it opened nothing.
  void renumbered(Tcb* t, std::uint64_t from) {
    if (t->open_objects != 0) [[unlikely]]
      renumber(t, from);
  }
  // Context: any kernel thread, capture off. One of the program leaves the control block, and what
  // waits in it, to the rank's own.
  void note_closed(const void* object);
  // What other kernel threads closed no longer pins. Cheap if they closed nothing.
  void take_closed() {
    if (due()) [[unlikely]]
      poll();
  }
  void poll() override;
  // Whether objects of this process refer to memory that the thread of that number left.
  bool has_lent(const Tcb* ended, std::uint64_t id) const;
  // What refers to memory of `ended`, which had that number, keeps `heir`, who has it now.
  void inherit(Tcb* heir, const Tcb* ended, std::uint64_t id);
  // All that keeps `t` here, for a message.
  std::string pinned_by(const Tcb* t) const;

 private:
  struct Open {
    std::uint64_t thread;
    Tcb* control;
    const char* what;
    bool lent;
  };
  static void release(const Open& open);
  void renumber(Tcb* t, std::uint64_t from);

  mutable Lock lock_;  // of what follows: kernel threads close too
  // An object may be opened more than once (sem_open).
  std::unordered_multimap<const void*, Open> open_;
  std::vector<Open> closed_;  // by other kernel threads
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_MOVE_OPEN_OBJECTS_H_
