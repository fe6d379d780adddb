// What the run-time libraries of Fortran and OpenMP keep for the process stays when the thread that
// called them leaves; what they give to the program goes along.
#include <sched.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/everywhere.h"
#include "tests/ranks/on_rank.h"
#include "tests/ranks/pinning.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

extern "C" {
int fortran_internal(int first);
int fortran_file();
int fortran_open();
void fortran_close(int unit);
double fortran_random();
int fortran_given(void (*move)());

void GOMP_parallel(void (*body)(void*), void* data, unsigned members, unsigned flags);
void GOMP_task(void (*body)(void*), void* data, void (*copy)(void*, void*), long bytes,
               long alignment, bool deferred, unsigned flags, void** depends, int priority,
               void* detach);
void GOMP_taskloop(void (*body)(void*), void* data, void (*copy)(void*, void*), long bytes,
                   long alignment, unsigned flags, unsigned long tasks, int priority, long begin,
                   long end, long step);
int omp_get_thread_num();
void* omp_alloc(std::size_t bytes, std::uintptr_t by);
void omp_free(void* block, std::uintptr_t by);
}

namespace roam_test {
namespace {

SCENARIO(LanguageMemory, FormatsUnitsAndSeedsOfFortran) {
  static int first = 0;
  call_everywhere([] {
    expect_eq(fortran_internal(first += 20), 0, "numbers through a text");
    expect_eq(fortran_file(), 0, "numbers through a file");
    const double drawn = fortran_random();
    expect_eq(fortran_random(), drawn, "a number drawn from the same seed");
  });
}

SCENARIO(LanguageMemory, AUnitOfFortranPinsUntilItIsClosed) {
  on_rank(0, [] {
    const int unit = fortran_open();
    expect_pinned({"unit of Fortran"});
    fortran_close(unit);
    expect_free();
    expect_eq(fortran_file(), 0, "numbers through a file");
  });
}

SCENARIO(LanguageMemory, WhatFortranGivesTravels) {
  for (int r = 0; r < roam::ranks(); ++r) {
    on_rank(r, [] {
      expect_eq(fortran_given([] {
                  for (int hop = 0; hop < roam::ranks() + 1; ++hop) {
                    roam::this_thread::migrate(next_rank());
                    reuse_memory();
                  }
                }),
                0, "results that Fortran's library allocated");
    });
  }
}

constexpr int kMembers = 3;

SCENARIO(LanguageMemory, RegionsOfOpenMP) {
  call_everywhere([] {
    struct Sums {
      std::vector<long> numbers;
      long of_member[kMembers] = {};
    } sums;
    sums.numbers.resize(30'000);
    std::iota(sums.numbers.begin(), sums.numbers.end(), 0);
    GOMP_parallel(
        [](void* given) {
          auto* all = static_cast<Sums*>(given);
          const int me = omp_get_thread_num();
          for (std::size_t i = me; i < all->numbers.size(); i += kMembers)
            all->of_member[me] += all->numbers[i];
        },
        &sums, kMembers, 0);
    expect_eq(std::accumulate(sums.of_member, sums.of_member + kMembers, 0L), 449'985'000L, "sum");
  });
}

SCENARIO(LanguageMemory, WhatMembersOfARegionAllocatePins) {
  on_rank(0, [] {
    std::vector<std::vector<int>> results(kMembers);
    GOMP_parallel(
        [](void* given) {
          const int me = omp_get_thread_num();
          (*static_cast<std::vector<std::vector<int>>*>(given))[me].assign(1000, me);
        },
        &results, kMembers, 0);
    expect_pinned({"region of OpenMP"});
    for (int i = 0; i < kMembers; ++i) {
      expect_eq(results[i].at(999), i, "what a member wrote");
      results[i] = std::vector<int>(std::size_t{1000}, i);  // the thread's own
    }
    expect_free();
    for (int i = 0; i < kMembers; ++i) expect_eq(results[i].at(999), i, "the copy");
  });
}

// What a task works on, as compilers lay it: the bounds of a loop come first.
struct Work {
  long begin, end;
  std::vector<std::vector<int>>* results;
  std::atomic<int>* elsewhere;
};

void fill(void* given) {
  const Work& work = *static_cast<const Work*>(given);
  for (long i = work.begin; i < work.end; ++i) (*work.results)[i].assign(1000, i);
  if (omp_get_thread_num() != 0) ++*work.elsewhere;
}

// Runs `make`, which makes tasks, as the master of a region whose other members have come to its
// end, where they run them.
void expect_tasks_pin(void (*make)(Work&)) {
  on_rank(0, [make] {
    constexpr int kTasks = 40;
    std::vector<std::vector<int>> results(kTasks);
    std::atomic<int> elsewhere = 0;
    struct Given {
      void (*make)(Work&);
      Work work;
    } given{make, {0, kTasks, &results, &elsewhere}};
    GOMP_parallel(
        [](void* data) {
          auto& of_master = *static_cast<Given*>(data);
          if (omp_get_thread_num() != 0) return;
          of_master.make(of_master.work);
          while (*of_master.work.elsewhere == 0) sched_yield();
        },
        &given, kMembers, 0);
    expect_pinned({"region of OpenMP"});
    for (int i = 0; i < kTasks; ++i) {
      expect_eq(results[i].at(999), i, "what a task wrote");
      results[i] = std::vector<int>(std::size_t{1000}, i);
    }
    expect_free();
  });
}

SCENARIO(LanguageMemory, WhatTasksAllocateOnOtherMembersPins) {
  expect_tasks_pin([](Work& all) {
    for (long i = 0; i < all.end; ++i) {
      Work one{i, i + 1, all.results, all.elsewhere};
      GOMP_task(fill, &one, nullptr, sizeof one, alignof(Work), true, 0, nullptr, 0, nullptr);
      one = {};
    }
  });
}

SCENARIO(LanguageMemory, TasksAreCopiedAsTheirMakerSays) {
  expect_tasks_pin([](Work& all) {
    for (long i = 0; i < all.end; ++i) {
      Work one{i, i + 1, all.results, all.elsewhere};
      const auto copy = [](void* to, void* from) {
        expect_eq(reinterpret_cast<std::uintptr_t>(to) % 128, std::uintptr_t{0}, "alignment");
        *static_cast<Work*>(to) = *static_cast<const Work*>(from);
      };
      GOMP_task(fill, &one, copy, sizeof one, 128, true, 0, nullptr, 0, nullptr);
      one = {};
    }
  });
}

SCENARIO(LanguageMemory, WhatLoopsOfTasksAllocateOnOtherMembersPins) {
  expect_tasks_pin([](Work& all) {
    constexpr unsigned kUp = 1 << 8, kIf = 1 << 10, kNoGroup = 1 << 11;
    GOMP_taskloop(fill, &all, nullptr, sizeof all, alignof(Work), kUp | kIf | kNoGroup, 7, 0, 0,
                  all.end, 1);
  });
}

// More than libgomp defers: it runs them at once, one after the other.
SCENARIO(LanguageMemory, ALoopOfManyTasksNeedsNoMoreStackThanOfOne) {
  on_rank(0, [] {
    struct Count {
      long begin, end;
      std::atomic<long>* done;
    };
    constexpr long kTasks = 20'000;
    std::atomic<long> done = 0;
    GOMP_parallel(
        [](void* given) {
          if (omp_get_thread_num() != 0) return;
          constexpr unsigned kUp = 1 << 8, kIf = 1 << 10;
          Count all{0, kTasks, static_cast<std::atomic<long>*>(given)};
          const auto count = [](void* work) {
            const auto& part = *static_cast<const Count*>(work);
            *part.done += part.end - part.begin;
          };
          GOMP_taskloop(count, &all, nullptr, sizeof all, alignof(Count), kUp | kIf, kTasks, 0, 0,
                        kTasks, 1);
        },
        &done, kMembers, 0);
    expect_eq(done.load(), kTasks, "turns of the loop");
  });
}

SCENARIO(LanguageMemory, AThreadStaysInARegion) {
  on_rank(0, [] {
    GOMP_parallel(
        [](void*) {
          if (omp_get_thread_num() == 0) expect_pinned({"region of OpenMP"});
        },
        nullptr, kMembers, 0);
    expect_free();
  });
}

SCENARIO(LanguageMemory, WhatOpenMPsAllocatorsGiveTravels) {
  on_rank(0, [] {
    auto* numbers = static_cast<int*>(omp_alloc(1000 * sizeof(int), 1));
    for (int i = 0; i < 1000; ++i) numbers[i] = i;
    for (int hop = 0; hop < roam::ranks(); ++hop) {
      expect_free();
      reuse_memory();
      for (int i = 0; i < 1000; ++i) expect_eq(numbers[i], i, "a number");
    }
    omp_free(numbers, 1);
  });
}

}  // namespace
}  // namespace roam_test
