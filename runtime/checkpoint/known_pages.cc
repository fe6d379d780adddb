#include "runtime/checkpoint/known_pages.h"

#include <algorithm>

namespace roam::runtime {
namespace {

// The first of `ranges`, in order and apart, that ends behind `at`.
template <class T, class RangeOf>
typename std::vector<T>::const_iterator first_behind(const std::vector<T>& all, Address at,
                                                     RangeOf range_of) {
  auto next = std::upper_bound(all.begin(), all.end(), at, [&](Address address, const T& one) {
    return address < range_of(one).begin;
  });
  if (next != all.begin() && range_of(*std::prev(next)).end() > at) --next;
  return next;
}
Range of_run(const KnownPages::Run& run) { return run.pages; }
Range of_range(Range range) { return range; }

}  // namespace

void KnownPages::sort() {
  const auto earlier = [](const Run& a, const Run& b) { return a.pages.begin < b.pages.begin; };
  std::sort(runs.begin(), runs.end(), earlier);
  // A page that two images have is in the file twice; one of them is enough to know it.
  Address end = 0;
  std::erase_if(runs, [&end](const Run& run) {
    if (run.pages.begin < end) return true;
    end = run.pages.end();
    return false;
  });
}

const KnownPages::Run* KnownPages::run_at(Address at) const {
  const auto run = first_behind(runs, at, of_run);
  return run != runs.end() && run->pages.contains(at) ? &*run : nullptr;
}

const KnownPages::Run* KnownPages::first_in(Range pages, const std::vector<Range>& clean,
                                            Range* part) const {
  Address at = pages.begin;
  while (at < pages.end()) {
    const auto run = first_behind(runs, at, of_run);
    const auto untouched = first_behind(clean, at, of_range);
    if (run == runs.end() || untouched == clean.end()) return nullptr;
    const Address begin = std::max({at, run->pages.begin, untouched->begin});
    const Address end = std::min({pages.end(), run->pages.end(), untouched->end()});
    if (begin < end) {
      *part = {begin, end - begin};
      return &*run;
    }
    at = begin;  // of one of them nothing is left here
  }
  return nullptr;
}

}  // namespace roam::runtime
