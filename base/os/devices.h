#ifndef ROAM_BASE_OS_DEVICES_H_
#define ROAM_BASE_OS_DEVICES_H_

namespace roam::os {

// Whether a device, or the kernel for what was asked of it earlier, may write into memory of this
// process past its page tables, so that nobody who watches those sees it: an adapter that writes
// into memory of others (InfiniBand, Slingshot, BXI), XPMEM, KNEM or a graphics processor is in
// this machine; this process has a device open or mapped that is not known to leave memory alone, a
// file past the page cache (O_DIRECT), an io_uring or a context of libaio; or memory of its is
// pinned (VmPin). True too if it cannot be told.
//
// Some 0.1 ms for a hundred open files.
bool devices_may_write();

}  // namespace roam::os

#endif  // ROAM_BASE_OS_DEVICES_H_
