#ifndef ROAM_RUNTIME_TEAMS_LETTER_H_
#define ROAM_RUNTIME_TEAMS_LETTER_H_

#include <cstdint>

#include "runtime/net/message.h"
#include "runtime/teams/parcel.h"

namespace roam::runtime {

// Of kLetter, with the message's bytes behind it, and kLetterOffer.
struct LetterHead {
  Kind kind;
  std::uint32_t padding;
  detail::Envelope envelope;
  Target target;             // the receiver, if it is known
  detail::Parcel* original;  // kLetterOffer: where the bytes wait
};

// Of kDirect, with the message's bytes behind it: a letter that no rank has passed on yet. What MPI
// tells is left out, the bytes and the origin, so that a short message is one of those that MPI
// copies into a queue at once: docs/decisions/0059-messages-between-nodes.md.
struct DirectHead {
  Kind kind;
  std::int32_t to, from;
  std::int32_t tag;
  std::uint32_t sequence;
  std::uint8_t asks;
  std::uint8_t counts;
  std::uint16_t note;
  std::uint64_t team;
  std::uint64_t sender;
  std::uint64_t context;
  Target target;
};
static_assert(sizeof(DirectHead) == 64);

inline DirectHead direct_head(const detail::Envelope& e, Target target) {
  return {.kind = Kind::kDirect,
          .to = e.to,
          .from = e.from,
          .tag = e.tag,
          .sequence = e.sequence,
          .asks = e.asks,
          .counts = e.counts,
          .note = e.note,
          .team = e.team,
          .sender = e.sender,
          .context = e.context,
          .target = target};
}

// The same as of kLetter. `origin`: the rank that it came from; `bytes`: behind the head.
inline LetterHead letter_head(const DirectHead& d, int origin, std::size_t bytes) {
  return {.kind = Kind::kLetter,
          .padding = 0,
          .envelope = {.team = d.team,
                       .to = d.to,
                       .from = d.from,
                       .tag = d.tag,
                       .sequence = d.sequence,
                       .bytes = bytes,
                       .origin = origin,
                       .forwards = 0,
                       .sender = d.sender,
                       .asks = d.asks,
                       .counts = d.counts,
                       .note = d.note,
                       .unused = 0,
                       .context = d.context},
          .target = d.target,
          .original = nullptr};
}

// Of a message with kServedTag and kRuntimeContext: its receiver gives up the message of this
// context and number, if no receive has taken it, and sends an empty one with what is answered.
struct TakeBackHead {
  std::uint64_t context;
  std::uint64_t answer_context;
  std::uint32_t sequence;
  std::int32_t answer_tag;
  std::uint16_t answer_note;
  std::uint16_t padding[3];
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_LETTER_H_
