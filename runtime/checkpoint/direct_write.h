#ifndef ROAM_RUNTIME_CHECKPOINT_DIRECT_WRITE_H_
#define ROAM_RUNTIME_CHECKPOINT_DIRECT_WRITE_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace roam::runtime {

// The kernel takes so many parts in one call.
inline constexpr std::size_t kMostParts = 1024;

// Writes all of `parts`, which it uses up, from `*offset` on, which it advances. `*direct`: `fd`
// writes past the page cache (os::set_direct); no more, where the file system refuses it, or what
// is left of a page is not whole. False with errno; ENOSPC where nothing more is taken.
bool write_direct(int fd, std::vector<iovec>& parts, std::uint64_t* offset, bool* direct);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_DIRECT_WRITE_H_
