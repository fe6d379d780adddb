#include "runtime/image/claims.h"

namespace roam::runtime {

constinit ClaimHeard claim_heard = nullptr;

iso::Claimed claim_range(Range range) {
  const iso::Claimed claimed = iso::arena().claim(range);
  if (claim_heard != nullptr) claim_heard(range);
  return claimed;
}

}  // namespace roam::runtime
