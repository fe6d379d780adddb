// Errors that Roam itself throws are exceptions like any other: they escape from threads on any
// rank, are joined on others, and move in flight.
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

struct Wrong {
  const char* what;
  roam::Errc code;
  void (*call)();
};

void unpack(const std::vector<char>& image) {
  void* block = nullptr;
  roam::PupFromMemory unpacker(image.data(), image.size());
  roam::pup_block(unpacker, &block);
}

const Wrong kWrongs[] = {
    {"migrate to no rank", roam::Errc::no_such_rank, [] { roam::this_thread::migrate(-7); }},
    {"spawn on no rank", roam::Errc::no_such_rank,
     [] { roam::spawn(roam::SpawnOptions{.rank = 1 << 20}, [] {}); }},
    {"node_of no rank", roam::Errc::no_such_rank, [] { (void)roam::node_of(-1); }},
    {"join of nobody", roam::Errc::no_such_thread, [] { roam::Thread().join(); }},
    {"migrate of nobody", roam::Errc::no_such_thread, [] { roam::migrate(roam::Thread(), 0); }},
    {"join of oneself", roam::Errc::would_deadlock, [] { roam::this_thread::self().join(); }},
    {"migrate while pinned", roam::Errc::pinned,
     [] {
       roam::this_thread::Pin pin;
       roam::this_thread::migrate(next_rank());
     }},
    {"migrate with a Mutex", roam::Errc::pinned,
     [] {
       roam::Mutex mutex;
       std::lock_guard<roam::Mutex> hold(mutex);
       roam::this_thread::migrate(next_rank());
     }},
    {"migrate of one that ended here", roam::Errc::thread_ended,
     [] {
       const roam::Thread ended = roam::spawn([] {});
       ended.join();
       roam::migrate(ended, 0);
     }},
    {"migrate of one that ended elsewhere", roam::Errc::thread_ended,
     [] {
       const roam::Thread ended = roam::spawn(roam::SpawnOptions{.rank = next_rank()}, [] {});
       ended.join();
       roam::migrate(ended, 0);
     }},
    {"lock of a Mutex that one holds", roam::Errc::would_deadlock,
     [] {
       roam::Mutex mutex;
       std::lock_guard<roam::Mutex> hold(mutex);
       mutex.lock();
     }},
    {"send on a closed channel", roam::Errc::broken_promise,
     [] {
       roam::Channel<int> channel;
       channel.close();
       channel.send(1);
     }},
    {"get of a broken promise", roam::Errc::broken_promise,
     [] {
       roam::Future<int> future;
       {
         roam::Promise<int> promise;
         future = promise.get_future();
       }
       future.get();
     }},
    {"stack of half the address space", roam::Errc::bad_option,
     [] { roam::spawn(roam::SpawnOptions{.stack_bytes = SIZE_MAX / 2}, [] {}); }},
    {"unpack of nothing", roam::Errc::corrupt_image, [] { unpack({}); }},
    {"unpack of junk", roam::Errc::corrupt_image, [] { unpack(std::vector<char>(1000, 'j')); }},
    {"run inside run", roam::Errc::not_running,
     [] {
       int argc = 0;
       char** argv = nullptr;
       roam::run(argc, argv, [] {});
     }},
};

SCENARIO(Errors, EscapeFromThreadsOnAnyRankAndAreJoinedOnOthers) {
  for (const Wrong& wrong : kWrongs) {
    for (int r = 0; r < roam::ranks(); ++r) {
      const roam::Thread thread = roam::spawn(roam::SpawnOptions{.rank = r}, wrong.call);
      bool caught = false;
      try {
        thread.join();
      } catch (const roam::Error& error) {
        caught = true;
        const std::string text = error.what();
        expect(error.code() == wrong.code, std::string(wrong.what) + " is Error(" +
                                               roam::to_string(wrong.code) + "), not Error(" +
                                               roam::to_string(error.code()) + ")");
        expect(text.size() > 10, std::string(wrong.what) + " has a message");
        roam::this_thread::migrate(next_rank());
        expect_eq(std::string(error.what()), text, "the message after a move");
      }
      expect(caught, std::string(wrong.what) + " is refused");
    }
  }
}

SCENARIO(Errors, AreKeptAndRethrownElsewhere) {
  for (const Wrong& wrong : kWrongs) {
    std::exception_ptr kept;
    std::string text;
    try {
      wrong.call();
    } catch (const roam::Error& error) {
      text = error.what();
      kept = std::current_exception();
    }
    expect(kept != nullptr, std::string(wrong.what) + " is refused");
    for (int i = 0; i < roam::ranks(); ++i) {
      roam::this_thread::migrate(next_rank());
      try {
        std::rethrow_exception(kept);
      } catch (const roam::Error& error) {
        expect_eq(std::string(error.what()), text, "the message");
        expect(error.code() == wrong.code, "the code");
      }
    }
  }
}

SCENARIO(Errors, OfMemoryEscapeToo) {
  for (int r = 0; r < roam::ranks(); ++r) {
    const roam::Thread thread = roam::spawn(roam::SpawnOptions{.rank = r}, [] {
      volatile std::size_t huge = SIZE_MAX / 4;
      ::operator delete(::operator new(huge));
    });
    const auto error = expect_throws<std::bad_alloc>([&] { thread.join(); }, "join");
    expect_eq(std::string(error.what()), "std::bad_alloc", "what()");
  }
}

// Not by root alone: each rank joins threads of all others.
SCENARIO(Errors, CrossInAllDirectionsAtOnce) {
  std::vector<roam::Thread> joiners;
  for (int r = 0; r < 4 * roam::ranks(); ++r) {
    joiners.push_back(roam::spawn(roam::SpawnOptions{.rank = r % roam::ranks()}, [] {
      for (int i = 0; i < 200; ++i) {
        const Wrong& wrong = kWrongs[static_cast<std::size_t>(i) % std::size(kWrongs)];
        const roam::Thread thread =
            roam::spawn(roam::SpawnOptions{.rank = i % roam::ranks()}, wrong.call);
        expect_error(wrong.code, {}, [&] { thread.join(); });
      }
    }));
  }
  for (roam::Thread joiner : joiners) joiner.join();
}

}  // namespace
}  // namespace roam_test
