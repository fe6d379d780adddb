// Memory and handles of the process that a thread holds: it stays until it has given them back.
#include <fcntl.h>
#include <fts.h>
#include <iconv.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <initializer_list>
#include <locale>
#include <memory_resource>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/ranks/pinning.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

void* map(std::size_t bytes) {
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  expect(at != MAP_FAILED, "mmap");
  return at;
}

SCENARIO(Handles, AMappingPinsUntilAllOfItIsUnmapped) {
  constexpr std::size_t page = 4096;
  char* at = static_cast<char*>(map(4 * page));
  expect_pinned({"mapping of 16384 bytes"});
  munmap(at + page, page);
  expect_pinned({"mapping"});
  munmap(at, page);
  expect_pinned({"mapping"});
  munmap(at + 2 * page, 2 * page);
  expect_free();
}

SCENARIO(Handles, AMappingThatGrowsAndMovesPins) {
  void* at = map(4096);
  at = mremap(at, 4096, 1 << 20, MREMAP_MAYMOVE);
  expect(at != MAP_FAILED, "mremap");
  expect_pinned({"mapping"});
  munmap(at, 1 << 20);
  expect_free();
}

SCENARIO(Handles, APageThatMovesOverAnotherOfItsMappingPins) {
  constexpr std::size_t page = 4096;
  char* at = static_cast<char*>(map(2 * page));
  expect(mremap(at, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, at + page) == at + page, "mremap");
  expect_pinned({"mapping"});
  munmap(at + page, page);
  expect_free();
}

// What each copy of this maps is that of the thread for which the copy is made.
class Mapped {
 public:
  Mapped() : at_(map(4096)) {}
  Mapped(const Mapped&) : Mapped() {}
  ~Mapped() { munmap(at_, 4096); }
  Mapped& operator=(const Mapped&) = delete;

 private:
  void* at_;
};

SCENARIO(Handles, WhatIsCopiedForANewThreadPinsThatOne) {
  {
    const Mapped given;
    roam::spawn([given] { expect_pinned({"mapping"}); }).join();
    const roam::Thread refused =
        roam::spawn(roam::SpawnOptions{.rank = next_rank()}, [given] { fail("it began"); });
    expect_error(roam::Errc::pinned, {"spawn", "mapping"}, [&] { refused.join(); });
    expect_pinned({"mapping"});
  }
  expect_free();
}

SCENARIO(Handles, WhatAKernelThreadSendsPinsWhoHasTheChannel) {
  {
    roam::Channel<Mapped> channel(2);
    roam::Promise<Mapped> promise;
    std::thread([&] {
      channel.send(Mapped());
      promise.set_value(Mapped());
    }).join();
    expect_pinned({"mapping"});
    static_cast<void>(channel.recv());
    static_cast<void>(promise.get_future().get());
  }
  expect_free();
}

SCENARIO(Handles, AMappingOverAnotherTakesItsPlace) {
  void* at = map(8192);
  expect(mmap(at, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at, "fixed");
  expect_pinned({"mapping"});
  munmap(at, 8192);
  expect_free();
}

SCENARIO(Handles, AKernelThreadMayUnmap) {
  void* at = map(4096);
  expect_pinned({"mapping"});
  std::thread([at] { munmap(at, 4096); }).join();
  expect_free();
}

SCENARIO(Handles, ASegmentPinsUntilItIsDetached) {
  const int id = shmget(IPC_PRIVATE, 4096, 0600);
  if (id < 0) return;  // not everywhere allowed
  void* at = shmat(id, nullptr, 0);
  shmctl(id, IPC_RMID, nullptr);
  expect_pinned({"shmat"});
  shmdt(at);
  expect_free();
}

SCENARIO(Handles, AConverterPinsUntilItIsClosed) {
  const iconv_t converter = iconv_open("UTF-8", "ISO-8859-1");
  expect_pinned({"iconv_t"});
  iconv_close(converter);
  expect(iconv_open("no such", "charset") == reinterpret_cast<iconv_t>(-1), "a wrong name");
  expect_free();
}

// Of a class for each kind of characters, whose functions are virtual.
template <class Char>
void catalog_pins() {
  const auto& messages = std::use_facet<std::messages<Char>>(std::locale::classic());
  const auto catalog = messages.open("no such catalog", std::locale::classic());
  expect(catalog >= 0, "messages::open");
  expect_pinned({"std::messages"});
  messages.close(catalog);
  expect_free();
}

SCENARIO(Handles, ACatalogOfMessagesPinsUntilItIsClosed) {
  catalog_pins<char>();
  catalog_pins<wchar_t>();
  // What libstdc++ keeps of a thread that has ended is not in that one's heap.
  for (int r = 0; r < roam::ranks(); ++r) on_rank(r, [] { catalog_pins<char>(); });
}

// It keeps what belongs to the kernel thread under a key that it deletes at its end.
SCENARIO(Handles, APoolOfMemoryPinsWhileItLives) {
  {
    std::pmr::synchronized_pool_resource pool;
    const std::pmr::vector<int> numbers(100, &pool);
    expect_pinned({"pthread_key_t"});
  }
  expect_free();
}

SCENARIO(Handles, AWalkThroughFoldersPins) {
  char path[] = "/proc/self/fdinfo";
  char* const paths[] = {path, nullptr};
  FTS* walk = fts_open(paths, FTS_PHYSICAL, nullptr);
  expect(walk != nullptr && fts_read(walk) != nullptr, "fts");
  expect_pinned({"FTS"});
  fts_close(walk);
  expect_free();
}

SCENARIO(Handles, ATimerAndASemaphorePin) {
  sigevent event{};
  event.sigev_notify = SIGEV_NONE;
  timer_t timer;
  expect_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0, "timer_create");
  expect_pinned({"timer_t"});
  timer_delete(timer);
  expect_free();

  const std::string name = "/roam-handles-" + std::to_string(getpid());
  sem_t* one = sem_open(name.c_str(), O_CREAT, 0600, 1u);
  if (one == SEM_FAILED) return;  // no /dev/shm
  sem_t* two = sem_open(name.c_str(), 0);
  sem_unlink(name.c_str());
  sem_close(one);
  expect_pinned({"sem_t"});
  sem_close(two);
  expect_free();
}

SCENARIO(Handles, AValueInItsOwnMemoryPins) {
  static pthread_key_t key = [] {
    pthread_key_t made;
    pthread_key_create(&made, nullptr);
    return made;
  }();
  const std::string own(1000, 'o');
  pthread_setspecific(key, &own);
  expect_pinned({"pthread_key_t"});
  pthread_setspecific(key, "the process's");
  pthread_setspecific(key, nullptr);
  expect_free();
}

SCENARIO(Handles, AKernelThreadPinsUntilItIsJoinedOrHasEnded) {
  std::atomic<bool> end = false;
  std::thread helper([&end] {
    while (!end) std::this_thread::yield();
  });
  expect_pinned({"kernel thread"});
  end = true;
  helper.join();
  expect_free();

  end = false;
  std::atomic<bool> ran = false;
  std::thread([&end, &ran] {
    while (!end) std::this_thread::yield();
    ran = true;
  }).detach();
  expect_pinned({"kernel thread"});
  end = true;
  const int to = next_rank();
  while (roam::rank() != to) {  // it ends some time after its last statement
    try {
      roam::this_thread::migrate(to);
    } catch (const roam::Error&) {
      roam::this_thread::yield();
    }
  }
  expect(ran, "the detached kernel thread has ended");
}

SCENARIO(Handles, WhatAKernelThreadAllocatedPinsWhileItLives) {
  std::vector<int> result =
      std::async(std::launch::async, [] { return std::vector<int>(1000, 7); }).get();
  expect_pinned({"memory"});
  std::vector<int> own(result);
  result = {};
  result.shrink_to_fit();
  expect_free();
  for (const int value : own) expect_eq(value, 7, "value of the copy that travelled");
}

struct Failure {
  std::string text;
};

SCENARIO(Handles, AnExceptionOfAKernelThreadPinsWhileItIsHeld) {
  try {
    std::async(std::launch::async, [] {
      throw Failure{"a helper failed in a way of its own"};
    }).get();
  } catch (const Failure& failure) {
    expect_pinned({"memory"});
    expect_eq(failure.text, std::string("a helper failed in a way of its own"), "text");
  }
  expect_free();
}

SCENARIO(Handles, AnExceptionOfTheStandardsIsCopiedForWhoHandlesIt) {
  try {
    std::async(std::launch::async, [] { throw std::runtime_error("a helper failed"); }).get();
  } catch (const std::exception& e) {
    expect_free();
    expect_eq(std::string(e.what()), std::string("a helper failed"), "text");
  }
  expect_free();
}

// Kernel threads of the program open and close beside threads that do.
SCENARIO(Handles, FilesOpenedByKernelThreadsBesideThreads) {
  constexpr int kTimes = 2000;
  FILE* handed = fopen("/dev/null", "r");
  std::atomic<bool> closed = false;
  std::thread others[2];
  for (std::thread& other : others) {
    other = std::thread([] {
      for (int i = 0; i < kTimes; ++i) fclose(fopen("/dev/null", "r"));
    });
  }
  std::thread closer([&] {
    fclose(handed);
    closed = true;
  });
  for (int i = 0; i < kTimes; ++i) fclose(fopen("/dev/null", "w"));
  for (std::thread& other : others) other.join();
  closer.join();
  expect(closed, "closed by a kernel thread");
  expect_free();
}

SCENARIO(Handles, AFileThatOutlivesItsThreadIsClosedByAKernelThread) {
  static FILE* left;
  roam::spawn([] { left = fopen("/dev/null", "r"); }).join();
  for (int i = 0; i < 20; ++i) roam::spawn([] { roam::this_thread::migrate(next_rank()); }).join();
  std::thread([] { fclose(left); }).join();
  roam::this_thread::yield();
  expect_free();
}

}  // namespace
}  // namespace roam_test
