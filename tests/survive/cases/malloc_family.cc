// The malloc family: each function's blocks are filled, moved, verified, resized and freed
// elsewhere.
#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/hidden.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

struct Block {
  void* at;
  std::size_t bytes;
  std::uint64_t seed;

  void fill() const { Pattern(seed).fill(at, bytes); }
  void verify(const char* what) const { Pattern(seed).verify(at, bytes, what); }
};

Block take(void* at, std::size_t bytes, std::uint64_t seed, const char* what) {
  expect(at != nullptr, std::string(what) + " gave memory");
  expect(roam::in_thread_heap(at), std::string(what) + "'s block is in the thread's heap");
  expect(malloc_usable_size(at) >= bytes, std::string(what) + "'s malloc_usable_size");
  Block block{at, bytes, seed};
  block.fill();
  return block;
}

void expect_aligned(const void* at, std::size_t alignment, const char* what) {
  expect_eq(reinterpret_cast<std::uintptr_t>(at) % alignment, std::uintptr_t{0},
            std::string(what) + ": address modulo alignment");
}

// Sizes around the borders of size classes, pages and large blocks.
std::vector<std::size_t> sizes() {
  std::vector<std::size_t> result{1, 2, 7, 8, 15, 16, 17, 24, 31, 32, 33, 100, 1000};
  for (std::size_t power = 64; power <= (8 << 20); power *= 2) {
    for (std::size_t delta : {-17, -1, 0, 1, 16}) result.push_back(power + delta);
  }
  return result;
}

SURVIVE_CASE(malloc_and_free_of_all_sizes) {
  std::vector<Block> blocks;
  for (std::size_t bytes : sizes()) {
    blocks.push_back(take(std::malloc(bytes), bytes, move.seed() + bytes, "malloc"));
    expect_aligned(blocks.back().at, 16, "malloc");
  }
  for (const Block& block : blocks) block.verify("block from malloc, before the move");
  move();
  for (const Block& block : blocks) {
    block.verify("block from malloc");
    std::free(block.at);
  }
  for (std::size_t bytes : sizes()) {  // the freed memory is good again
    const Block block = take(std::malloc(bytes), bytes, bytes, "malloc after the move");
    block.verify("block from malloc after the move");
    std::free(block.at);
  }
}

SURVIVE_CASE(calloc_is_zero_also_in_reused_memory) {
  std::vector<Block> dirty;
  for (std::size_t bytes : sizes()) {
    dirty.push_back(take(std::malloc(bytes), bytes, move.seed(), "malloc"));
  }
  for (const Block& block : dirty) std::free(block.at);
  move();
  std::vector<Block> blocks;
  for (std::size_t bytes : sizes()) {
    void* at = std::calloc(1, bytes);
    expect(at != nullptr, "calloc gave memory");
    verify_zero(at, bytes, "block from calloc");
    blocks.push_back(take(at, bytes, move.seed() + bytes, "calloc"));
  }
  move();
  for (const Block& block : blocks) {
    block.verify("block from calloc");
    std::free(block.at);
  }
}

SURVIVE_CASE(realloc_grows_and_shrinks_over_the_move) {
  std::vector<Block> blocks;
  for (std::size_t bytes : sizes()) {
    if (bytes > (1 << 20)) continue;
    blocks.push_back(take(std::realloc(nullptr, bytes), bytes, move.seed() + bytes, "realloc"));
  }
  Random rng(move.seed());
  for (int round = 0; round < 4; ++round) {
    for (Block& block : blocks) {
      const std::size_t bytes = std::min<std::size_t>(rng.between(1, 3 * block.bytes), 3 << 20);
      void* at = round % 2 ? std::realloc(block.at, bytes) : reallocarray(block.at, bytes, 1);
      expect(at != nullptr, "realloc gave memory");
      const std::size_t kept = std::min(bytes, block.bytes);
      Pattern(block.seed).verify(at, kept, "what realloc kept");
      block = take(at, bytes, rng.next(), "realloc");
    }
    move();
  }
  for (const Block& block : blocks) {
    block.verify("block from realloc");
    std::free(block.at);
  }
}

SURVIVE_CASE(aligned_blocks_of_every_kind) {
  std::vector<Block> blocks;
  for (std::size_t alignment = 16; alignment <= (1 << 20); alignment *= 4) {
    for (std::size_t bytes : {alignment / 2, alignment, 5 * alignment}) {
      void* at = nullptr;
      expect_eq(posix_memalign(&at, alignment, bytes), 0, "posix_memalign");
      expect_aligned(at, alignment, "posix_memalign");
      blocks.push_back(take(at, bytes, move.seed() + blocks.size(), "posix_memalign"));
      at = memalign(alignment, bytes);
      expect_aligned(at, alignment, "memalign");
      blocks.push_back(take(at, bytes, move.seed() + blocks.size(), "memalign"));
      at = std::aligned_alloc(alignment, bytes);
      expect_aligned(at, alignment, "aligned_alloc");
      blocks.push_back(take(at, bytes, move.seed() + blocks.size(), "aligned_alloc"));
    }
  }
  for (std::size_t bytes : {1, 4096, 10000}) {
    void* at = valloc(bytes);
    expect_aligned(at, 4096, "valloc");
    blocks.push_back(take(at, bytes, move.seed() + blocks.size(), "valloc"));
    at = pvalloc(bytes);
    expect_aligned(at, 4096, "pvalloc");
    blocks.push_back(
        take(at, (bytes + 4095) / 4096 * 4096, move.seed() + blocks.size(), "pvalloc"));
  }
  move();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    blocks[i].verify("aligned block");
    if (i % 2) {
      std::free(blocks[i].at);
    } else {
      const std::size_t bytes = blocks[i].bytes;
      void* at = std::realloc(blocks[i].at, bytes + 100);
      Pattern(blocks[i].seed).verify(at, bytes, "aligned block after realloc");
      std::free(at);
    }
  }
}

SURVIVE_CASE(new_of_every_kind) {
  struct alignas(256) Wide {
    unsigned char bytes[256];
  };
  struct Odd {
    unsigned char bytes[37];
  };
  std::vector<Wide*> wide;
  std::vector<Odd*> odd;
  for (int i = 0; i < 50; ++i) {
    wide.push_back(i % 2 ? new Wide : new (std::nothrow) Wide);
    odd.push_back(i % 2 ? new Odd : new (std::nothrow) Odd);
    expect_aligned(wide.back(), 256, "new of an over-aligned type");
    Pattern(i).fill(wide.back(), sizeof(Wide));
    Pattern(i).fill(odd.back(), sizeof(Odd));
  }
  auto* array = new std::string[100];
  auto* wide_array = new Wide[10];
  void* raw = ::operator new(1000, std::align_val_t(512));
  for (int i = 0; i < 100; ++i) array[i] = std::string(i, 'n');
  Pattern(1).fill(wide_array, 10 * sizeof(Wide));
  Pattern(2).fill(raw, 1000);
  move();
  for (int i = 0; i < 50; ++i) {
    Pattern(i).verify(wide[i], sizeof(Wide), "over-aligned object");
    Pattern(i).verify(odd[i], sizeof(Odd), "object of 37 bytes");
    delete wide[i];
    delete odd[i];
  }
  for (int i = 0; i < 100; ++i) expect_eq(array[i], std::string(i, 'n'), "string of an array");
  Pattern(1).verify(wide_array, 10 * sizeof(Wide), "array of over-aligned objects");
  Pattern(2).verify(raw, 1000, "block of aligned operator new");
  delete[] array;
  delete[] wide_array;
  ::operator delete(raw, std::align_val_t(512));
}

SURVIVE_CASE(strings_that_the_c_library_allocates) {
  const std::string text = Random(move.seed()).text(3000);
  char* copy = strdup(text.c_str());
  char* part = strndup(text.c_str(), 100);
  char* formatted = nullptr;
  expect_eq(asprintf(&formatted, "<%s|%d>", text.c_str(), 42), 3005, "length that asprintf gave");
  for (char* at : {copy, part, formatted}) {
    expect(roam::in_thread_heap(at), "a string of the library is in the thread's heap");
  }
  move();
  expect_eq(std::string(copy), text, "string from strdup");
  expect_eq(std::string(part), text.substr(0, 100), "string from strndup");
  expect_eq(std::string(formatted), "<" + text + "|42>", "string from asprintf");
  std::free(copy);
  std::free(part);
  std::free(formatted);
}

// An open FILE* pins its thread; the buffer that getline grows does not, once the file is closed.
SURVIVE_CASE(buffers_of_getline_and_open_memstream) {
  char* line = nullptr;
  std::size_t capacity = 0;
  Random rng(move.seed());
  for (int round = 0; round < 3; ++round) {
    std::string text = rng.text(50 << (2 * round));
    FILE* file = fmemopen(text.data(), text.size(), "r");
    expect(file != nullptr, "fmemopen");
    const ssize_t length = getline(&line, &capacity, file);
    fclose(file);
    move();
    expect_eq(length, static_cast<ssize_t>(text.size()), "length that getline gave");
    expect_eq(std::string(line), text, "line");
  }
  std::free(line);
  char* written = nullptr;
  std::size_t bytes = 0;
  FILE* out = open_memstream(&written, &bytes);
  expect(out != nullptr, "open_memstream");
  for (int i = 0; i < 1000; ++i) fprintf(out, "%d,", i);
  fclose(out);
  move();
  std::string want;
  for (int i = 0; i < 1000; ++i) want += std::to_string(i) + ",";
  expect_eq(std::string(written, bytes), want, "text of the memory stream");
  std::free(written);
}

SURVIVE_CASE(edges_of_the_malloc_family) {
  void* empty = std::malloc(0);
  void* empty_too = std::calloc(0, 100);
  move();
  expect(empty != empty_too || empty == nullptr, "blocks of size 0 are distinct");
  std::free(empty);
  std::free(empty_too);
  std::free(nullptr);
  expect_eq(malloc_usable_size(nullptr), std::size_t{0}, "malloc_usable_size(NULL)");
  errno = 0;
  volatile std::size_t huge = SIZE_MAX;
  expect(hidden(std::malloc(huge)) == nullptr && errno == ENOMEM,
         "malloc(SIZE_MAX) is NULL with ENOMEM");
  errno = 0;
  expect(hidden(std::calloc(huge / 2, 3)) == nullptr && errno == ENOMEM, "calloc that overflows");
  void* volatile kept = std::malloc(100);
  Pattern(5).fill(kept, 100);
  errno = 0;
  expect(hidden(std::realloc(kept, huge - 4096)) == nullptr && errno == ENOMEM,
         "realloc to nearly SIZE_MAX");
  errno = 0;
  expect(hidden(reallocarray(kept, huge / 2, 3)) == nullptr && errno == ENOMEM,
         "reallocarray that overflows");
  Pattern(5).verify(kept, 100, "block that could not be resized");
  std::free(kept);
  void* at = nullptr;
  volatile std::size_t odd = 24;
  expect_eq(posix_memalign(&at, odd, 100), EINVAL, "posix_memalign with alignment 24");
  expect_throws<std::bad_alloc>([&] { ::operator delete(hidden(::operator new(huge))); },
                                "new of SIZE_MAX");
}

// Random allocations, resizes and frees, with moves between: every byte is verified when its block
// ends.
SURVIVE_CASE(churn_in_a_heap_that_moves) {
  Random rng(move.seed());
  std::vector<Block> live;
  for (int step = 0; step < 20000; ++step) {
    if (step % 5000 == 2500) move();
    if (live.size() < 500 || rng.one_in(2)) {
      const std::size_t bytes = rng.one_in(50) ? rng.between(1, 300000) : rng.between(1, 600);
      live.push_back({std::malloc(bytes), bytes, rng.next()});
      live.back().fill();
    } else {
      std::swap(live[rng.below(live.size())], live.back());
      live.back().verify("block in the churn");
      std::free(live.back().at);
      live.pop_back();
    }
  }
  move();
  for (const Block& block : live) {
    block.verify("block at the end of the churn");
    std::free(block.at);
  }
}

}  // namespace
}  // namespace roam_test
