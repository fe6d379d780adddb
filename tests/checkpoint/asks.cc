// Checkpoints of a job that goes on: what they leave alone, what is in their way, and who asks.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

namespace fs = std::filesystem;

// A folder of its own, gone afterwards. One for all ranks of this machine.
class Folder {
 public:
  explicit Folder(const char* name)
      : path_(std::string(std::getenv("TEST_TMPDIR") != nullptr ? std::getenv("TEST_TMPDIR")
                                                                : "/tmp") +
              "/" + name + "." + std::to_string(getpid())) {}
  ~Folder() {
    const roam::SystemHeap process;
    std::error_code error;
    fs::remove_all(path_, error);
  }
  const std::string& path() const { return path_; }
  std::size_t checkpoints() const {
    const roam::SystemHeap process;
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(path_))
      count += fs::exists(entry.path() / "manifest");
    return count;
  }

 private:
  std::string path_;
};

void expect_refused(const std::string& folder, const std::string& text) {
  try {
    roam::checkpoint(folder);
  } catch (const roam::Error& error) {
    expect_eq(std::string(roam::to_string(error.code())), "checkpoint_failed", "its code");
    expect(std::string(error.what()).find(text) != std::string::npos,
           std::string("'") + text + "' in: " + error.what());
    return;
  }
  throw std::runtime_error("a checkpoint was made, and '" + text + "' was to forbid it");
}

SCENARIO(Checkpoint, GoesOn) {
  const Folder folder("goes_on");
  for (int i = 0; i < 4; ++i)
    expect(roam::checkpoint(folder.path()) == roam::Resumed::no, "it goes on");
  expect_eq(folder.checkpoints(), std::size_t{2}, "of four the newest two are kept");
}

SCENARIO(Checkpoint, ManyThreadsAskAtOnce) {
  const Folder folder("many");
  std::vector<roam::Thread> threads;
  for (int i = 0; i < 3 * roam::ranks(); ++i) {
    threads.push_back(roam::spawn({.rank = i % roam::ranks()}, [path = folder.path()] {
      expect(roam::checkpoint(path) == roam::Resumed::no, "it goes on");
    }));
  }
  for (const roam::Thread t : threads) t.join();
}

// The others are anywhere, in the middle of anything.
SCENARIO(Checkpoint, OfATeamUnderWay) {
  const Folder folder("team");
  roam::spawn_team(3 * roam::ranks() + 1, [path = folder.path()] {
    const roam::Team team = roam::Team::current();
    const int n = team.size(), me = team.index();
    std::uint64_t sum = 0;
    for (int round = 0; round < 40; ++round) {
      std::vector<std::uint64_t> data(round % 8 == 0 ? 30'000 : 3, static_cast<std::uint64_t>(me));
      team.send((me + 1) % n, 1, data);
      if (me == round % n && round % 13 == 0)
        expect(roam::checkpoint(path) == roam::Resumed::no, "it goes on");
      if (round % 10 == 5) expect(team.checkpoint(path) == roam::Resumed::no, "all go on");
      roam::this_thread::migrate((me + round) % roam::ranks());
      for (const std::uint64_t value : team.recv<std::vector<std::uint64_t>>((me + n - 1) % n, 1))
        sum += value;
      expect_eq(team.allreduce(1), n, "members");
    }
    expect_eq(sum, static_cast<std::uint64_t>((me + n - 1) % n) * (5 * 30'000 + 35 * 3), "the sum");
  }).join();
}

SCENARIO(Checkpoint, AnOpenFileIsInItsWay) {
  const Folder folder("file");
  roam::Channel<int> begin(1), opened(1);
  roam::Thread t = roam::spawn({.name = "has a file"}, [&] {
    std::FILE* file = std::tmpfile();
    opened.send(1);
    begin.recv();
    std::fclose(file);
  });
  opened.recv();
  expect_refused(folder.path(), "thread 'has a file' on rank 0");
  begin.send(1);
  t.join();
  expect(roam::checkpoint(folder.path()) == roam::Resumed::no, "the file is closed");
}

// What is in the way for a while is waited for.
SCENARIO(Checkpoint, WaitsForAPin) {
  const Folder folder("pin");
  roam::Thread t = roam::spawn({.rank = roam::ranks() - 1}, [] {
    const roam::this_thread::Pin pin;
    roam::this_thread::sleep_for(std::chrono::milliseconds(300));
  });
  roam::this_thread::sleep_for(std::chrono::milliseconds(50));
  expect(roam::checkpoint(folder.path()) == roam::Resumed::no, "the pin is gone");
  t.join();
}

SCENARIO(Checkpoint, ObjectsOfTheProcessAreInItsWay) {
  static roam::Channel<int> global(1);
  const Folder folder("global");
  roam::Thread t = roam::spawn({.name = "receiver"}, [] { global.recv(); });
  roam::this_thread::sleep_for(std::chrono::milliseconds(20));
  expect_refused(folder.path(), "memory of the process");
  global.send(1);
  t.join();
  {
    const roam::SystemHeap heap;
    expect_refused(folder.path(), "SystemHeap");
  }
  roam::Mutex mutex;
  mutex.lock();
  expect_refused(folder.path(), "thread 'root' on rank 0");
  mutex.unlock();
}

SCENARIO(Checkpoint, CannotBeWritten) {
  expect_refused("/proc/there/is/no/such/place", "/proc/there");
  try {
    roam::checkpoint("");
    throw std::runtime_error("no folder at all was taken");
  } catch (const roam::Error& error) {
    expect(error.code() == roam::Errc::bad_option, error.what());
  }
  const Folder folder("after_that");
  expect(roam::checkpoint(folder.path()) == roam::Resumed::no, "elsewhere it can");
}

// Exceptions that nobody has joined, threads that have not run, and sleepers.
SCENARIO(Checkpoint, OfThreadsThatHaveEndedAndNotBegun) {
  const Folder folder("ended");
  std::vector<roam::Thread> failed, fresh;
  for (int i = 0; i < 2 * roam::ranks(); ++i) {
    failed.push_back(roam::spawn({.rank = i % roam::ranks()},
                                 [i] { throw std::runtime_error("thread " + std::to_string(i)); }));
  }
  roam::this_thread::sleep_for(std::chrono::milliseconds(20));
  for (int i = 0; i < 2 * roam::ranks(); ++i)
    fresh.push_back(roam::spawn({.rank = i % roam::ranks()}, [] {
      roam::this_thread::sleep_for(std::chrono::milliseconds(30));
    }));
  expect(roam::checkpoint(folder.path()) == roam::Resumed::no, "it goes on");
  for (const roam::Thread t : fresh) t.join();
  int caught = 0;
  for (const roam::Thread t : failed) {
    try {
      t.join();
    } catch (const std::runtime_error&) {
      ++caught;
    }
  }
  expect_eq(caught, 2 * roam::ranks(), "exceptions");
}

}  // namespace
}  // namespace roam_test
