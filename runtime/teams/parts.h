#ifndef ROAM_RUNTIME_TEAMS_PARTS_H_
#define ROAM_RUNTIME_TEAMS_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "roam/team.h"
#include "runtime/net/message.h"
#include "runtime/teams/parcel.h"

namespace roam::runtime {

using detail::CollectiveCall;
using detail::CollectiveKind;

// What goes along with the parts of a collective for a Rider (rider.h), which alone knows what it
// is. All zero: nothing.
struct Along {
  static constexpr std::size_t kBytes = 28;
  alignas(4) unsigned char bytes[kBytes];
};

// Of kGather and kSpread. Behind it: `blob` bytes that are one for all (a combination, a root's
// data, an array of all), then `entries` of EntryHead and its bytes.
struct GatherHead {
  Kind kind;
  CollectiveKind what;
  std::uint64_t team;
  std::uint32_t number;  // of the team's collectives, from 0
  std::int32_t root;
  std::uint64_t bytes;  // of one member's part
  std::uint64_t count;  // elements of it
  detail::Combine combine;
  Target root_member;  // who alone gets the result, and its request; id 0: not known yet
  detail::RequestState* root_request;
  std::uint32_t parts;  // members whose parts are in here
  std::uint32_t has_blob;
  Along along;             // of the parts
  std::uint32_t verdict;   // of kSpread: see Rider
  std::uint32_t in_order;  // of a reduction: 1: parts are combined in an order that is fixed
  std::uint32_t modes;     // FloatModes of the first that took part where this was made
  std::uint64_t blob;
  std::uint64_t entries;
  alignas(16) unsigned char op[CollectiveCall::kMostOpBytes];
};
struct EntryHead {
  std::int32_t index;
  std::uint32_t level;  // of a reduction in order: see Partial
  std::uint64_t bytes;
};

// The combination of the members from `first`, a multiple of 2^level, to `first` + 2^level - 1,
// each half before that with the other. So what is combined with what follows from the members'
// indices alone, and a sum of floating-point numbers has the same bits wherever they are and
// whoever comes first. Source: pairwise summation, whose error grows with the logarithm of the
// number.
struct Partial {
  std::int32_t first;
  std::uint32_t level;
  std::uint32_t place;  // of its bytes: Parts::bytes_of
};

// The parts of one collective that have come together at a rank.
class Parts {
 public:
  GatherHead head{};
  std::vector<char> blob;
  std::vector<EntryHead> entries;
  std::vector<char> data;         // of the entries, one after the other
  std::vector<Partial> partials;  // of a reduction in order, by `first`; no two are halves of one

  // Of head.bytes, aligned for any operation.
  char* bytes_of(const Partial& p) { return places_.data() + p.place * place_bytes(); }
  const char* bytes_of(const Partial& p) const { return places_.data() + p.place * place_bytes(); }

  // Adds what one member gives. Where this throws std::bad_alloc, it has not.
  void add(const CollectiveCall& call, int index);
  // Adds what another rank has sent; not what goes along with it.
  void add(const char* message);
  void clear();
  std::vector<char> pack() const;
  // Where the data of each member's entry begins; null of who has none.
  std::vector<const char*> by_index(int size) const;

 private:
  void combine(const char* from, std::size_t bytes, bool has);
  void insert(std::int32_t first, std::uint32_t level, const char* bytes);
  std::size_t place_bytes() const {
    constexpr std::size_t kAlignment = CollectiveCall::kMostAlignment;
    return (head.bytes + kAlignment - 1) / kAlignment * kAlignment;
  }

  std::vector<char> places_;  // of the bytes of partials: as many as there were at once
  std::vector<std::uint32_t> free_places_;
};

// Whether only the root gets a result.
bool for_root_only(CollectiveKind what);

// Whether each member gets something else.
bool entry_each(CollectiveKind what);

// Whether the Rider makes the result at the root, from parts that may be of any length; whether the
// members get theirs from it, apart from the collective, which only says that all have taken part.
bool made_by_rider(CollectiveKind what);
bool answered_by_rider(CollectiveKind what);

// What the result of a collective is, once all parts are there, at its root: the blob, or an entry
// for each member.
void complete(Parts* parts, int size);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_PARTS_H_
