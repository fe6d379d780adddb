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

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_LETTER_H_
