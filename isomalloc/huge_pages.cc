#include "isomalloc/huge_pages.h"

#include <fstream>
#include <string>

#include "base/os/memory.h"

namespace roam::iso {
namespace {

// Two mappings each, and a process may have 65,530.
constexpr std::size_t kMostRanges = 4096;

// Whether memory outside the arena is made of huge pages too, without being asked.
bool are_usual() {
  std::string words;
  std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), words);
  return words.find("[always]") != std::string::npos;
}

// The part of `range` that huge pages can fill; empty if there is none.
Range whole_pages(Range range) {
  const Address begin = round_up(range.begin, kHugePageBytes);
  const Address end = round_down(range.end(), kHugePageBytes);
  return begin < end ? Range{begin, end - begin} : Range{};
}

}  // namespace

void HugePages::set_option(int option) { allowed_ = option == 1 || (option == 2 && are_usual()); }

// Stacks and small heaps would take 2 MiB each.
void HugePages::start(Range whole) {
  os::set_huge_pages(whole, false);
  ranges_ = 0;
}

void HugePages::prefer(Range range) {
  const Range inside = whole_pages(range);
  if (inside.bytes == 0 || !allowed_ || ranges_ >= kMostRanges) return;
  ranges_ += os::set_huge_pages(inside, true);
}

void HugePages::resize(Range old, Range fresh) {
  const Range before = whole_pages(old), now = whole_pages(fresh);
  if (!allowed_ || before.end() == now.end()) return;
  if (now.end() > before.end()) {
    os::set_huge_pages(Range{before.end(), now.end() - before.end()}, true);
  } else {
    os::set_huge_pages(Range{now.end(), before.end() - now.end()}, false);
  }
}

void HugePages::give_up(Range range) {
  const Range inside = whole_pages(range);
  if (inside.bytes == 0 || !allowed_) return;
  os::set_huge_pages(inside, false);
  if (ranges_ > 0) --ranges_;
}

}  // namespace roam::iso
