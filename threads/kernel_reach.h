#ifndef ROAM_THREADS_KERNEL_REACH_H_
#define ROAM_THREADS_KERNEL_REACH_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>

// Memory of another thread of the node is usable on a rank once it is first used there: a load or a
// store faults and goes on. A system call does not, it fails with EFAULT; and what a socket gave
// out by then may be lost. So what a call is to read or write is made usable before.
//
// Left out are calls that are not ours: recvmmsg, sendmmsg, preadv2, pwritev2, splice's kin,
// fread_unlocked, fwrite_unlocked, ioctl and fcntl, and calls that the program makes by number
// (syscall).
//
// Context: any kernel thread, handlers of signals too. Keeps errno.
namespace roam::threads {

// What does not live there is left to the kernel to refuse.
void reach_for_kernel(const void* data, std::size_t bytes);
void reach_for_kernel(void* data, std::size_t bytes);  // GCC warns where room is passed as const
void reach_for_kernel(const iovec* parts, int count);
void reach_for_kernel(sockaddr* name, socklen_t* bytes);  // where a peer's name is to be put
void reach_for_kernel(const msghdr* message);

}  // namespace roam::threads

#endif  // ROAM_THREADS_KERNEL_REACH_H_
