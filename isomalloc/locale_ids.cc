// Numbers of kinds of facets. libstdc++ counts them as they are first used, which may be in another
// order on another rank, and a locale that came from there would hold another facet under that
// number. Its own kinds come first, in the order of its code. Those of the program get a number
// that follows from their address, which is the same everywhere; where two would have the same, the
// later one is counted, and a locale with such a facet pins.

#include "isomalloc/locale_ids.h"

#include <atomic>
#include <cstdint>
#include <locale>

#include "isomalloc/process_call.h"

namespace roam::iso {
namespace {

constinit bool own_kinds_are_made = false;
constinit std::atomic<const std::locale::id*> numbered[kNumbers] = {};
constinit std::atomic<std::size_t> counted = 0;

// As early as may be: libstdc++'s own are numbered by the classic locale.
[[gnu::constructor(102)]] void make_own_kinds() {
  static_cast<void>(std::locale::classic());
  own_kinds_are_made = true;
}

std::size_t number_of(const std::locale::id* id) {
  const std::uint64_t address = reinterpret_cast<std::uintptr_t>(id);
  const std::size_t slot = (address >> 3) * 0x9e3779b97f4a7c15 >> (64 - kNumberBits);
  const std::locale::id* seen = nullptr;
  if (numbered[slot].compare_exchange_strong(seen, id) || seen == id) return kFirstNumber + slot;
  return kFirstNumber + kNumbers + counted.fetch_add(1);
}

}  // namespace
}  // namespace roam::iso

namespace std {

__attribute__((visibility("default"))) size_t locale::id::_M_id() const throw() {
  const size_t known = __atomic_load_n(&_M_index, __ATOMIC_ACQUIRE);
  if (known != 0) return known - 1;
  if (!roam::iso::own_kinds_are_made) {
    static const auto real = roam::iso::next<size_t(const id*)>("_ZNKSt6locale2id5_M_idEv");
    return real(this);
  }
  size_t seen = 0;
  const size_t index = roam::iso::number_of(this) + 1;
  return __atomic_compare_exchange_n(&_M_index, &seen, index, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)
             ? index - 1
             : seen - 1;
}

}  // namespace std
