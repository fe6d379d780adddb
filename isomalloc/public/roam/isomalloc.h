/* Blocks at addresses that are unique over the whole job. For C and C++.
 *
 * A block's address is handed out by no other rank while the block lives, so its bytes can be moved
 * to any rank at the same address and every pointer inside stays valid. All calls work in plain
 * code on a rank and inside threads, once the runtime has started (roam::run, or the first
 * iso_malloc on a job of one process).
 */
#ifndef ROAM_ISOMALLOC_H_
#define ROAM_ISOMALLOC_H_

#include <stddef.h>

#include "roam/pup_c.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Returns a block of `size` bytes, zeroed, page-aligned; a size of 0 gives a block of length 0.
 *
 * Units:   bytes; memory is used a page (4 KiB) at a time, as it is touched, plus one page a block.
 * Errors:  NULL with errno ENOMEM when no free address range is large enough; nothing changed.
 * Source:  Antoniu, Bouge, Namyst 1999 (iso-address allocation).
 */
void* iso_malloc(size_t size);

/* Releases the block and its address range, which may be handed out again later. NULL is ignored.
 *
 * Context: any rank on which the block is; it need not be the one that allocated it.
 * Errors:  a second free, or a pointer that iso_malloc did not return, stops the program with a
 *          message that names the pointer. A reference after the free faults for as long as the
 *          range rests before it is handed out again, where it is to the first 64 MiB.
 */
void iso_free(void* block);

/* Length in bytes that was asked for. A pointer that is no live block stops the program. */
size_t iso_length(const void* block);

/* 1 if `address` may lie in what iso_malloc returned on some rank, else 0. On every rank: 1 for
 * each byte of a block, wherever it is now; 0 for what malloc and new returned, inside threads too,
 * for stacks and for all other memory. 0 for a freed block on the rank that freed it; another rank
 * cannot know that it is not a block of a node that it does not see.
 */
int iso_in_range(const void* address);

/* Sizes, packs or unpacks the block at `*block`, as `p` says. After unpacking `*block` has the
 * value that it had before packing. A packer that deletes (pup_isDeleting) frees the block once
 * packed, into a file once the kernel has its bytes, and its address range then travels with the
 * image, which is unpacked once. A NULL block is packed as NULL.
 *
 * Errors:  unpacking where the range is in use, or from bytes that iso_pup did not write, throws
 *          roam::Error in C++ (address_in_use, corrupt_image), and so does a file that cannot be
 *          written (system), and the block stays; uncaught, it ends the job with the message.
 */
void iso_pup(pup_er p, void** block);

#ifdef __cplusplus
}
#endif

#endif /* ROAM_ISOMALLOC_H_ */
