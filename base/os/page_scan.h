#ifndef ROAM_BASE_OS_PAGE_SCAN_H_
#define ROAM_BASE_OS_PAGE_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/range.h"

// What the page tables of this process say (PAGEMAP_SCAN, Linux 6.7 and later).
namespace roam::os {

// Those of `range` that are in memory, in order and apart, are appended to `found`. False with
// errno: the kernel does not tell.
bool find_present_pages(Range range, std::vector<Range>* found);

// Calls `run` for each run of pages in `range` that exist in the object `fd`, where the range lies
// at `offset`. What this process has mapped of it, `mapped`, in order and apart, exists; of all
// else the object knows.
void for_each_present_of(Range range, int fd, std::size_t offset, const std::vector<Range>& mapped,
                         const std::function<void(Range)>& run);

// Whether this machine makes huge pages of shared memory. One that is taken down leaves no entry in
// page tables, and the kernel says of none that it was written.
bool shared_pages_may_be_huge();

// In one look at each page of `range`, where pages are watched (written_pages.h): those that have
// been written are appended to `written` and protected anew; those that are in memory and have not
// been are appended to `clean`. A page that moves just now looks swapped: it is not clean, and
// written if it was. `clean` is in order and apart; of `written` some can come twice, those that
// are written meanwhile, and be in `clean` too. Those of both that are in memory are appended to
// `present`, as they come. False with errno: the kernel does not do that.
//
// `known`: what was `present` the last time, in order and apart, and no other process has written
// or thrown away since. Of long runs of these only what is written is asked, which is quick: what
// was thrown away here since then, and has not been written again, is `clean` and `present`. Where
// shared_pages_may_be_huge() nothing counts as known.
bool protect_pages(Range range, const std::vector<Range>& known, std::vector<Range>* clean,
                   std::vector<Range>* written, std::vector<Range>* present);

// /proc/self/pagemap, opened once; negative: it cannot be.
int page_map();

}  // namespace roam::os

#endif  // ROAM_BASE_OS_PAGE_SCAN_H_
