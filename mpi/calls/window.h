#ifndef ROAM_MPI_CALLS_WINDOW_H_
#define ROAM_MPI_CALLS_WINDOW_H_

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mpi/calls/attributes.h"
#include "mpi/calls/communicator.h"
#include "mpi/calls/info.h"
#include "mpi/calls/types.h"
#include "roam/thread.h"

namespace roam::mpi {

// Bytes of a window that are on their way to who asked for them: MPI_Get and its kin.
struct Fetch {
  void* data = nullptr;
  MPI_Count count = 0;
  Type type;
  std::size_t left = 0;      // bytes that have not come
  std::vector<char> staged;  // where they wait, if `data` cannot be reached while its thread waits
  bool unpacked = true;      // nothing of `staged` is still to be put in its place
  // Of who has staged bytes, whose place is this rank's.
  std::optional<this_thread::Pin> pin;
  bool requested = false;  // it has a request, which is told of errors
  int error = MPI_SUCCESS;
  std::string why;

  bool has_come() const { return left == 0; }
  // What has been staged is put in its place. Context: the thread whose data it is.
  void finish();
};

// A window of MPI's one-sided communication, as one of its members has it: what it gives to others,
// and what it does with theirs. Virtual ranks are given by their numbers in MPI_COMM_WORLD. Made
// and destroyed by its virtual rank's thread, which it may pin.
struct Window {
  MPI_Win handle = MPI_WIN_NULL;
  Communicator communicator;  // of its members, with a context of the window's own, its number
  MPI_Errhandler errhandler = MPI_ERRORS_ARE_FATAL;
  std::string name;
  Attributes attributes;
  Info info;

  // ---- what it gives ----

  void* base = nullptr;
  MPI_Aint size = 0;       // bytes
  MPI_Aint unit = 1;       // bytes that displacements count
  int unit_attribute = 1;  // the same, or MPI_UNDEFINED
  int flavor = MPI_WIN_FLAVOR_CREATE;
  int model = MPI_WIN_UNIFIED;
  struct Free {
    void operator()(void* block) const { std::free(block); }
  };
  using Memory = std::unique_ptr<void, Free>;
  Memory memory;  // that is freed with it
  struct Region {
    char* begin;
    MPI_Aint bytes;
    std::unique_ptr<this_thread::Pin> pin;  // of memory that is there on this rank only
  };
  std::vector<Region> attached;  // of a dynamic one
  struct Segment {
    void* base;
    MPI_Aint size, unit;
  };
  std::vector<Segment> segments;  // of a shared one: those of all members, by rank
  // Shared memory is there on one node only: where there are others, its members stay. So does who
  // gives memory that is there on one rank only, as that of mmap.
  std::optional<this_thread::Pin> pin;

  // Who may access it now, and who wants to.
  struct Waiting {
    int from;
    bool exclusive;
  };
  int readers = 0;  // that hold a shared lock
  bool writer = false;
  std::deque<Waiting> waiting;

  // MPI_Win_post: accesses are awaited of so many members, of whom some have completed theirs.
  bool exposed = false;
  int expected = 0, completed = 0;

  // ---- what it does with others' ----

  enum class Epoch : std::uint8_t { kNone, kFence, kStart, kLock, kLockAll };
  Epoch epoch = Epoch::kNone;
  bool used = false;         // there were accesses since MPI_Win_fence
  std::vector<int> started;  // of MPI_Win_start
  struct Peer {
    enum class Lock : std::uint8_t { kNone, kAsked, kHeld };
    Lock lock = Lock::kNone;
    bool exclusive = false;       // how it is locked
    bool named = false;           // the program locked it (MPI_Win_lock)
    bool dirty = false;           // there were accesses that it has not confirmed
    std::size_t unconfirmed = 0;  // memory that they take while they are under way
    int flushes = 0;              // confirmations that are asked for
    int fetches = 0;              // that have not come
    std::uint32_t posts = 0;      // its MPI_Win_post calls that no MPI_Win_start has seen
  };
  std::map<int, Peer> peers;
  std::vector<std::shared_ptr<Fetch>> fetches;  // until they have been finished
  std::size_t settled = 0;                      // of them, that were left when last looked at
  std::size_t fetching = 0;  // memory of those that have not come, with kMessageBytes of each
  // The first operation that could not be done, since it was last told of one.
  int error = MPI_SUCCESS;
  std::string why;

  std::uint64_t number() const { return communicator.context; }
  // The `bytes` at `displacement` and `offset` bytes further; null: they are not in the window.
  char* place(MPI_Aint displacement, MPI_Aint offset, std::size_t bytes) const;
};

// What a message takes while it is under way, beside what it brings, for who bounds them.
inline constexpr std::size_t kMessageBytes = 256;

// The bytes in a row that an operation concerns, from its displacement on.
struct WindowRun {
  std::int64_t offset;
  std::uint64_t bytes;
};

// What members send each other about a window: this, runs, data.
struct WindowMessage {
  enum class Kind : std::uint8_t {
    // To who has the memory. All but kLock are done at once; it is done when its turn comes.
    kPut,
    kGet,
    kAccumulate,
    kGetAccumulate,
    kCompareAndSwap,
    kFlush,
    kLock,
    kUnlock,
    kComplete,
    // To who accesses it.
    kPost,
    kData,
    kFailed,
    kFlushed,
    kGranted,
    kUnlocked,
  };
  Kind kind{};
  std::uint8_t exclusive = 0;                // kLock, kUnlock
  std::uint16_t modes = 0;                   // FloatModes of who accumulates
  MPI_Op op = MPI_OP_NULL;                   // kFailed: the error class
  MPI_Datatype element = MPI_DATATYPE_NULL;  // of an accumulate
  std::uint32_t runs = 0;
  std::uint64_t fetch = 0;  // of who asked: where the answer belongs; 0: none is wanted
  std::uint64_t at = 0;     // in the stream of bytes that is fetched; kFailed: how many
  std::int64_t displacement = 0;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_WINDOW_H_
