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
