#include "isomalloc/capture.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/test_bytes.h"
#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"

namespace roam::iso {
namespace {

// Each call through these is made: the compiler does not know what they are.
void* (*volatile call_malloc)(std::size_t) = malloc;
void* (*volatile call_calloc)(std::size_t, std::size_t) = calloc;
void* (*volatile call_realloc)(void*, std::size_t) = realloc;
void* (*volatile call_reallocarray)(void*, std::size_t, std::size_t) = reallocarray;
void* (*volatile call_aligned_alloc)(std::size_t, std::size_t) = aligned_alloc;
void* (*volatile call_memalign)(std::size_t, std::size_t) = memalign;
int (*volatile call_posix_memalign)(void**, std::size_t, std::size_t) = posix_memalign;
void* (*volatile call_valloc)(std::size_t) = valloc;
void* (*volatile call_pvalloc)(std::size_t) = pvalloc;
void (*volatile call_free)(void*) = free;
constexpr std::size_t kPastAllMemory = SIZE_MAX / 2;

class CaptureTest : public testing::Test {
 protected:
  CaptureTest() { start_capture(); }
  // Expectations are made outside: their own memory is the process's.
  template <class F>
  static auto inside(Heap& heap, F f) {
    HeapScope scope(&heap);
    return f();
  }
  template <class F>
  auto inside(F f) {
    return inside(heap_.heap(), f);
  }
  bool in_heap(const void* p) const { return heap_->contains(p); }
  static bool in_arena(const void* p) { return arena().contains(p); }

  TestArena test_{false, std::size_t{8} << 30};
  TestHeap heap_;
};

struct Member {
  const char* name;
  std::function<void*()> call;
  std::size_t bytes;
  std::size_t alignment;
  bool zeroed = false;
};

std::vector<Member> family() {
  std::vector<Member> members;
  for (const std::size_t n : {1ul, 24ul, 500ul, 5000ul, 40'000ul, 300'000ul}) {
    members.push_back({"malloc", [=] { return call_malloc(n); }, n, 16});
    members.push_back({"calloc", [=] { return call_calloc(n, 1); }, n, 16, true});
    members.push_back({"realloc", [=] { return call_realloc(nullptr, n); }, n, 16});
    members.push_back({"reallocarray", [=] { return call_reallocarray(nullptr, n, 1); }, n, 16});
    members.push_back({"aligned_alloc", [=] { return call_aligned_alloc(256, n); }, n, 256});
    members.push_back({"memalign", [=] { return call_memalign(4096, n); }, n, 4096});
    members.push_back({"memalign, no power of two", [=] { return call_memalign(100, n); }, n, 128});
    members.push_back({"posix_memalign",
                       [=] {
                         void* p = nullptr;
                         return call_posix_memalign(&p, 1 << 17, n) == 0 ? p : nullptr;
                       },
                       n, 1 << 17});
    members.push_back({"valloc", [=] { return call_valloc(n); }, n, 4096});
    members.push_back({"pvalloc", [=] { return call_pvalloc(n); }, round_up(n, 4096), 4096});
    members.push_back({"new", [=] { return ::operator new(n); }, n, 16});
    members.push_back({"new[]", [=] { return ::operator new[](n); }, n, 16});
    members.push_back({"new(nothrow)", [=] { return ::operator new(n, std::nothrow); }, n, 16});
    members.push_back(
        {"new(align)", [=] { return ::operator new (n, std::align_val_t{512}); }, n, 512});
  }
  return members;
}

TEST_F(CaptureTest, EveryMemberOfTheFamilyServesFromTheHeapInsideAndFromLibcOutside) {
  for (const Member& member : family()) {
    SCOPED_TRACE(testing::Message() << member.name << ' ' << member.bytes);
    void* p = inside(member.call);
    ASSERT_TRUE(in_heap(p));
    void* q = member.call();
    ASSERT_NE(q, nullptr);
    ASSERT_FALSE(in_arena(q));
    for (void* block : {p, q}) {
      ASSERT_EQ(reinterpret_cast<Address>(block) % member.alignment, 0u);
      const std::size_t usable = malloc_usable_size(block);
      ASSERT_GE(usable, member.bytes);
      if (member.zeroed) {
        ASSERT_TRUE(all_zero(block, member.bytes));
      }
      fill_bytes(block, usable, 1);
      ASSERT_TRUE(holds_bytes(block, usable, 1));
    }
    // Each is freed on the other side.
    call_free(p);
    inside([&] { call_free(q); });
  }
  EXPECT_TRUE(heap_->release_empty()) << "what was freed outside has come home";
}

TEST_F(CaptureTest, WhatLibcAllocatesForItsCallerIsTheHeaps) {
  std::vector<std::pair<const char*, void*>> got;
  got.reserve(16);
  FILE* lines = fopen("/proc/self/status", "r");
  ASSERT_NE(lines, nullptr);
  std::size_t room = 0, room2 = 0;
  char* line = nullptr;
  char* field = nullptr;
  char* printed = nullptr;
  inside([&] {
    got.emplace_back("strdup", strdup("some text"));
    got.emplace_back("strndup", strndup("some text", 4));
    if (getline(&line, &room, lines) > 0) got.emplace_back("getline", line);
    if (getdelim(&field, &room2, ':', lines) > 0) got.emplace_back("getdelim", field);
    if (asprintf(&printed, "%d and %s", 42, "more") > 0) got.emplace_back("asprintf", printed);
    got.emplace_back("realpath", realpath("/proc", nullptr));
    got.emplace_back("getcwd", getcwd(nullptr, 0));
  });
  fclose(lines);
  ASSERT_EQ(got.size(), 7u);
  for (const auto& [name, p] : got) EXPECT_TRUE(in_heap(p)) << name;
  EXPECT_STREQ(static_cast<char*>(got[0].second), "some text");
  EXPECT_STREQ(printed, "42 and more");
  EXPECT_EQ(std::string(line).substr(0, 5), "Name:");
  for (const auto& [name, p] : got) call_free(p);
  EXPECT_TRUE(heap_->release_empty());
}

TEST_F(CaptureTest, ContainersAndStreamsLiveInTheHeap) {
  std::map<int, std::string>* map = nullptr;
  std::string* text = nullptr;
  inside([&] {
    map = new std::map<int, std::string>;
    for (int i = 0; i < 1000; ++i) (*map)[i] = std::string(static_cast<std::size_t>(i), 'x');
    std::ostringstream stream;
    for (int i = 0; i < 1000; ++i) stream << i << ' ';
    text = new std::string(stream.str());
  });
  EXPECT_TRUE(in_heap(map) && in_heap(&map->begin()->second) && in_heap(text->data()));
  EXPECT_TRUE(in_heap(map->rbegin()->second.data()));
  EXPECT_EQ(text->substr(0, 10), "0 1 2 3 4 ");
  inside([&] { delete map; });
  delete text;
  EXPECT_TRUE(heap_->release_empty());
}

// ---- realloc ----

TEST_F(CaptureTest, ReallocKeepsTheBytesWhereverABlockComesFromAndGoes) {
  TestHeap other;
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 500; ++round) {
    Heap* const homes[] = {nullptr, &heap_.heap(), &other.heap()};
    void* p = nullptr;
    std::size_t bytes = 0;
    for (int step = 0; step < 8; ++step) {
      const std::size_t next = 1 + random() % (random() % 4 == 0 ? 200'000 : 400);
      {
        HeapScope scope(homes[random() % 3]);
        p = random() % 2 ? call_realloc(p, next) : call_reallocarray(p, 1, next);
      }
      ASSERT_NE(p, nullptr);
      ASSERT_GE(malloc_usable_size(p), next);
      ASSERT_TRUE(holds_bytes(p, std::min(bytes, next), 7)) << "seed " << test_seed();
      fill_bytes(p, next, 7);
      bytes = next;
    }
    HeapScope scope(homes[random() % 3]);
    call_free(p);
  }
  EXPECT_TRUE(heap_->release_empty());
  EXPECT_TRUE(other->release_empty());
}

TEST_F(CaptureTest, AProcessBlockStaysTheProcesssWhenAThreadMakesItGrow) {
  void* p = call_malloc(100);
  fill_bytes(p, 100, 1);
  p = inside([&] { return call_realloc(p, 100'000); });
  EXPECT_FALSE(in_arena(p));
  EXPECT_TRUE(holds_bytes(p, 100, 1));
  call_free(p);
}

TEST_F(CaptureTest, ABlockOfAnotherHeapMovesToTheHeapThatMakesItGrow) {
  TestHeap other;
  void* p = inside([] { return call_malloc(1000); });
  fill_bytes(p, 1000, 2);
  p = inside(other.heap(), [&] { return call_realloc(p, 3000); });
  EXPECT_TRUE(other->contains(p));
  EXPECT_TRUE(holds_bytes(p, 1000, 2));
  p = call_realloc(p, 5000);
  EXPECT_FALSE(in_arena(p)) << "outside every thread it is the process's";
  EXPECT_TRUE(holds_bytes(p, 1000, 2));
  call_free(p);
}

TEST_F(CaptureTest, ReallocToNothingFrees) {
  void* p = inside([] { return call_malloc(1000); });
  EXPECT_EQ(inside([&] { return call_realloc(p, 0); }), nullptr);
  EXPECT_TRUE(heap_->release_empty());
}

// ---- edges ----

TEST_F(CaptureTest, FreeingNothingDoesNothingAndNoFreeChangesErrno) {
  void* small = inside([] { return call_malloc(10); });
  void* large = inside([] { return call_malloc(1 << 20); });
  errno = 77;
  inside([&] {
    call_free(nullptr);
    call_free(small);
    call_free(large);
  });
  EXPECT_EQ(errno, 77);
  EXPECT_EQ(malloc_usable_size(nullptr), 0u);
}

TEST_F(CaptureTest, BlocksOfNoBytesAreDistinct) {
  void* a = nullptr;
  void* b = nullptr;
  void* c = nullptr;
  inside([&] {
    a = call_malloc(0);
    b = call_malloc(0);
    c = call_calloc(0, 8);
  });
  EXPECT_TRUE(a != nullptr && b != nullptr && c != nullptr && a != b && b != c && a != c);
  for (void* p : {a, b, c}) call_free(p);
  EXPECT_TRUE(heap_->release_empty());
}

TEST_F(CaptureTest, WhatCannotBeHadIsRefusedAsLibcRefusesIt) {
  void* kept = inside([] { return call_malloc(64); });
  fill_bytes(kept, 64, 3);
  struct Refusal {
    const char* name;
    void* got;
    int error;
  };
  std::vector<Refusal> refusals;
  refusals.reserve(32);
  const auto refuse = [&](const char* name, auto call) {
    errno = 0;
    void* got = call();
    refusals.push_back({name, got, errno});
  };
  for (const bool within : {true, false}) {
    HeapScope scope(within ? &heap_.heap() : nullptr);
    refuse("malloc", [] { return call_malloc(kPastAllMemory); });
    refuse("calloc", [] { return call_calloc(kPastAllMemory, 4); });
    refuse("calloc", [] { return call_calloc(SIZE_MAX / 8, 8); });
    refuse("reallocarray", [&] { return call_reallocarray(kept, SIZE_MAX / 2, 3); });
    refuse("realloc", [&] { return call_realloc(kept, kPastAllMemory); });
    refuse("aligned_alloc", [] { return call_aligned_alloc(64, kPastAllMemory); });
    refuse("memalign", [] { return call_memalign(4096, SIZE_MAX - 100); });
    refuse("valloc", [] { return call_valloc(SIZE_MAX - 100); });
    refuse("pvalloc", [] { return call_pvalloc(SIZE_MAX); });
    refuse("pvalloc", [] { return call_pvalloc(SIZE_MAX - 4096); });
  }
  for (const Refusal& refusal : refusals) {
    EXPECT_EQ(refusal.got, nullptr) << refusal.name;
    EXPECT_EQ(refusal.error, ENOMEM) << refusal.name;
  }
  EXPECT_TRUE(holds_bytes(kept, 64, 3));
  call_free(kept);
  volatile std::size_t huge = kPastAllMemory;
  EXPECT_THROW(inside([&] { return ::operator new(huge); }), std::bad_alloc);
}

TEST_F(CaptureTest, PosixMemalignSaysWhatIsWrongAndLeavesErrnoAndThePointer) {
  for (const bool within : {true, false}) {
    void* p = this;
    errno = 55;
    int results[5];
    {
      HeapScope scope(within ? &heap_.heap() : nullptr);
      results[0] = call_posix_memalign(&p, 0, 8);
      results[1] = call_posix_memalign(&p, 4, 8);
      results[2] = call_posix_memalign(&p, 24, 8);
      results[3] = call_posix_memalign(&p, 64, kPastAllMemory);
      results[4] = call_posix_memalign(&p, std::size_t{1} << 62, 8);
    }
    EXPECT_EQ(results[0], EINVAL);
    EXPECT_EQ(results[1], EINVAL);
    EXPECT_EQ(results[2], EINVAL);
    EXPECT_EQ(results[3], ENOMEM);
    EXPECT_EQ(results[4], ENOMEM);
    EXPECT_EQ(p, this);
    EXPECT_EQ(errno, 55);
  }
}

// In a child, since it hung once.
TEST_F(CaptureTest, AnAlignmentBeyondTheGreatestPowerOfTwoIsRefused) {
  for (const bool within : {true, false}) {
    EXPECT_EXIT(
        {
          alarm(10);
          HeapScope scope(within ? &heap_.heap() : nullptr);
          const bool refused = call_memalign(SIZE_MAX, 8) == nullptr &&
                               call_aligned_alloc((std::size_t{1} << 63) + 1, 8) == nullptr &&
                               call_aligned_alloc(std::size_t{1} << 63, 8) == nullptr;
          _exit(refused ? 0 : 1);
        },
        testing::ExitedWithCode(0), "");
  }
}

TEST_F(CaptureTest, KernelThreadsNeverServeFromAThreadsHeap) {
  void* theirs = nullptr;
  bool freed = false;
  void* ours = inside([] { return call_malloc(100); });
  inside([&] {
    std::thread other([&] {
      theirs = call_malloc(100);
      call_free(ours);
      freed = true;
    });
    other.join();
  });
  EXPECT_TRUE(freed);
  EXPECT_FALSE(in_arena(theirs));
  call_free(theirs);
  EXPECT_TRUE(heap_->release_empty());
}

TEST_F(CaptureTest, ScopesNestAndEndWithExceptions) {
  TestHeap other;
  void* p[4] = {};
  inside([&] {
    p[0] = call_malloc(300);
    try {
      HeapScope inner(&other.heap());
      p[1] = call_malloc(300);
      HeapScope process;
      p[2] = call_malloc(300);
      throw 1;
    } catch (int) {
    }
    p[3] = call_malloc(300);
  });
  EXPECT_EQ(current_heap, nullptr);
  EXPECT_TRUE(in_heap(p[0]) && other->contains(p[1]) && !in_arena(p[2]) && in_heap(p[3]));
  for (void* block : p) call_free(block);
}

TEST_F(CaptureTest, DoubleFreesThroughTheFamilyStop) {
  char text[32];
  void* p = inside([] { return call_malloc(300); });
  std::snprintf(text, sizeof text, "%p", p);
  call_free(p);
  EXPECT_EXIT(call_free(p), testing::ExitedWithCode(1), text);
  EXPECT_EXIT(inside([&] { call_free(p); }), testing::ExitedWithCode(1), text);
  EXPECT_EXIT(inside([&] {
                operator delete(p);
                heap_->collect();
              }),
              testing::ExitedWithCode(1), text);
}

}  // namespace
}  // namespace roam::iso
