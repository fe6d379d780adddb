#include "threads/kernel_reach.h"

#include <algorithm>
#include <cerrno>
#include <climits>

#include "isomalloc/arena.h"
#include "isomalloc/heap.h"
#include "threads/scheduler.h"

namespace roam::threads {
namespace {

[[gnu::noinline]] void reach(Address begin, std::size_t bytes) {
  // A thread's own memory is usable where it runs.
  if (on_rank_thread) {
    const Tcb* self = scheduler().current();
    if (self != nullptr && detail::owner_of(reinterpret_cast<const void*>(begin)) == self) return;
  }
  const int error = errno;
  iso::HeapScope process;
  iso::Arena& arena = iso::arena();
  const iso::Leases& leases = arena.leases();
  const iso::Seals& seals = arena.seals();
  const Range slots = arena.region(iso::Region::kSlots);
  const Address end = begin + std::min<std::size_t>(bytes, std::size_t{1} << 46);
  for (Address at = begin; at < end && arena.contains(reinterpret_cast<const void*>(at));
       at = round_down(at, iso::kUnitBytes) + iso::kUnitBytes) {
    if (arena.units().kind(at) == iso::UnitKind::kNone) break;
    // Asked first: admit_for_fault() looks at all of a block. Slots may have guards too.
    if (leases.usable(at) && !seals.sealed(at) && !slots.contains(at)) continue;
    arena.admit_for_fault(at);
  }
  errno = error;
}

}  // namespace

void reach_for_kernel(const void* data, std::size_t bytes) {
  const iso::Arena& arena = iso::arena();
  if (bytes == 0 || !arena.ready() || !arena.contains(data)) [[likely]]
    return;
  reach(reinterpret_cast<Address>(data), bytes);
}

void reach_for_kernel(void* data, std::size_t bytes) {
  reach_for_kernel(static_cast<const void*>(data), bytes);
}

void reach_for_kernel(sockaddr* name, socklen_t* bytes) {
  if (name == nullptr || bytes == nullptr) return;
  reach_for_kernel(static_cast<void*>(bytes), sizeof *bytes);
  // No name is longer. `*bytes` is not loaded: it is the kernel's to refuse.
  reach_for_kernel(static_cast<void*>(name), sizeof(sockaddr_storage));
}

void reach_for_kernel(const iovec* parts, int count) {
  if (parts == nullptr || count <= 0 || count > IOV_MAX) return;
  // These are loads of ours where the caller's are: libc makes some of them too.
  reach_for_kernel(static_cast<const void*>(parts),
                   static_cast<std::size_t>(count) * sizeof *parts);
  for (int i = 0; i < count; ++i) {
    const void* at = parts[i].iov_base;
    reach_for_kernel(at, parts[i].iov_len);
  }
}

void reach_for_kernel(const msghdr* message) {
  if (message == nullptr) return;
  const void* name = message->msg_name;
  const void* control = message->msg_control;
  reach_for_kernel(name, message->msg_namelen);
  reach_for_kernel(control, message->msg_controllen);
  reach_for_kernel(message->msg_iov,
                   static_cast<int>(std::min<std::size_t>(message->msg_iovlen, INT_MAX)));
}

}  // namespace roam::threads
