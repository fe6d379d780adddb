#include "mpi/image/keys.h"

#include <algorithm>

namespace roam::mpi {

bool Keys::make(unsigned* key, void (*destructor)(void*)) {
  auto entry =
      std::find_if(entries_.begin(), entries_.end(), [](const Entry& e) { return !e.used; });
  if (entry == entries_.end()) {
    if (entries_.size() == kMost) return false;
    entry = entries_.insert(entry, Entry{});
  }
  *entry = {.used = true, .destructor = destructor};
  *key = static_cast<unsigned>(entry - entries_.begin());
  return true;
}

void Keys::run_destructors() {
  constexpr int kTimes = 4;  // PTHREAD_DESTRUCTOR_ITERATIONS
  bool called = true;
  for (int time = 0; time < kTimes && called; ++time) {
    called = false;
    for (std::size_t i = 0; i < entries_.size(); ++i) {  // they may make keys
      const Entry entry = entries_[i];
      if (entry.value == nullptr || entry.destructor == nullptr) continue;
      entries_[i].value = nullptr;
      entry.destructor(entry.value);
      called = true;
    }
  }
}

}  // namespace roam::mpi
