// fork in a thread, and in kernel threads beside: the child has a copy of what its rank's threads
// have, neither side sees what the other writes, and however the child ends the job goes on.
#include <pthread.h>
#include <pty.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "roam/isomalloc.h"
#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

// Status with which `body` ends a child: what it returns, 99 if it throws.
template <class Body>
void run_in_child(Body& body) {
  int status = 99;
  try {
    status = body();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "in the child: %s\n", e.what());
  }
  _exit(status);
}

int status_of(pid_t child) {
  expect(child > 0, "fork made a child");
  int status = 0;
  expect_eq(waitpid(child, &status, 0), child, "the child that ended");
  return status;
}

template <class Body>
void expect_exit(int want, Body body) {
  const pid_t child = fork();
  if (child == 0) run_in_child(body);
  const int status = status_of(child);
  expect(WIFEXITED(status), "the child exits");
  expect_eq(WEXITSTATUS(status), want, "status of the child");
}

template <class Body>
void on_each_rank_at_once(Body body) {
  std::vector<roam::Thread> threads;
  for (int r = 0; r < roam::ranks(); ++r)
    threads.push_back(roam::spawn(roam::SpawnOptions{.name = "forker", .rank = r}, body));
  for (roam::Thread t : threads) t.join();
}

class Pipe {
 public:
  Pipe() { expect_eq(pipe(ends_), 0, "pipe"); }
  ~Pipe() {
    for (int end : ends_) close(end);
  }
  template <class T>
  void put(const T& value) {
    expect_eq(write(ends_[1], &value, sizeof value), static_cast<ssize_t>(sizeof value), "write");
  }
  template <class T>
  T get() {
    T value{};
    expect_eq(read(ends_[0], &value, sizeof value), static_cast<ssize_t>(sizeof value), "read");
    return value;
  }

 private:
  int ends_[2];
};

SCENARIO(Fork, TheChildComputesWithWhatTheThreadHadAndPassesItOn) {
  std::vector<roam::Thread> movers;
  for (int i = 0; i < 2 * roam::ranks(); ++i) {
    movers.push_back(roam::spawn(roam::SpawnOptions{.rank = i % roam::ranks()}, [i] {
      const std::string text = Random(static_cast<std::uint64_t>(i)).text(20'000);
      for (int hop = 0; hop < 60; ++hop) {
        roam::this_thread::migrate(next_rank());
        roam::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      expect_eq(text, Random(static_cast<std::uint64_t>(i)).text(20'000), "text of a mover");
    }));
  }
  on_each_rank_at_once([] {
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t seed = static_cast<std::uint64_t>(100 * roam::rank() + round);
      std::vector<char> heap(200'000);
      Pattern(seed).fill(heap.data(), heap.size());
      char stack[5000];
      Pattern(seed + 7).fill(stack, sizeof stack);
      std::map<int, std::string> map;
      for (int i = 0; i < 300; ++i) map[i] = std::to_string(i);
      Pipe up;
      const pid_t child = fork();
      if (child == 0) {
        auto body = [&] {
          Pattern(seed).verify(heap.data(), heap.size(), "the heap in the child");
          Pattern(seed + 7).verify(stack, sizeof stack, "the stack in the child");
          std::fill(heap.begin(), heap.end(), 'c');
          std::fill(std::begin(stack), std::end(stack), 'c');
          for (int i = 0; i < 300; i += 2) map.erase(i);
          heap.resize(2'000'000);
          std::vector<std::string> fresh(1000, std::string(500, 'f'));
          up.put(map.size() * 1000 + fresh.size());
          return 0;
        };
        run_in_child(body);
      }
      Pattern(seed).verify(heap.data(), heap.size(), "the heap in the parent");
      Pattern(seed + 7).verify(stack, sizeof stack, "the stack in the parent");
      expect_eq(up.get<std::size_t>(), 151'000u, "what the child computed");
      expect_eq(status_of(child), 0, "status of the child");
      Pattern(seed).verify(heap.data(), heap.size(), "the heap in the parent, later");
      Pattern(seed + 7).verify(stack, sizeof stack, "the stack in the parent, later");
      expect_eq(map.size(), 300u, "the map in the parent");
      roam::this_thread::yield();
    }
  });
  for (roam::Thread t : movers) t.join();
}

SCENARIO(Fork, TheChildSeesWhatWasThereAtTheCall) {
  on_each_rank_at_once([] {
    std::vector<int> mine(50'000, 1);
    std::vector<int>* others = nullptr;
    int* block = static_cast<int*>(iso_malloc(400'000));
    block[99'999] = 4;
    bool done = false;
    const roam::Thread other = roam::spawn([&] {
      std::vector<int> data(50'000, 2);
      others = &data;
      while (!done) roam::this_thread::yield();
    });
    yield_until([&] { return others != nullptr; });
    Pipe go, up;
    const pid_t child = fork();
    if (child == 0) {
      auto body = [&] {
        go.get<char>();
        up.put(std::accumulate(mine.begin(), mine.end(), 0));
        up.put(std::accumulate(others->begin(), others->end(), 0));
        up.put(block[99'999]);
        return 0;
      };
      run_in_child(body);
    }
    std::fill(mine.begin(), mine.end(), 100);
    std::fill(others->begin(), others->end(), 100);
    block[99'999] = 100;
    done = true;
    other.join();
    go.put('g');
    expect_eq(up.get<int>(), 50'000, "sum of the thread's own");
    expect_eq(up.get<int>(), 100'000, "sum of what another thread of the rank had");
    expect_eq(up.get<int>(), 4, "the isomalloc block");
    expect_eq(status_of(child), 0, "status of the child");
    iso_free(block);
  });
}

[[gnu::noinline]] pid_t run_by_vfork() {
  const pid_t child = vfork();
  if (child == 0) {
    execlp("sh", "sh", "-c", "exit 6", nullptr);
    _exit(9);
  }
  return child;
}

SCENARIO(Fork, ProgramsAreRunInEachWay) {
  on_each_rank_at_once([] {
    for (int round = 0; round < 5; ++round) {
      std::vector<int> data(30'000, round);
      const pid_t child = fork();
      if (child == 0) {
        execlp("sh", "sh", "-c", "exit 5", nullptr);
        _exit(9);
      }
      expect_eq(WEXITSTATUS(status_of(child)), 5, "status of what fork and exec ran");
      const pid_t borrower = run_by_vfork();
      expect_eq(WEXITSTATUS(status_of(borrower)), 6, "status of what vfork and exec ran");
      pid_t spawned = 0;
      char name[] = "sh", option[] = "-c", script[] = "exit 7";
      char* words[] = {name, option, script, nullptr};
      expect_eq(posix_spawnp(&spawned, "sh", nullptr, nullptr, words, environ), 0, "posix_spawnp");
      expect_eq(WEXITSTATUS(status_of(spawned)), 7, "status of what posix_spawn ran");
      expect_eq(WEXITSTATUS(std::system("exit 8")), 8, "status of what system ran");
      std::FILE* words_of = popen("echo hello", "r");
      char text[20] = "";
      expect(std::fgets(text, sizeof text, words_of) != nullptr, "a line of popen's");
      expect_eq(std::string(text), "hello\n", "what popen's program wrote");
      expect_eq(pclose(words_of), 0, "pclose");
      expect_eq(data, std::vector<int>(30'000, round), "the thread's data");
    }
  });
}

SCENARIO(Fork, HoweverTheChildEndsTheJobGoesOn) {
  on_each_rank_at_once([] {
    const auto end_of = [](auto body) {
      const pid_t child = fork();
      if (child == 0) {
        const rlimit no_core{0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        body();
        _exit(42);
      }
      return status_of(child);
    };
    int status = end_of([] { std::exit(3); });
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 3, "exit(3)");
    status = end_of([] { std::quick_exit(4); });
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 4, "quick_exit(4)");
    status = end_of([] { std::abort(); });
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "abort");
    status = end_of([] { *reinterpret_cast<volatile char*>(0x1234) = 1; });
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a wild write");
    status = end_of([] { throw std::runtime_error("in the child"); });
    expect(status != 0, "an exception that nobody catches");
    status = end_of([] { raise(SIGKILL); });
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a kill");
  });
}

SCENARIO(Fork, AChildWhoseFunctionReturnsExits) {
  on_each_rank_at_once([] {
    int status = -1;
    roam::spawn([&status] {
      const pid_t child = fork();
      if (child != 0) status = status_of(child);
    }).join();
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status of a child that returns");
    roam::spawn([&status] {
      std::vector<std::string> left(100, std::string(100, 'x'));
      const pid_t child = fork();
      if (child == 0) throw std::runtime_error("out of the child's function");
      status = status_of(child);
    }).join();
    expect(status != 0, "status of a child whose function throws");
  });
}

[[gnu::noinline]] int dig(int depth) {
  volatile char frame[4000];
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : dig(depth - 1) + frame[0];
}

SCENARIO(Fork, TheChildsStackHasAGuard) {
  on_each_rank_at_once([] {
    expect_exit(0, [] { return dig(20) > 1'000'000; });
    expect_exit(1, [] { return dig(100'000) > 1'000'000 ? 5 : 6; });  // the fault handler's
  });
}

SCENARIO(Fork, TheJobsCallsAreRefusedInTheChild) {
  on_each_rank_at_once([] {
    roam::Mutex mutex, held;
    roam::Channel<int> channel(1);
    const roam::Thread self = roam::this_thread::self();
    roam::this_thread::Pin before;
    const std::lock_guard hold(held);
    expect_exit(0, [&] {
      const auto refused = [](auto call) {
        expect_error(roam::Errc::not_in_thread, {"fork", "pipe"}, call);
      };
      refused([&] { mutex.lock(); });
      refused([&] { channel.send(1); });
      refused([&] { roam::spawn([] {}); });
      refused([&] { roam::join(self); });
      refused([&] { roam::this_thread::migrate(next_rank()); });
      refused([&] { roam::this_thread::Pin pin; });
      refused([&] {
        int count = 0;
        char** words = nullptr;
        roam::run(count, words, [] {});
      });
      roam::this_thread::yield();
      roam::this_thread::sleep_for(std::chrono::milliseconds(1));
      return 0;
    });
    // What is let go of in the child, and held on in the parent.
    int status = -1;
    roam::spawn([&] {
      roam::Mutex own;
      const pid_t child = [&] {
        const std::lock_guard guard(own);
        const roam::this_thread::Pin pin;
        const roam::SystemHeap process;
        const pid_t pid = fork();
        if (pid == 0) std::vector<int>(1000, 1).swap(*new std::vector<int>);
        return pid;
      }();
      std::vector<std::string> more(2000, std::string(300, 'm'));
      if (child == 0) _exit(more[1999][299] == 'm' ? 11 : 12);
      status = status_of(child);
    }).join();
    expect_eq(WEXITSTATUS(status), 11, "status of a child that leaves scopes");
  });
}

// Its thread has no memory but its slot, and its rank keeps what threads that ended gave back.
SCENARIO(Fork, AChildAllocatesFromWhatItsRankKept) {
  const auto use = [] {
    std::vector<std::string> small(500, std::string(100, 's'));
    std::vector<char> medium(100'000, 'm'), large(900'000, 'l');
    return small[499][99] == 's' && medium[99'999] == 'm' && large[899'999] == 'l';
  };
  on_each_rank_at_once([use] {
    roam::spawn([use] { expect(use(), "what the rank's memory holds"); }).join();
    int status = -1;
    roam::spawn([&status, use] {
      const pid_t child = [] {
        const roam::SystemHeap process;
        return fork();
      }();
      if (child == 0) _exit(use() && use() ? 11 : 12);
      status = status_of(child);
    }).join();
    expect_eq(WEXITSTATUS(status), 11, "status of a child that allocates as its thread does");
  });
}

int prepared = 0, in_parents = 0, in_children = 0;

SCENARIO(Fork, HandlersOfTheProgramRun) {
  on_each_rank_at_once([] {
    static const int registered =
        pthread_atfork([] { ++prepared; }, [] { ++in_parents; }, [] { ++in_children; });
    expect_eq(registered, 0, "pthread_atfork");
    const int prepared_before = prepared, parents_before = in_parents;
    expect_exit(1, [] { return in_children; });
    expect_eq(prepared - prepared_before, 1, "handlers before");
    expect_eq(in_parents - parents_before, 1, "handlers in the parent");
    expect_eq(in_children, 0, "handlers of the child in the parent");
    const pid_t child = _Fork();
    if (child == 0) _exit(in_children);
    expect_eq(status_of(child), 0, "handlers that _Fork ran");
  });
}

SCENARIO(Fork, KernelThreadsForkToo) {
  on_each_rank_at_once([] {
    std::vector<int> data(100'000, 3);
    const std::string captured(1000, 'k');
    std::vector<int> statuses(6, -1);
    std::vector<std::thread> kernel_threads;
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      kernel_threads.emplace_back([&, i, captured] {
        const pid_t child = fork();
        if (child == 0) {
          auto body = [&] {
            std::vector<int> copy(data);
            for (int& x : data) x = 9;
            const int sum = std::accumulate(copy.begin(), copy.end(), 0);
            return sum == 300'000 && captured == std::string(1000, 'k') ? 20 : 21;
          };
          run_in_child(body);
        }
        waitpid(child, &statuses[i], 0);
      });
    }
    for (std::thread& t : kernel_threads) t.join();
    for (const int status : statuses) expect_eq(WEXITSTATUS(status), 20, "status of a child");
    expect_eq(data, std::vector<int>(100'000, 3), "the thread's data");
  });
}

SCENARIO(Fork, TheChildIsAProcessLikeOthers) {
  on_each_rank_at_once([] {
    std::vector<int> data(10'000, 5);
    expect_exit(0, [&] {
      int sum = 0;
      std::thread([&] { sum = std::accumulate(data.begin(), data.end(), 0); }).join();
      expect_eq(sum, 50'000, "what a kernel thread of the child computed");
      char* grown = static_cast<char*>(std::malloc(10));
      for (std::size_t bytes = 10; bytes < 3'000'000; bytes *= 3)
        grown = static_cast<char*>(std::realloc(grown, bytes));
      std::free(grown);
      try {
        throw std::runtime_error(std::string(300, 'e'));
      } catch (const std::exception& e) {
        expect_eq(std::string(e.what()).size(), 300u, "what() in the child");
      }
      // A child of its own.
      expect_exit(13, [&] {
        data.assign(20'000, 6);
        return data[19'999] == 6 ? 13 : 14;
      });
      expect_eq(data, std::vector<int>(10'000, 5), "the child's data");
      expect_eq(WEXITSTATUS(std::system("exit 15")), 15, "system in the child");
      return 0;
    });
    int terminal = -1;
    const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child == 0) _exit(isatty(0) != 0 && data[7] == 5 ? 16 : 17);
    expect_eq(WEXITSTATUS(status_of(child)), 16, "status of forkpty's child");
    close(terminal);
  });
}

SCENARIO(Fork, AChildNotifiesWhileOthersOfItsParentWait) {
  on_each_rank_at_once([] {
    std::mutex mutex;
    std::condition_variable changed;
    bool waits = false, ready = false;
    const roam::Thread waiter = roam::spawn([&] {
      std::unique_lock lock(mutex);
      waits = true;
      changed.wait(lock, [&] { return ready; });
    });
    yield_until([&] { return waits; });
    expect_exit(21, [] {
      std::condition_variable own;
      own.notify_all();
      own.notify_one();
      return 21;
    });
    {
      const std::lock_guard lock(mutex);
      ready = true;
    }
    changed.notify_all();
    waiter.join();
  });
}

SCENARIO(Fork, ADaemonIsMadeInAChildOnly) {
  on_each_rank_at_once([] {
    expect_eq(daemon(1, 1), -1, "daemon in a thread");
    expect_eq(errno, EPERM, "errno of daemon in a thread");
    Pipe up;
    expect_exit(0, [&] {
      if (daemon(1, 1) == 0) {
        up.put(7);
        _exit(0);
      }
      return 1;
    });
    expect_eq(up.get<int>(), 7, "what the daemon says");
  });
}

SCENARIO(Fork, WhatThreadsOfOtherRanksHaveIsNotInTheChild, .ranks_needed = 2) {
  std::vector<int> mine(10'000, 7);
  const std::vector<int>* const address = &mine;
  if (neighbour() == roam::rank()) return;
  on_rank(neighbour(), [address] {
    const int* const there = address->data();
    expect_eq(there[9'999], 7, "what is on the node");
    expect_exit(1, [there] { return there[9'999] == 7 ? 30 : 31; });  // the fault handler's
  });
}

}  // namespace
}  // namespace roam_test
