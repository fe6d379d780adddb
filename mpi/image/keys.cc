#include "mpi/image/keys.h"

#include <algorithm>

namespace roam::mpi {

bool Keys::make(unsigned* key) {
  auto entry =
      std::find_if(entries_.begin(), entries_.end(), [](const Entry& e) { return !e.used; });
  if (entry == entries_.end()) {
    if (entries_.size() == kMost) return false;
    entry = entries_.insert(entry, Entry{});
  }
  *entry = {.used = true};
  *key = static_cast<unsigned>(entry - entries_.begin());
  return true;
}

}  // namespace roam::mpi
