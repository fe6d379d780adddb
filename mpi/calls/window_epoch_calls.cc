// Epochs of accesses to windows: fences, groups of members, locks, and what is done by when
// (chapter 11.5 of the standard). Assertions (MPI_MODE_...) save nothing here but what
// MPI_MODE_NOSUCCEED says.

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/collectives.h"
#include "mpi/calls/window_access.h"

namespace roam::mpi {
namespace {

using What = WindowMessage::Kind;
using Epoch = Window::Epoch;

[[noreturn]] void refuse(const char* why) { throw CallError(MPI_ERR_RMA_SYNC, why); }

// An epoch of another kind can begin: none is open, or that of a fence, which nobody has used.
void check_idle(const Window& w) {
  if (w.epoch == Epoch::kNone || (w.epoch == Epoch::kFence && !w.used)) return;
  refuse("an epoch is open that this call does not end");
}
void check_passive(const Window& w) {
  if (w.epoch != Epoch::kLock && w.epoch != Epoch::kLockAll)
    refuse("no member is locked: MPI_Win_lock or MPI_Win_lock_all comes first");
}

int fence(int assertion, MPI_Win window) {
  return window_call("MPI_Win_fence", window, [&](VirtualRank& me, Window& w) {
    if (w.epoch != Epoch::kNone && w.epoch != Epoch::kFence)
      refuse("an epoch of MPI_Win_start or MPI_Win_lock is open");
    if (w.exposed) refuse("MPI_Win_wait has not ended what MPI_Win_post began");
    // The others wait for this one, whatever could not be done.
    std::unique_ptr<CallError> failure;
    try {
      confirm_all(me, w);
    } catch (const CallError& f) {
      failure = std::make_unique<CallError>(f);
    }
    wait_for_barrier(me, w.communicator);
    w.epoch = (assertion & MPI_MODE_NOSUCCEED) != 0 ? Epoch::kNone : Epoch::kFence;
    w.used = false;
    if (failure != nullptr) throw CallError(*failure);
  });
}

// The members of the group, by their numbers in MPI_COMM_WORLD.
std::vector<int> members_of(VirtualRank& me, const Window& w, MPI_Group handle) {
  const Group group = me.group(handle);
  std::vector<int> members;
  for (int i = 0; i < group.size(); ++i) {
    const int world = group.world_of(i);
    if (w.communicator.group.rank_of(world) == MPI_UNDEFINED)
      throw CallError(MPI_ERR_RMA_SYNC, text("rank %d of the group is not in the window", i));
    members.push_back(world);
  }
  return members;
}

int post(MPI_Group group, int, MPI_Win window) {
  return window_call("MPI_Win_post", window, [&](VirtualRank& me, Window& w) {
    if (w.exposed) refuse("MPI_Win_wait has not ended what MPI_Win_post began");
    if (w.epoch == Epoch::kFence && w.used) refuse("an epoch of MPI_Win_fence is open");
    const std::vector<int> members = members_of(me, w, group);
    w.exposed = true;
    w.expected = static_cast<int>(members.size());
    w.completed = 0;
    for (const int world : members) me.windows.send(w, world, {.kind = What::kPost});
  });
}
int start(MPI_Group group, int, MPI_Win window) {
  return window_call("MPI_Win_start", window, [&](VirtualRank& me, Window& w) {
    check_idle(w);
    w.started = members_of(me, w, group);
    w.epoch = Epoch::kStart;
    for (const int world : w.started) {
      Window::Peer& peer = w.peers[world];
      me.wait_until([&] { return peer.posts > 0; });
      --peer.posts;
    }
  });
}
int complete(MPI_Win window) {
  return window_call("MPI_Win_complete", window, [&](VirtualRank& me, Window& w) {
    if (w.epoch != Epoch::kStart) refuse("MPI_Win_start comes first");
    std::unique_ptr<CallError> failure;
    try {
      confirm_all(me, w);
    } catch (const CallError& f) {
      failure = std::make_unique<CallError>(f);
    }
    w.epoch = Epoch::kNone;
    for (const int world : w.started) me.windows.send(w, world, {.kind = What::kComplete});
    w.started.clear();
    if (failure != nullptr) throw CallError(*failure);
  });
}
int wait(MPI_Win window) {
  return window_call("MPI_Win_wait", window, [&](VirtualRank& me, Window& w) {
    if (!w.exposed) refuse("MPI_Win_post comes first");
    me.wait_until([&] { return w.completed == w.expected; });
    w.exposed = false;
  });
}
int test(MPI_Win window, int* flag) {
  return window_call("MPI_Win_test", window, needs(flag), [&](VirtualRank& me, Window& w) {
    if (!w.exposed) refuse("MPI_Win_post comes first");
    if (w.completed != w.expected) me.look_around();
    *flag = w.completed == w.expected ? 1 : 0;
    if (*flag != 0) w.exposed = false;
  });
}

int lock(int type, int rank, int, MPI_Win window) {
  return window_call("MPI_Win_lock", window, [&](VirtualRank& me, Window& w) {
    if (type != MPI_LOCK_SHARED && type != MPI_LOCK_EXCLUSIVE)
      throw CallError(MPI_ERR_LOCKTYPE, text("%d is no type of a lock", type));
    if (rank == MPI_PROC_NULL) return;
    const int world = world_of(w, rank);
    if (w.epoch != Epoch::kLock) check_idle(w);
    Window::Peer& peer = w.peers[world];
    if (peer.named) throw CallError(MPI_ERR_RMA_SYNC, text("rank %d is locked already", rank));
    w.epoch = Epoch::kLock;
    peer.named = true;
    take_locks(me, w, {world}, type == MPI_LOCK_EXCLUSIVE);
  });
}
bool any_named(const Window& w) {
  return std::any_of(w.peers.begin(), w.peers.end(),
                     [](const auto& one) { return one.second.named; });
}
int unlock(int rank, MPI_Win window) {
  return window_call("MPI_Win_unlock", window, [&](VirtualRank& me, Window& w) {
    if (rank == MPI_PROC_NULL) return;
    const int world = world_of(w, rank);
    if (w.epoch != Epoch::kLock || !w.peers[world].named)
      throw CallError(MPI_ERR_RMA_SYNC, text("rank %d is not locked", rank));
    w.peers[world].named = false;
    if (!any_named(w)) w.epoch = Epoch::kNone;
    give_locks_back(me, w, {world});
  });
}
// Of whom the program may load and store without a call: this member, and all of a shared window.
// Their locks are taken here; those of others at the first access to them, which nobody can tell.
std::vector<int> reached_by_pointers(const VirtualRank& me, const Window& w) {
  if (w.flavor != MPI_WIN_FLAVOR_SHARED) return {me.number()};
  std::vector<int> members;
  for (int i = 0; i < w.communicator.size(); ++i) members.push_back(w.communicator.member(i));
  return members;
}
int lock_all(int, MPI_Win window) {
  return window_call("MPI_Win_lock_all", window, [&](VirtualRank& me, Window& w) {
    check_idle(w);
    w.epoch = Epoch::kLockAll;
    take_locks(me, w, reached_by_pointers(me, w), false);
  });
}
int unlock_all(MPI_Win window) {
  return window_call("MPI_Win_unlock_all", window, [&](VirtualRank& me, Window& w) {
    if (w.epoch != Epoch::kLockAll) refuse("MPI_Win_lock_all comes first");
    w.epoch = Epoch::kNone;
    std::vector<int> held;
    for (const auto& [world, peer] : w.peers) {
      if (peer.lock == Window::Peer::Lock::kHeld) held.push_back(world);
    }
    give_locks_back(me, w, held);
  });
}

// ---- while members are locked ----

void check_locked(Window& w, int world, int rank) {
  check_passive(w);
  if (w.epoch == Epoch::kLock && !w.peers[world].named)
    throw CallError(MPI_ERR_RMA_SYNC, text("rank %d is not locked", rank));
}
int flush(int rank, MPI_Win window) {
  return window_call("MPI_Win_flush", window, [&](VirtualRank& me, Window& w) {
    if (rank == MPI_PROC_NULL) return;
    const int world = world_of(w, rank);
    check_locked(w, world, rank);
    confirm(me, w, world);
  });
}
int flush_all(MPI_Win window) {
  return window_call("MPI_Win_flush_all", window, [&](VirtualRank& me, Window& w) {
    check_passive(w);
    confirm_all(me, w);
  });
}
// What is brought is a copy, so only answers are awaited.
int flush_local(int rank, MPI_Win window) {
  return window_call("MPI_Win_flush_local", window, [&](VirtualRank& me, Window& w) {
    if (rank == MPI_PROC_NULL) return;
    const int world = world_of(w, rank);
    check_locked(w, world, rank);
    await_fetches(me, w, world);
  });
}
int flush_local_all(MPI_Win window) {
  return window_call("MPI_Win_flush_local_all", window, [&](VirtualRank& me, Window& w) {
    check_passive(w);
    await_all_fetches(me, w);
  });
}
// There is one copy of a window. Programs call it in loops in which they look at memory.
int sync(MPI_Win window) {
  return window_call("MPI_Win_sync", window, [&](VirtualRank& me, Window&) { me.look_around(); });
}

}  // namespace

void add_window_epoch_calls() {
  add_call("MPI_Win_fence", &fence);
  add_call("MPI_Win_post", &post);
  add_call("MPI_Win_start", &start);
  add_call("MPI_Win_complete", &complete);
  add_call("MPI_Win_wait", &wait);
  add_call("MPI_Win_test", &test);
  add_call("MPI_Win_lock", &lock);
  add_call("MPI_Win_unlock", &unlock);
  add_call("MPI_Win_lock_all", &lock_all);
  add_call("MPI_Win_unlock_all", &unlock_all);
  add_call("MPI_Win_flush", &flush);
  add_call("MPI_Win_flush_all", &flush_all);
  add_call("MPI_Win_flush_local", &flush_local);
  add_call("MPI_Win_flush_local_all", &flush_local_all);
  add_call("MPI_Win_sync", &sync);
}

}  // namespace roam::mpi
