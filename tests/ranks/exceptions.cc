// Exceptions that do not begin in a thread's heap: out of the initialiser of a static, out of a
// SystemHeap, of the process. They come along with their text, or hold the thread.
#include <algorithm>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/ranks/pinning.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

std::string long_text(std::string_view what) { return std::string(what) + std::string(200, '.'); }

// Goes round all ranks. Others allocate meanwhile, so that memory that was left is used again.
void go_round(const std::exception& error, const std::string& text) {
  for (int i = 0; i < roam::ranks(); ++i) {
    expect_eq(std::string(error.what()), text, "what() on rank " + std::to_string(roam::rank()));
    {
      roam::SystemHeap process;
      std::vector<std::unique_ptr<std::string>> noise;
      for (int n = 0; n < 200; ++n) {
        noise.push_back(std::make_unique<std::string>(static_cast<std::size_t>(n + 150), '#'));
      }
    }
    roam::this_thread::migrate(next_rank());
  }
  expect_eq(std::string(error.what()), text, "what() after a round");
}

struct Settings {
  Settings() { throw std::runtime_error(long_text("no settings")); }
  int n = 0;
};

int settings() {
  static Settings made;
  return made.n;
}

SCENARIO(Exceptions, OutOfTheInitialiserOfAStatic) {
  for (int i = 0; i < 2 * roam::ranks(); ++i) {
    try {
      settings();
      fail("the initialiser did not throw");
    } catch (const std::exception& error) {
      go_round(error, long_text("no settings"));
    }
    roam::this_thread::migrate(next_rank());
  }
}

SCENARIO(Exceptions, OutOfASystemHeap) {
  const std::error_code code(ENOENT, std::generic_category());
  const auto expect_travels = [](auto throw_it) {
    std::string text;
    try {
      throw_it();
    } catch (const std::exception& error) {
      text = error.what();
    }
    try {
      roam::SystemHeap process;
      throw_it();
      fail("nothing was thrown");
    } catch (const std::exception& error) {
      go_round(error, text);
    }
  };
  expect_travels([] { throw std::out_of_range(long_text("out of range")); });
  expect_travels([&] { throw std::system_error(code, long_text("system")); });
  expect_travels([&] {
    throw std::filesystem::filesystem_error(long_text("files"), long_text("/a"), long_text("/b"),
                                            code);
  });
  expect_travels([] { throw roam::Error(roam::Errc::bad_option, long_text("of Roam")); });
  expect_travels([] { (void)std::vector<int>().at(1); });
  expect_travels([] { throw std::bad_alloc(); });
}

struct Report : std::runtime_error {
  Report() : std::runtime_error(long_text("report")), lines(3, long_text("line")) {}
  std::vector<std::string> lines;
};

SCENARIO(Exceptions, OneThatHoldsMoreOfTheProcessPins) {
  try {
    roam::SystemHeap process;
    throw Report();
  } catch (const Report& report) {
    expect_pinned({"exception", "memory of the process"});
    expect_eq(report.lines[2], long_text("line"), "a line");
  }
  roam::this_thread::migrate(next_rank());
}

SCENARIO(Exceptions, NestedOnesOutOfASystemHeap) {
  try {
    roam::SystemHeap process;
    try {
      throw std::logic_error(long_text("inner"));
    } catch (...) {
      std::throw_with_nested(std::runtime_error(long_text("outer")));
    }
  } catch (const std::runtime_error& outer) {
    go_round(outer, long_text("outer"));
    try {
      std::rethrow_if_nested(outer);
    } catch (const std::logic_error& inner) {
      go_round(inner, long_text("inner"));
    }
  }
}

// Each rank has its own.
const std::exception_ptr& made_once() {
  static const std::string uneven(static_cast<std::size_t>(roam::rank() * 300 + 1), 'u');
  static const std::exception_ptr made =
      std::make_exception_ptr(std::runtime_error(long_text("made once")));
  return made;
}

SCENARIO(Exceptions, OneOfTheProcessPinsWhoHoldsIt) {
  for (int i = 0; i < 2 * roam::ranks(); ++i) {
    {
      const std::exception_ptr held = made_once();
      expect_pinned({"exception of the process"});
    }
    try {
      std::rethrow_exception(made_once());
    } catch (const std::exception& error) {
      go_round(error, long_text("made once"));
    }
    roam::this_thread::migrate(next_rank());
  }
}

struct Own {
  int n;
  std::vector<int> more = std::vector<int>(50, 5);
};

// It escapes from its thread, and the joiner is elsewhere.
SCENARIO(Exceptions, OneOfTheProcessIsMadeAnewForAJoinerElsewhere) {
  for (int rank = 0; rank < roam::ranks(); ++rank) {
    const auto error = expect_throws<std::runtime_error>(
        [&] { on_rank(rank, [] { std::rethrow_exception(made_once()); }); }, "join");
    expect_eq(std::string(error.what()), long_text("made once"), "text");
    roam::this_thread::migrate(next_rank());
    expect_eq(std::string(error.what()), long_text("made once"), "text");
    roam::this_thread::migrate((roam::rank() + roam::ranks() - 1) % roam::ranks());
  }
}

SCENARIO(Exceptions, OfATypeThatNobodyKnowsTheJoinerLearnsThat) {
  static std::exception_ptr kept;  // of rank 0 and of rank 1
  for (int rank = 0; rank < std::min(2, roam::ranks()); ++rank) {
    const auto body = [] {
      {
        roam::SystemHeap process;
        kept = std::make_exception_ptr(Own{.n = 7});
      }
      std::rethrow_exception(kept);
    };
    if (rank == roam::rank()) {
      try {
        on_rank(rank, body);
      } catch (const Own& own) {
        expect_eq(own.n + own.more[49], 12, "value");
        expect_pinned({"exception of the process"});
      }
    } else {
      expect_error(roam::Errc::thread_ended, {"Own", "memory of rank 1"},
                   [&] { on_rank(rank, body); });
    }
    on_rank(rank, [] { kept = nullptr; });
  }
}

SCENARIO(Exceptions, OneThatCodeOfTheProcessKeepsPins) {
  static std::exception_ptr kept;
  {
    roam::SystemHeap process;
    try {
      throw std::runtime_error(long_text("kept"));
    } catch (...) {
      kept = std::current_exception();
    }
  }
  expect_pinned({"kept while the capture was off"});
  kept = nullptr;
  roam::this_thread::migrate(next_rank());
}

}  // namespace
}  // namespace roam_test
