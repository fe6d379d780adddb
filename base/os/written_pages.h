#ifndef ROAM_BASE_OS_WRITTEN_PAGES_H_
#define ROAM_BASE_OS_WRITTEN_PAGES_H_

#include <vector>

#include "base/os/memory.h"
#include "base/range.h"
#include "base/ranges.h"

namespace roam::os {

// Which pages of a range this process, or the kernel for it, has written through its mapping since
// they were protected last: write protection that the kernel takes away at the first write by
// itself (userfaultfd in its asynchronous mode), and PAGEMAP_SCAN; Linux 6.7 and later. What other
// processes write into the same object, and what is written by its descriptor, is not seen. Where
// devices may write into pages that were handed to them before (devices.h), nothing is known. What
// os::discard() throws away, or note_discarded() names, counts as written; where no other process
// writes, and it was too much to be noted, each page is looked at, and what is gone is neither.
//
// Context: one kernel thread; one of them in a process.
class WrittenPages {
 public:
  WrittenPages() = default;
  ~WrittenPages() { end(); }
  WrittenPages(const WrittenPages&) = delete;
  WrittenPages& operator=(const WrittenPages&) = delete;

  // Begins to watch. `others`: other processes write the same memory, and say what they have
  // written. False: this kernel cannot, or forbids it, or devices may write into memory past its
  // page tables, or what others know of it can be lost, or another one watches. It may be tried
  // again later.
  bool begin(Range range, bool others);
  void end();
  bool watches() const { return userfault_ >= 0; }

  // Pages that exist and have not been written since protect(), in order, into `clean`; then
  // protects all pages that exist, and gives those that had been written. Pages of neither have not
  // been touched, or are gone. A page that is written meanwhile is in `written`, and will be again.
  // False: it went wrong, or it could not be told now, and nothing is known.
  bool protect(std::vector<Range>* clean, std::vector<Range>* written);
  // The same of `parts` only, in order and apart; what is thrown away anywhere is in `written`.
  bool protect_parts(const std::vector<Range>& parts, std::vector<Range>* clean,
                     std::vector<Range>* written);
  // What exists in this process's page tables, by the last protect() that told something. What
  // others have thrown away since the one before may still be in it.
  const std::vector<Range>& present() const { return present_; }
  // Others have written these, in order of begin, or thrown them away: the next protect() looks
  // whether they exist. Must be told of all that others throw away, or of everything.
  void others_wrote(const std::vector<Range>& pages) { present_ = without(present_, pages); }
  void look_at_all() { present_.clear(); }
  // Whether the next one can tell what was written since the last, which may not have known what
  // was written before it.
  bool knows_since() const { return knows_since_; }

 private:
  bool can_watch() const;
  bool watch();

  Range range_;
  bool others_ = false;
  int userfault_ = -1;
  bool knows_since_ = false;
  std::vector<Range> present_;
};

}  // namespace roam::os

#endif  // ROAM_BASE_OS_WRITTEN_PAGES_H_
