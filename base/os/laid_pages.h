#ifndef ROAM_BASE_OS_LAID_PAGES_H_
#define ROAM_BASE_OS_LAID_PAGES_H_

#include "base/range.h"

namespace roam::os {

// Where pages of files lie over our own memory (file_pages.h): who gives access to memory around
// them leaves them as they are. One table for the process, kept over fork. Context: any kernel
// thread; give_access_around() also handlers of signals.

// Before the pages are laid, so that nobody takes their place for memory meanwhile.
void note_laid_pages(Range range);
// When they are gone. REQUIRES: it was noted.
void forget_laid_pages(Range range);
// In a child of fork whose memory is new: there are none. Allocates and frees nothing.
void forget_all_laid_pages();

// Makes `range` readable and writable, but for laid pages. False with errno.
bool give_access_around(Range range);

}  // namespace roam::os

#endif  // ROAM_BASE_OS_LAID_PAGES_H_
