#ifndef ROAM_RUNTIME_TRACE_EVENT_H_
#define ROAM_RUNTIME_TRACE_EVENT_H_

#include <cstddef>
#include <cstdint>

namespace roam::runtime {

// What is noted of one event: 32 bytes. Rows are in the order in which they were noted, which is
// that of the events' ends. A text, or a row of further numbers, follows in `rows` rows.
struct Event {
  enum Kind : std::uint8_t {
    kTurns = 1,  // thread (0: several) ran until value [ticks]; number: turns
    kNamed,      // thread; text: its name
    kEnded,      // thread; value: how long it ran in all [ns], 0: not known
    kDeparted,   // thread, number: hop, peer: to, value: bytes sent and ticks (see departed());
                 // asked: others asked for it
    kArrived,    // thread, number: hop; text: its name
    kRefused,    // thread, number: the hop that came to nothing, peer: who refused; text: name
    kSample,     // thread: threads here, number: those of them that are ready, value: idle [ticks];
                 // row: Core
    kSent,       // thread: from, value: to (0: not known), number: tag, peer: rank; row: MessageRow
    kReceived,   // the same; peer: whence
    kTraffic,    // peer: rank; value: messages, thread: bytes, sent there in all
    kStep,       // a balancing step until value [ticks]; text: strategy; it goes on with
    kStepRank,   //   peer: rank, value and thread: its load before and after
    kStepMove,   //   thread, peer: to, number: from, value: bytes
    kStepEnd,
  };

  std::uint64_t ticks;  // of the time-stamp counter, when it began
  std::uint64_t thread;
  std::uint64_t value;
  std::uint32_t number;
  std::uint32_t kind : 6;
  std::uint32_t rows : 4;
  std::uint32_t asked : 1;
  std::uint32_t peer : 21;  // ranks beyond are cut
};
static_assert(sizeof(Event) == 32);

// The row behind a message's event.
struct MessageRow {
  std::uint64_t bytes;
  std::uint64_t sequence;
  std::uint64_t pair;
  std::uint64_t end_ticks;  // of its sending
};
static_assert(sizeof(MessageRow) == sizeof(Event));

// The row behind a sample.
struct Core {
  std::uint64_t ns;  // of processor time that the rank's kernel thread has had
  std::uint64_t none[3];
};
static_assert(sizeof(Core) == sizeof(Event));

// Longer texts are cut.
inline constexpr std::size_t kMostText = 8 * sizeof(Event);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TRACE_EVENT_H_
