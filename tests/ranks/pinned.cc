// What pins a thread: a Pin, an open FILE* or DIR*, a held Mutex, others that wait on what lies in
// its memory.
#include <dirent.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/ranks/pinning.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

// The calling thread is pinned, and stays when others have run.
void expect_held(std::initializer_list<std::string_view> why) {
  const int here = roam::rank();
  expect_pinned(why);
  for (int i = 0; i < 3; ++i) roam::this_thread::yield();
  expect_eq(roam::rank(), here, "rank after a refusal and a few yields");
}

SCENARIO(Pinned, ByAPin) {
  {
    roam::this_thread::Pin outer;
    {
      roam::this_thread::Pin inner;
      expect_held({});
    }
    expect_held({});
  }
  expect_free();
}

SCENARIO(Pinned, ByAPinAlsoForOthers) {
  bool started = false, end = false;
  const roam::Thread child = roam::spawn([&] {
    const int here = roam::rank();
    {
      roam::this_thread::Pin pin;
      started = true;
      yield_until([&] { return end; });
      expect_eq(roam::rank(), here, "rank while pinned");
    }
  });
  yield_until([&] { return started; });
  expect_error(roam::Errc::pinned, {}, [&] { roam::migrate(child, next_rank()); });
  on_rank(next_rank(), [child] {
    expect_error(roam::Errc::pinned, {}, [&] { roam::migrate(child, roam::rank()); });
  });
  end = true;
  child.join();
}

SCENARIO(Pinned, ByAnOpenFile) {
  FILE* file = std::tmpfile();
  expect(file != nullptr, "tmpfile");
  expect_held({"FILE"});
  fprintf(file, "written while pinned");
  fclose(file);
  expect_free();

  FILE* again = fopen("/dev/null", "r");
  again = freopen("/dev/zero", "r", again);
  expect_held({"FILE"});
  fclose(again);
  expect_free();

  again = fopen("/dev/null", "r");
  expect(freopen("/nowhere/at/all", "r", again) == nullptr, "freopen of what is not there");
  expect_free();
}

SCENARIO(Pinned, ByAnOpenFileAlsoForOthers) {
  bool started = false, end = false;
  const roam::Thread child = roam::spawn([&] {
    FILE* file = fopen("/dev/null", "w");
    started = true;
    yield_until([&] { return end; });
    fclose(file);
  });
  yield_until([&] { return started; });
  expect_error(roam::Errc::pinned, {"FILE"}, [&] { roam::migrate(child, next_rank()); });
  end = true;
  child.join();
}

SCENARIO(Pinned, ByAnOpenPipeAndStreamsOfOtherKinds) {
  FILE* pipe = popen("echo piped", "r");
  expect(pipe != nullptr, "popen");
  expect_held({"FILE"});
  char text[32] = "";
  expect(fgets(text, sizeof(text), pipe) != nullptr && std::string(text) == "piped\n",
         "text of a pipe");
  pclose(pipe);
  expect_free();
  char buffer[100];
  FILE* memory = fmemopen(buffer, sizeof(buffer), "w");
  expect_held({"FILE"});
  fclose(memory);
  expect_free();
}

SCENARIO(Pinned, ByAnOpenStdStream) {
  {
    std::ofstream out("/dev/null");
    out << "text";
    expect_held({"FILE"});
    out.close();
    expect_free();
  }
  auto in = std::make_unique<std::ifstream>("/etc/passwd");
  std::string line;
  std::getline(*in, line);
  expect_held({"FILE"});
  in.reset();
  expect_free();
}

SCENARIO(Pinned, ByAnOpenDirectory) {
  DIR* directory = opendir("/etc");
  expect(directory != nullptr && readdir(directory) != nullptr, "opendir");
  expect_held({"DIR"});
  closedir(directory);
  expect_free();
  {
    std::filesystem::directory_iterator at("/etc");
    expect_held({"DIR"});
  }
  expect_free();
}

SCENARIO(Pinned, AFileThatFailsToOpenDoesNotPin) {
  expect(fopen("/no/such/file", "r") == nullptr, "a file that is not there does not open");
  std::ifstream in("/no/such/file");
  expect(!in, "nor as a stream");
  expect(opendir("/no/such/directory") == nullptr, "nor a directory");
  expect_free();
}

SCENARIO(Pinned, ByAHeldMutex) {
  roam::Mutex mutex, other;
  {
    std::lock_guard<roam::Mutex> hold(mutex);
    expect_held({"Mutex"});
    {
      std::lock_guard<roam::Mutex> hold_too(other);
      expect_held({"Mutex"});
    }
    expect_held({"Mutex"});
  }
  expect_free();
}

SCENARIO(Pinned, ByAHeldMutexARequestWaitsUntilItIsReleased) {
  static roam::Mutex mutex;  // the process's: one a rank
  bool held = false, release = false;
  const int here = roam::rank();
  const int to = next_rank();
  const roam::Thread child = roam::spawn([&held, &release, here, to] {
    {
      std::lock_guard<roam::Mutex> hold(mutex);
      held = true;
      yield_until([&] { return release; });
      expect_eq(roam::rank(), here, "rank while it holds the Mutex");
    }
    roam::this_thread::yield();
    expect_eq(roam::rank(), to, "rank once it has released the Mutex and suspended");
  });
  yield_until([&] { return held; });
  roam::migrate(child, to);
  for (int i = 0; i < 10; ++i) roam::this_thread::yield();
  release = true;
  child.join();
}

SCENARIO(Pinned, ByAWaiterOnAnObjectInItsMemory) {
  auto latch = std::make_unique<roam::Latch>(1);
  bool waiting = false;
  const roam::Thread waiter = roam::spawn([&] {
    waiting = true;
    latch->wait();
  });
  yield_until([&] { return waiting; });
  expect_held({});
  latch->count_down();
  waiter.join();
  expect_free();
}

SCENARIO(Pinned, ByAWaiterARequestFromElsewhereTakesEffectLater) {
  const int to = next_rank();
  roam::spawn([to] {
    roam::Latch latch(1);
    bool waiting = false;
    const int here = roam::rank();
    const roam::Thread waiter = roam::spawn([&] {
      waiting = true;
      latch.wait();
    });
    yield_until([&] { return waiting; });
    roam::migrate(roam::this_thread::self(), to);
    for (int i = 0; i < 10; ++i) roam::this_thread::yield();
    expect_eq(roam::rank(), here, "rank while another waits on its Latch");
    latch.count_down();
    waiter.join();
    roam::this_thread::yield();
    expect_eq(roam::rank(), to, "rank once nobody waits");
  }).join();
}

struct MadeSlowly {
  explicit MadeSlowly(int* makers) {
    ++*makers;
    expect_held({});
    text = std::string(1000, 's');
    for (int i = 0; i < 5; ++i) roam::this_thread::yield();
  }
  std::string text;
};

// The initialisation of a function's static is the process's business: its thread stays until it is
// done, and the others that reach the static meanwhile wait for it without stopping the rank.
SCENARIO(Pinned, ByAStaticBeingInitialised) {
  int makers = 0;
  std::vector<roam::Thread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.push_back(roam::spawn([&makers] {
      static const MadeSlowly made(&makers);
      expect_eq(made.text, std::string(1000, 's'), "text of the static");
    }));
  }
  for (roam::Thread thread : threads) thread.join();
  expect_eq(makers, 1, "times that the static was made");
  expect_free();
}

SCENARIO(Pinned, ThreadsEndedWhilePinnedLeaveNothing) {
  for (int i = 0; i < 100; ++i) {
    roam::spawn([] {
      roam::this_thread::Pin pin;
      roam::this_thread::yield();
    }).join();
    roam::spawn([] { roam::this_thread::migrate(next_rank()); }).join();
  }
}

}  // namespace
}  // namespace roam_test
