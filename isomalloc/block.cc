#include "isomalloc/block.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <deque>
#include <new>
#include <optional>
#include <random>

#include "base/check.h"
#include "base/os/memory.h"
#include "isomalloc/heap.h"
#include "isomalloc/in_process.h"
#include "isomalloc/range_pool.h"
#include "isomalloc/turns.h"
#include "roam/converse.h"
#include "roam/error.h"
#include "roam/pup.h"

namespace roam::iso {

std::uint64_t job_id = 0;
int block_maker = 0;

namespace {

// In the first page of a block's range; the block itself begins at the second.
struct BlockHead {
  static constexpr std::uint64_t kMagic = 0x4b434f4c424f5349;  // "ISOBLOCK"
  std::uint64_t magic;
  std::size_t bytes;  // as asked for
  Range range;
  std::uint64_t maker;  // the rank that made it, by its place in the node
};

// What precedes a packed block's bytes.
//   0      8         16      24      32
//   | magic | address | bytes | owned | job |
struct BlockImage {
  static constexpr std::uint64_t kMagic = 0x31304b4c424d4f52;  // "ROMBLK01"
  std::uint64_t magic;
  std::uint64_t address;
  std::uint64_t bytes;
  std::uint64_t owned;  // 1: the address range travels with the image, as far as the job goes on
  std::uint64_t job;
};

// Freed blocks whose addresses rest, guarded, so that a late reference faults.
constexpr std::size_t kMostResting = 256;
constexpr std::size_t kMostGuardedBytes = 64 << 20;

// Context of this, and of all that uses it: take_turn, the capture off. Never destroyed, as the
// pools: destructors of the program's statics may free blocks.
std::deque<Range>& resting() {
  static auto& ranges = *new std::deque<Range>;
  return ranges;
}

Range guarded_part(Range range) {
  return Range{range.begin + kPageBytes, std::min(range.bytes - kPageBytes, kMostGuardedBytes)};
}

void end_rest(std::size_t most) {
  while (resting().size() > most) {
    const Range range = resting().front();
    resting().pop_front();
    const Range guarded = guarded_part(range);
    os::unguard(guarded);
    // Where no guard was, behind it or on other ranks of the node, somebody may have written since.
    const bool may_be_dirty = arena().shared() || guarded.end() < range.end();
    arena().discard(may_be_dirty ? range : Range{range.begin, kPageBytes});
    arena().units().unmark(range);
    pool(Region::kBlocks).free(range, 0);
  }
}

BlockHead* head_of(const void* block) {
  return reinterpret_cast<BlockHead*>(reinterpret_cast<Address>(block) - kPageBytes);
}

// The head of the live block that begins at `block`; stops the program if there is none.
BlockHead* live_head(const void* block, const char* call) {
  const Arena& a = arena();
  ROAM_CHECK(a.ready(), "%s(%p): the runtime has not started", call, block);
  const Address at = reinterpret_cast<Address>(block);
  const char* what = "it is not in the range that isomalloc hands out from";
  if (a.region(Region::kBlocks).contains(at)) {
    what = "no block begins there";
    if (at % kUnitBytes == kPageBytes) {
      const UnitKind kind = a.units().kind(at);
      if (kind == UnitKind::kBlock && head_of(block)->magic == BlockHead::kMagic)
        return head_of(block);
      if (kind == UnitKind::kFreedBlock) {
        fatal(
            "%s(%p): the block of %zu bytes that began there was freed before. A block is freed "
            "once.",
            call, block, head_of(block)->bytes);
      }
      if (kind == UnitKind::kNone || is_away(kind))
        what = "no block that is on this rank begins there";
    }
  } else if (a.region(Region::kHeap).contains(at)) {
    what = "that is memory of a thread's heap";
  } else if (a.contains(block)) {
    what = "that is memory of a thread: its stack, or its first small blocks";
  }
  fatal("%s(%p): %s. Pass what iso_malloc or CmiIsomalloc returned.", call, block, what);
}

// Fills in a new block at the start of `range`.
void* make_block(Range range, std::size_t bytes) {
  arena().units().mark(range, UnitKind::kBlock);
  BlockHead* head = reinterpret_cast<BlockHead*>(range.begin);
  *head = BlockHead{BlockHead::kMagic, bytes, range, static_cast<std::uint64_t>(block_maker)};
  return reinterpret_cast<void*>(range.begin + kPageBytes);
}

// What ROAM_MEMORY counts of a block, given back unless the block is made.
class Charge {
 public:
  explicit Charge(std::size_t bytes) : bytes_(bytes), taken_(arena().limit().charge(bytes)) {}
  ~Charge() {
    if (taken_) arena().limit().uncharge(bytes_);
  }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;
  bool taken() const { return taken_; }
  void keep() { taken_ = false; }

 private:
  std::size_t bytes_;
  bool taken_;
};

std::size_t range_bytes(std::size_t bytes) { return round_up(bytes + kPageBytes, kUnitBytes); }

// Whether isomalloc gave `address` out, as far as this rank can know: what is neither here nor free
// here may be on another node.
bool may_be_a_block(const void* address) {
  const Arena& a = arena();
  const Address at = reinterpret_cast<Address>(address);
  if (!a.ready() || !a.region(Region::kBlocks).contains(at)) return false;
  const Address begin = a.units().range_begin(at);
  if (begin == 0) return !pool(Region::kBlocks).known_free(at);
  if (a.units().kind(begin) != UnitKind::kBlock) return false;
  const BlockHead* head = reinterpret_cast<const BlockHead*>(begin);
  return at - begin >= kPageBytes &&
         at - begin - kPageBytes < std::max<std::size_t>(head->bytes, 1);
}

bool ensure_started() {
  if (!arena().ready()) start_alone();
  return arena().ready();
}

// What of a range is in use on this node: nothing; nothing but blocks that were freed and rest, on
// whichever rank freed them; or more.
enum class InUse { kNothing, kFreedBlocks, kMore };
InUse in_use(Range range) {
  const UnitMap& units = arena().units();
  InUse found = InUse::kNothing;
  const Address first = units.range_begin(range.begin);
  bool in_freed = first != 0 && units.kind(first) == UnitKind::kFreedBlock;
  for (Address a = range.begin; a < range.end(); a += kUnitBytes) {
    const UnitKind kind = units.kind(a);
    in_freed = kind == UnitKind::kFreedBlock || (in_freed && kind == UnitKind::kContinued);
    if (in_freed) {
      found = InUse::kFreedBlocks;
    } else if (lives(kind)) {
      return InUse::kMore;
    }
  }
  return found;
}
bool vacant(Range range) { return in_use(range) == InUse::kNothing; }

// A free range of this rank's. One that holds a block all the same is that block's: the image that
// it was unpacked from, on another rank of the node, had been unpacked here before.
std::optional<RangePool::Allocation> free_range(std::size_t bytes) {
  for (;;) {
    const auto got = pool(Region::kBlocks).allocate(bytes);
    if (!got || vacant(got->range)) return got;
  }
}

// Context: as resting().
void* allocate(std::size_t bytes) {
  ensure_started();
  if (bytes > arena().region(Region::kBlocks).bytes) return nullptr;
  Charge charge(range_bytes(bytes));
  if (!charge.taken()) return nullptr;
  auto got = free_range(range_bytes(bytes));
  if (!got && !resting().empty()) {
    end_rest(0);
    got = free_range(range_bytes(bytes));
  }
  if (!got) return nullptr;
  arena().claim(got->range);
  // Also where it was clean when it came free: nothing guards it since it has rested, and where
  // there are no guards, it did not rest. Somebody may have written there.
  arena().discard(got->range);
  charge.keep();
  return make_block(got->range, bytes);
}

// Context: as resting().
void free_block(void* block) {
  BlockHead* head = live_head(block, "iso_free");
  const Range range = head->range;
  arena().discard(Range{range.begin + kPageBytes, range.bytes - kPageBytes});
  arena().limit().uncharge(range.bytes);
  if (os::guard(guarded_part(range))) {
    arena().units().set_kind(range.begin, UnitKind::kFreedBlock);
    resting().push_back(range);
    end_rest(kMostResting);
  } else {
    arena().discard(Range{range.begin, kPageBytes});
    arena().units().unmark(range);
    pool(Region::kBlocks).free(range, 0);
  }
}

void pack(Pup& p, void* block) {
  BlockImage image{BlockImage::kMagic, 0, 0, 0, job_id};
  if (block == nullptr) {
    p.raw(&image, sizeof image);
    return;
  }
  BlockHead* head = live_head(block, "iso_pup");
  const Range range = head->range;
  const bool leaves = p.packing() && p.deleting();
  image = BlockImage{BlockImage::kMagic, reinterpret_cast<Address>(block), head->bytes,
                     leaves ? 1u : 0u, job_id};
  p.raw(&image, sizeof image);
  p.raw(block, head->bytes);
  if (!leaves) return;
  p.settle();
  take_turn("iso_pup", [range] {
    HeapScope process;
    arena().discard(range);
    arena().units().unmark(range);
    arena().limit().uncharge(range.bytes);
    arena().seals().seal_absent(range);
  });
}

constexpr const char* kInUseHere =
    "that address range is in use on this node. Free what is there first.";
[[noreturn]] void refuse(const BlockImage& image, const char* why) {
  throw Error(Errc::address_in_use,
              text("iso_pup: the block of %zu bytes at %p cannot be unpacked here: %s", image.bytes,
                   reinterpret_cast<void*>(image.address), why));
}

// Makes the range this rank's. True: it travelled with the image, as it does with one of this job,
// unless that was unpacked and the block freed before. Otherwise some rank has it free, or it is in
// use. Where a freed block rests, the rank that freed it has it.
bool take_range(const BlockImage& image, Range range) {
  const bool rests = in_use(range) == InUse::kFreedBlocks;
  if (pool(Region::kBlocks).take(range)) return false;
  if (image.owned != 0 && image.job == job_id && !rests) {
    if (!arena().leases().open(range))
      throw Error(Errc::out_of_memory, "iso_pup: no memory to open the block's range");
    return true;
  }
  if (!pool(Region::kBlocks).take_or_obtain(range)) {
    refuse(image,
           "the original, or another block, still has that address in this job. Pack it with a "
           "packer that deletes (pup_set_deleting) to move it.");
  }
  return false;
}

// Context: as resting().
void unpack(Pup& p, void** block) {
  BlockImage image{};
  p.raw(&image, sizeof image);
  if (image.magic != BlockImage::kMagic) {
    throw Error(Errc::corrupt_image,
                text("iso_pup: the data does not begin with a packed block (magic %016lx, not "
                     "%016lx)",
                     image.magic, BlockImage::kMagic));
  }
  if (image.address == 0) {
    *block = nullptr;
    return;
  }
  ensure_started();
  const Range room = arena().region(Region::kBlocks);
  if (image.address % kUnitBytes != kPageBytes || !room.contains(image.address) ||
      image.bytes > room.bytes || image.bytes > room.end() - image.address) {
    throw Error(Errc::corrupt_image, text("iso_pup: a block of %zu bytes at %p is not inside the "
                                          "arena [%p, %p). Was it packed with another "
                                          "ROAM_ARENA?",
                                          image.bytes, reinterpret_cast<void*>(image.address),
                                          room.pointer(), reinterpret_cast<void*>(room.end())));
  }
  p.check_count(image.bytes);
  const Range range{image.address - kPageBytes, range_bytes(image.bytes)};
  // A block that was freed may rest at its address: a copy of it may come back.
  if (!vacant(range)) end_rest(0);
  if (in_use(range) == InUse::kMore) refuse(image, kInUseHere);
  Charge charge(range.bytes);
  if (!charge.taken()) {
    throw Error(Errc::out_of_memory, text("iso_pup: no memory for a block of %zu bytes: %s",
                                          image.bytes, arena().limit().shortage().c_str()));
  }
  const bool travelled = take_range(image, range);
  // Who unpacked there meanwhile owns it, as in free_range().
  if (!vacant(range)) refuse(image, kInUseHere);
  arena().claim(range);  // from what a thread that left here may have been kept
  arena().discard(range);
  void* fresh = make_block(range, image.bytes);
  try {
    p.raw(fresh, image.bytes);
  } catch (...) {
    arena().discard(range);
    arena().units().unmark(range);
    if (!travelled) pool(Region::kBlocks).free(range, 0);
    throw;
  }
  charge.keep();
  *block = fresh;
}

}  // namespace

std::vector<Range> resting_ranges() { return {resting().begin(), resting().end()}; }

void for_each_block(const std::function<void(Range range, std::size_t bytes, int maker)>& visit) {
  const auto visit_block = [&](Range range, UnitKind kind) {
    if (kind != UnitKind::kBlock) return;
    arena().reach(Range{range.begin, kUnitBytes});
    const auto* head = reinterpret_cast<const BlockHead*>(range.begin);
    visit(range, head->bytes, static_cast<int>(head->maker));
  };
  arena().for_each_live(visit_block, Region::kBlocks);
}

bool begin_block(Range range, std::string* why, bool* lacked) {
  *lacked = vacant(range);
  if (!*lacked) {
    *why = text("a block of 0x%zx bytes belongs at 0x%zx, and something lives there", range.bytes,
                range.begin);
    return false;
  }
  if (!arena().limit().charge(range.bytes)) {
    *why = text("no memory for a block of %s: %s", bytes_text(range.bytes).c_str(),
                arena().limit().shortage().c_str());
    return false;
  }
  if (!arena().leases().open(range)) {
    arena().limit().uncharge(range.bytes);
    *why = "the kernel has no memory to open the range of a block";
    return false;
  }
  *lacked = false;
  arena().claim(range);
  arena().units().mark(range, UnitKind::kBlock);
  return true;
}

bool adopt_block(Range range, std::size_t bytes) {
  BlockHead* head = reinterpret_cast<BlockHead*>(range.begin);
  if (head->magic != BlockHead::kMagic || head->bytes != bytes ||
      head->range.begin != range.begin || head->range.bytes != range.bytes)
    return false;
  head->maker = static_cast<std::uint64_t>(block_maker);
  return true;
}

void give_up_block(Range range) {
  arena().discard(range);
  arena().units().unmark(range);
  arena().limit().uncharge(range.bytes);
}

void start_alone() {
  HeapScope process;
  const Options options = read_options();
  std::random_device random;
  job_id = std::uint64_t{random()} << 32 | random();
  arena().reserve(options);
  arena().set_ranks(1);
  arena().use_private();
  for (int r = 0; r < kRegions; ++r) {
    const Region region = static_cast<Region>(r);
    pool(region).set_keep_bytes(options.keep_bytes);
    pool(region).add(LeaseRun{region, 0, arena().layout().lease_count(region)});
  }
}

void end_all_rests() {
  HeapScope process;
  end_rest(0);
}

void forget_resting_blocks() { resting().clear(); }

}  // namespace roam::iso

namespace roam {

void pup_block(Pup& p, void** block) {
  if (p.unpacking()) {
    iso::in_process([&] { iso::take_turn("iso_pup", [&] { iso::unpack(p, block); }); });
  } else {
    iso::pack(p, *block);
  }
}

}  // namespace roam

namespace iso = roam::iso;
using roam::Error;
using roam::Pup;
using roam::pup_block;
using roam::report;

extern "C" {

void* iso_malloc(size_t size) {
  void* block = nullptr;
  try {
    iso::HeapScope process;
    iso::take_turn("iso_malloc", [&] { block = iso::allocate(size); });
  } catch (const Error& error) {  // the arena cannot be reserved: a job of one process that did not
                                  // call run()
    report(error.what());
  } catch (const std::bad_alloc&) {  // the process's own memory is out
  }
  if (block == nullptr) errno = ENOMEM;
  return block;
}

void iso_free(void* block) {
  if (block == nullptr) return;
  iso::HeapScope process;
  iso::take_turn("iso_free", [block] { iso::free_block(block); });
}

size_t iso_length(const void* block) { return iso::live_head(block, "iso_length")->bytes; }

int iso_in_range(const void* address) { return iso::may_be_a_block(address) ? 1 : 0; }

void iso_pup(pup_er p, void** block) { pup_block(*static_cast<Pup*>(p), block); }

void* CmiIsomalloc(int size) {
  ROAM_CHECK(size >= 0, "CmiIsomalloc(%d): the size is negative", size);
  return iso_malloc(static_cast<size_t>(size));
}

void CmiIsomallocFree(void* block) { iso_free(block); }

void CmiIsomallocPup(pup_er p, void** block) { iso_pup(p, block); }

int CmiIsomallocLength(void* block) {
  const size_t bytes = iso_length(block);
  ROAM_CHECK(
      bytes <= INT_MAX,
      "CmiIsomallocLength(%p): the block has %zu bytes, more than an int holds; use iso_length",
      block, bytes);
  return static_cast<int>(bytes);
}

int CmiIsomallocInRange(void* address) { return iso_in_range(address); }

}  // extern "C"
