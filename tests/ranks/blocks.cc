// Explicit isomalloc blocks over several ranks, and their traversal by pup.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "roam/converse.h"
#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

constexpr std::size_t kGiB = 1 << 30;

SCENARIO(Block, IsZeroedPageAlignedAndAsLongAsAskedFor) {
  for (std::size_t bytes : {0, 1, 4096, 100001, 64 << 20}) {
    auto* block = static_cast<unsigned char*>(iso_malloc(bytes));
    expect(block != nullptr, "iso_malloc gave a block");
    expect_eq(reinterpret_cast<std::uintptr_t>(block) % 4096, std::uintptr_t{0},
              "offset in its page");
    expect_eq(iso_length(block), bytes, "length");
    expect_eq(iso_in_range(block), 1, "iso_in_range");
    verify_zero(block, bytes, "new block");
    Pattern(bytes).fill(block, bytes);
    Pattern(bytes).verify(block, bytes, "block");
    iso_free(block);
    auto* again = static_cast<unsigned char*>(iso_malloc(bytes));
    verify_zero(again, bytes, "block after another was freed");
    iso_free(again);
  }
  iso_free(nullptr);
}

SCENARIO(Block, MayPass4GiB) {
  for (std::size_t gib : {5, 100}) {
    const std::size_t bytes = gib * kGiB + 12345;
    auto* block = static_cast<unsigned char*>(iso_malloc(bytes));
    expect(block != nullptr, "iso_malloc gave a block");
    expect_eq(iso_length(block), bytes, "length");
    const Pattern pattern(gib);
    Random rng(gib);
    std::vector<std::size_t> offsets{0, 2 * kGiB - 500, 4 * kGiB - 500, bytes - 1000};
    for (int i = 0; i < 50; ++i) offsets.push_back(rng.below(bytes - 1000));
    for (std::size_t offset : offsets) pattern.fill(block + offset, 1000, offset);
    for (std::size_t offset : offsets)
      pattern.verify(block + offset, 1000, "part of the block", offset);
    expect_eq(iso_in_range(block + bytes - 1), 1, "iso_in_range of its last byte");
    iso_free(block);
  }
}

// Nothing guards them against the other ranks of the node.
SCENARIO(Block, WhatThreadsWaitOnDoesNotLieInOneThatRanksShare) {
  void* block = iso_malloc(sizeof(roam::Latch));
  auto* latch = new (block) roam::Latch(1);
  if (neighbour() == roam::rank()) {  // nobody shares it
    const roam::Thread other = roam::spawn([latch] { latch->count_down(); });
    latch->wait();
    other.join();
  } else {
    for (const int rank : {roam::rank(), neighbour()}) {
      on_rank(rank, [latch] {
        expect_error(roam::Errc::wrong_rank, {"Latch", "iso_malloc"}, [=] { latch->wait(); });
        expect_error(roam::Errc::wrong_rank, {"Latch", "iso_malloc"}, [=] { latch->count_down(); });
      });
    }
  }
  latch->~Latch();
  iso_free(block);
}

int of_the_process;

SCENARIO(Block, RangeHoldsWhatIsomallocGaveAndNotWhatTheProcessHas) {
  expect_eq(iso_in_range(&of_the_process), 0, "iso_in_range of a global");
  expect_eq(iso_in_range(reinterpret_cast<const void*>(&std::malloc)), 0, "iso_in_range of code");
  expect_eq(iso_in_range(nullptr), 0, "iso_in_range of NULL");
  {
    roam::SystemHeap system;
    void* plain = std::malloc(100);
    expect_eq(iso_in_range(plain), 0, "iso_in_range of the process's memory");
    std::free(plain);
  }
  void* plain = std::malloc(100);
  expect_eq(iso_in_range(plain), 0, "iso_in_range of a thread's heap");
  expect_eq(iso_in_range(&plain), 0, "iso_in_range of a thread's stack");
  std::free(plain);
}

// On every rank, wherever what it is about lies.
SCENARIO(Block, RangeIsCertainOnEveryRank) {
  for (int owner = 0; owner < roam::ranks(); ++owner) {
    roam::this_thread::migrate(owner);
    char* block = static_cast<char*>(iso_malloc(100'000));
    std::vector<void*> others;
    for (const std::size_t bytes : {1, 100, 5000, 100'000, 3'000'000})
      others.push_back(std::malloc(bytes));
    std::vector<roam::Thread> askers;
    for (int r = 0; r < roam::ranks(); ++r) {
      askers.push_back(roam::spawn(roam::SpawnOptions{.rank = r}, [block, others] {
        expect_eq(iso_in_range(block), 1, "iso_in_range of a block");
        expect_eq(iso_in_range(block + 99'999), 1, "iso_in_range of its last byte");
        for (void* other : others)
          expect_eq(iso_in_range(other), 0, "iso_in_range of another thread's heap");
        void* own = std::malloc(5000);
        expect_eq(iso_in_range(own), 0, "iso_in_range of one's own heap");
        std::free(own);
      }));
    }
    for (roam::Thread asker : askers) asker.join();
    for (void* other : others) std::free(other);
    iso_free(block);
    expect_eq(iso_in_range(block), 0, "iso_in_range of what was freed here");
  }
}

struct Extent {
  std::uintptr_t begin, end;
};
std::map<std::uintptr_t, std::uintptr_t> extents;  // one on each rank

SCENARIO(Block, AddressesAreUniqueOverTheJob) {
  const int home = roam::rank();
  extents.clear();
  std::vector<roam::Thread> threads;
  for (int r = 0; r < roam::ranks(); ++r) {
    threads.push_back(roam::spawn(roam::SpawnOptions{.rank = r}, [home, r] {
      Random rng(r);
      std::vector<Extent> mine;
      for (int i = 0; i < 300; ++i) {
        const std::size_t bytes = rng.between(1, i % 50 == 0 ? 50'000'000 : 30'000);
        const auto begin = reinterpret_cast<std::uintptr_t>(iso_malloc(bytes));
        expect(begin != 0, "iso_malloc gave a block");
        mine.push_back({begin, begin + bytes});
        if (rng.one_in(3)) {
          const std::size_t gone = rng.below(mine.size());
          iso_free(reinterpret_cast<void*>(mine[gone].begin));
          mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(gone));
        }
      }
      roam::this_thread::migrate(home);
      {
        roam::SystemHeap system;
        for (const Extent& extent : mine) {
          expect(extents.emplace(extent.begin, extent.end).second,
                 "no two blocks begin at one address");
        }
      }
      roam::this_thread::migrate(r);
      for (const Extent& extent : mine) iso_free(reinterpret_cast<void*>(extent.begin));
    }));
  }
  for (roam::Thread thread : threads) thread.join();
  std::uintptr_t last = 0;
  for (const auto& [begin, end] : extents) {
    expect(begin >= last, "blocks do not overlap");
    last = end;
  }
}

SCENARIO(Block, IsSharedByTheRanksOfItsNodeAndFreedOnAny) {
  for (int i = 0; i < 50; ++i) {
    auto* block = static_cast<unsigned char*>(iso_malloc(100000));
    Pattern(i).fill(block, 100000);
    on_rank(neighbour(), [block, i] {
      expect_eq(iso_length(block), std::size_t{100000}, "length on another rank of the node");
      Pattern(i).verify(block, 100000, "block on another rank of the node");
      iso_free(block);
    });
  }
}

// ---- pup ----

std::vector<char> packed(void* block, bool deleting) {
  roam::PupSizer sizer;
  roam::pup_block(sizer, &block);
  std::vector<char> image(sizer.bytes());
  roam::PupToMemory packer(image.data(), deleting);
  roam::pup_block(packer, &block);
  expect_eq(packer.bytes(), sizer.bytes(), "bytes packed");
  return image;
}

void* unpacked(const std::vector<char>& image) {
  void* block = nullptr;
  roam::PupFromMemory unpacker(image.data(), image.size());
  roam::pup_block(unpacker, &block);
  expect_eq(unpacker.bytes(), image.size(), "bytes unpacked");
  return block;
}

SCENARIO(Pup, ABlockLeavesOneRankAndArrivesOnAnotherAtItsAddress) {
  for (std::size_t bytes : {1, 5000, 3'000'000}) {
    for (int to = 0; to < roam::ranks(); ++to) {
      void* const block = iso_malloc(bytes);
      Pattern(bytes).fill(block, bytes);
      const std::vector<char> image = packed(block, true);  // carried in this thread's heap
      roam::this_thread::migrate(to);
      void* const here = unpacked(image);
      expect_eq(here, block, "address after unpacking");
      expect_eq(iso_length(here), bytes, "length after unpacking");
      Pattern(bytes).verify(here, bytes, "block after unpacking");
      iso_free(here);
    }
  }
}

struct Node {
  Node* next;
  std::uint64_t value;
  char* text;  // a block of its own
};

SCENARIO(Pup, BlocksThatPointAtEachOtherKeepTheirPointers) {
  Node* head = nullptr;
  for (std::uint64_t i = 0; i < 50; ++i) {
    auto* node = static_cast<Node*>(iso_malloc(sizeof(Node)));
    node->next = head;
    node->value = mix(i);
    node->text = static_cast<char*>(iso_malloc(100 * i + 1));
    std::memset(node->text, static_cast<int>('a' + i % 26), 100 * i);
    head = node;
  }
  for (int round = 0; round < roam::ranks() + 1; ++round) {
    std::vector<std::vector<char>> images;
    for (Node* node = head; node != nullptr;) {
      Node* next = node->next;
      images.push_back(packed(node->text, true));
      images.push_back(packed(node, true));
      node = next;
    }
    roam::this_thread::migrate(next_rank());
    for (const auto& image : images) unpacked(image);
    std::uint64_t i = 50;
    for (Node* node = head; node != nullptr; node = node->next) {
      --i;
      expect_eq(node->value, mix(i), "value of a node");
      expect_eq(std::string(node->text), std::string(100 * i, static_cast<char>('a' + i % 26)),
                "text of a node");
    }
  }
  while (head != nullptr) {
    Node* next = head->next;
    iso_free(head->text);
    iso_free(head);
    head = next;
  }
}

SCENARIO(Pup, ABlockGoesThroughAFile) {
  void* const block = iso_malloc(200000);
  Pattern(1).fill(block, 200000);
  FILE* file = std::tmpfile();
  pup_er out = pup_new_toDisk(file);
  void* pointer = block;
  iso_pup(out, &pointer);
  const std::size_t bytes = pup_size(out);
  pup_destroy(out);
  iso_free(block);
  std::rewind(file);
  pup_er in = pup_new_fromDisk(file);
  pointer = nullptr;
  iso_pup(in, &pointer);
  expect_eq(pup_size(in), bytes, "bytes read");
  pup_destroy(in);
  fclose(file);
  expect_eq(pointer, block, "address after unpacking");
  Pattern(1).verify(pointer, 200000, "block read from a file");
  iso_free(pointer);
}

// From one rank, through a file that another opens, as a checkpoint would.
SCENARIO(Pup, ABlockGoesThroughANamedFileToAnotherRank) {
  char name[] = "/tmp/roam_pup.XXXXXX";
  const int fd = mkstemp(name);
  expect(fd >= 0, "mkstemp");
  FILE* out = fdopen(fd, "w");
  void* const block = iso_malloc(70000);
  Pattern(2).fill(block, 70000);
  void* pointer = block;
  pup_er packer = pup_new_toDisk(out);
  pup_set_deleting(packer, 1);
  iso_pup(packer, &pointer);
  pup_destroy(packer);
  fclose(out);
  on_rank(stranger(), [block, path = std::string(name)] {
    FILE* in = fopen(path.c_str(), "r");
    void* pointer = nullptr;
    pup_er unpacker = pup_new_fromDisk(in);
    iso_pup(unpacker, &pointer);
    pup_destroy(unpacker);
    fclose(in);
    expect_eq(pointer, block, "address after unpacking");
    Pattern(2).verify(pointer, 70000, "block read from a file");
    iso_free(pointer);
  });
  std::remove(name);
}

SCENARIO(Pup, UnpackingOverALiveBlockIsRefusedAndChangesNothing) {
  void* const block = iso_malloc(50000);
  Pattern(3).fill(block, 50000);
  const std::vector<char> image = packed(block, false);
  Pattern(4).fill(block, 50000);
  char address[32];
  snprintf(address, sizeof(address), "%p", block);
  expect_error(roam::Errc::address_in_use, {address}, [&] { unpacked(image); });
  Pattern(4).verify(block, 50000, "the live block");
  if (neighbour() != roam::rank()) {
    on_rank(neighbour(),
            [image] { expect_error(roam::Errc::address_in_use, {}, [&] { unpacked(image); }); });
    Pattern(4).verify(block, 50000, "the live block");
  }
  iso_free(block);
  expect_eq(unpacked(image), block, "address after the block was freed");
  Pattern(3).verify(block, 50000, "block after unpacking");
  iso_free(block);
}

SCENARIO(Pup, WhatIsNoImageIsRefused) {
  void* const block = iso_malloc(5000);
  const std::vector<char> image = packed(block, true);
  std::vector<char> junk(image.size());
  Pattern(9).fill(junk.data(), junk.size());
  expect_error(roam::Errc::corrupt_image, {}, [&] { unpacked(junk); });
  const std::vector<char> part(image.begin(),
                               image.begin() + static_cast<std::ptrdiff_t>(image.size() / 2));
  expect_error(roam::Errc::corrupt_image, {}, [&] { unpacked(part); });
  expect_error(roam::Errc::corrupt_image, {}, [&] { unpacked({}); });
  expect_eq(unpacked(image), block, "address of the whole image, after the refusals");
  iso_free(block);
}

SCENARIO(Pup, ANullBlockStaysNull) {
  const std::vector<char> image = packed(nullptr, true);
  expect(!image.empty(), "an image of NULL has bytes");
  void* block = &of_the_process;
  roam::PupFromMemory unpacker(image.data(), image.size());
  roam::pup_block(unpacker, &block);
  expect(block == nullptr, "an unpacked NULL block is NULL");
}

struct Particle {
  double mass = 0;
  std::string name;
  std::vector<std::pair<int, std::string>> history;
  std::map<std::string, std::vector<bool>> flags;
  std::optional<std::string> note;
  void* field = nullptr;

  void pup(roam::Pup& p) {
    p | mass | name | history | flags | note;
    roam::pup_block(p, &field);
  }
};

SCENARIO(Pup, OneFunctionSizesPacksAndUnpacksAType) {
  Particle particle{
      1.5,     std::string(100, 'p'), {{1, "one"}, {2, "two"}}, {{"f", {true, false, true}}},
      "noted", iso_malloc(3000)};
  Pattern(5).fill(particle.field, 3000);
  roam::PupSizer sizer;
  sizer | particle;
  std::vector<char> image(sizer.bytes());
  roam::PupToMemory packer(image.data(), true);
  packer | particle;
  expect_eq(packer.bytes(), image.size(), "bytes packed");
  roam::this_thread::migrate(stranger());
  Particle copy;
  roam::PupFromMemory unpacker(image.data(), image.size());
  unpacker | copy;
  expect(copy.mass == particle.mass && copy.name == particle.name &&
             copy.history == particle.history && copy.flags == particle.flags &&
             copy.note == particle.note && copy.field == particle.field,
         "all fields are as before");
  Pattern(5).verify(copy.field, 3000, "block of the particle");
  iso_free(copy.field);
}

extern "C" int isomalloc_from_c(void);
extern "C" const char* isomalloc_from_c_failure;

SCENARIO(FromC, TheCallsOfTheOriginalCompileAndWork) {
  for (int r = 0; r < roam::ranks(); ++r) {
    on_rank(r, [] {
      if (isomalloc_from_c() != 0)
        fail(std::string("isomalloc_from_c.c: ") + isomalloc_from_c_failure);
    });
  }
}

SCENARIO(FromC, AnErrorInAPupIsAnExceptionThatTheCallerCatches) {
  void* const block = CmiIsomalloc(1000);
  const std::vector<char> image = packed(block, false);
  expect_error(roam::Errc::address_in_use, {}, [&] {
    void* pointer = nullptr;
    pup_er p = pup_new_fromMem(image.data());
    CmiIsomallocPup(p, &pointer);
  });
  CmiIsomallocFree(block);
}

}  // namespace
}  // namespace roam_test
