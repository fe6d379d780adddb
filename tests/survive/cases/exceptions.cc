// Exceptions in flight while the thread moves.
#include <cerrno>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
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

// Carries its evidence in the heap.
struct Parcel : std::runtime_error {
  explicit Parcel(std::uint64_t seed)
      : std::runtime_error("parcel " + std::to_string(seed)), contents(5000), seed_(seed) {
    Random rng(seed);
    for (std::uint64_t& x : contents) x = rng.next();
  }
  void verify(std::uint64_t seed) const {
    expect_eq(what(), "parcel " + std::to_string(seed), "what()");
    Random rng(seed_);
    for (std::uint64_t x : contents) expect_eq(x, rng.next(), "contents of the exception");
  }
  std::vector<std::uint64_t> contents;
  std::uint64_t seed_;
};

SURVIVE_CASE(exception_thrown_after_the_move_through_frames_made_before) {
  struct Guard {
    std::vector<int>& log;
    int depth;
    ~Guard() { log.push_back(depth); }
  };
  std::vector<int> log;
  auto descend = [&](auto& self, int depth) -> void {
    Guard guard{log, depth};
    if (depth == 0) {
      move();
      throw Parcel(move.seed());
    }
    self(self, depth - 1);
  };
  const auto parcel = expect_throws<Parcel>([&] { descend(descend, 50); }, "the descent");
  parcel.verify(move.seed());
  expect_eq(log.size(), std::size_t{51}, "destructors that ran");
  for (int i = 0; i <= 50; ++i) expect_eq(log[i], i, "depth of a destructor");
}

SURVIVE_CASE(exception_thrown_before_and_rethrown_after_the_move) {
  bool caught = false;
  try {
    try {
      throw Parcel(move.seed());
    } catch (const std::runtime_error& error) {
      const void* address = &error;
      move();
      dynamic_cast<const Parcel&>(error).verify(move.seed());
      expect_eq(static_cast<const void*>(&error), address, "address of the exception");
      expect(std::current_exception() != nullptr, "there is a current exception");
      throw;
    }
  } catch (const Parcel& parcel) {
    parcel.verify(move.seed());
    move();
    parcel.verify(move.seed());
    caught = true;
  }
  expect(caught, "the exception was caught again");
  expect(std::current_exception() == nullptr, "no exception is current at the end");
}

SURVIVE_CASE(move_in_a_destructor_while_the_stack_unwinds) {
  struct Moves {
    Mover& move;
    std::vector<int>& counts;
    ~Moves() {
      counts.push_back(std::uncaught_exceptions());
      move();
      counts.push_back(std::uncaught_exceptions());
      // A whole exception of its own, inside the unwinding of another and on another rank.
      try {
        throw Parcel(1);
      } catch (const Parcel& parcel) {
        parcel.verify(1);
        counts.push_back(std::uncaught_exceptions());
      }
    }
  };
  std::vector<int> counts;
  bool caught = false;
  try {
    Moves first{move, counts};
    std::string in_between(1000, 'x');
    Moves second{move, counts};
    throw Parcel(move.seed());
  } catch (const Parcel& parcel) {
    parcel.verify(move.seed());
    caught = true;
  }
  expect(caught, "the exception arrived");
  expect_eq(counts.size(), std::size_t{6}, "counts taken");
  for (int count : counts) expect_eq(count, 1, "uncaught_exceptions() in a destructor");
  expect_eq(std::uncaught_exceptions(), 0, "uncaught_exceptions() at the end");
}

SURVIVE_CASE(nested_catches) {
  std::string log;
  try {
    throw Parcel(1);
  } catch (const Parcel& one) {
    move();
    try {
      throw Parcel(2);
    } catch (const Parcel& two) {
      move();
      try {
        try {
          throw 3;
        } catch (int three) {
          move();
          log += std::to_string(three);
          throw;  // rethrows 3, not 1 or 2
        }
      } catch (int three) {
        log += std::to_string(three);
      }
      two.verify(2);
      try {
        std::rethrow_exception(std::current_exception());
      } catch (const Parcel& again) {
        again.verify(2);
        expect(&again == &two, "the current exception in the inner handler is the second");
        move();
      }
    }
    one.verify(1);
    try {
      throw;
    } catch (const Parcel& again) {
      move();
      expect(&again == &one, "the current exception in the outer handler is the first");
    }
  }
  expect_eq(log, "33", "handlers that ran");
  expect(std::current_exception() == nullptr, "no exception is current at the end");
}

SURVIVE_CASE(exception_ptrs_kept_and_rethrown) {
  std::vector<std::exception_ptr> kept;
  for (std::uint64_t i = 0; i < 100; ++i) {
    try {
      throw Parcel(i);
    } catch (...) {
      kept.push_back(std::current_exception());
      if (i == 50) move();
    }
  }
  kept.push_back(std::make_exception_ptr(std::string("made, not thrown")));
  std::exception_ptr shared = kept[7];
  move();
  for (std::uint64_t i = 0; i < 100; ++i) {
    try {
      std::rethrow_exception(kept[i]);
      fail("rethrow_exception returned");
    } catch (const Parcel& parcel) {
      if (i % 25 == 0) move();
      parcel.verify(i);
    }
    kept[i] = nullptr;
  }
  try {
    std::rethrow_exception(kept[100]);
  } catch (const std::string& text) {
    expect_eq(text, "made, not thrown", "what an exception_ptr held");
  }
  kept.clear();
  try {
    std::rethrow_exception(shared);
  } catch (const Parcel& parcel) {
    parcel.verify(7);
  }
}

void unpeel(const std::exception& error, std::vector<std::string>& layers) {
  layers.push_back(error.what());
  try {
    std::rethrow_if_nested(error);
  } catch (const std::exception& inner) {
    unpeel(inner, layers);
  }
}

SURVIVE_CASE(nested_exceptions) {
  auto wrap = [&](auto& self, int depth) -> void {
    try {
      if (depth == 0) throw Parcel(0);
      self(self, depth - 1);
    } catch (...) {
      if (depth % 3 == 0) move();
      std::throw_with_nested(std::runtime_error("layer " + std::to_string(depth)));
    }
  };
  std::vector<std::string> layers;
  try {
    wrap(wrap, 9);
  } catch (const std::exception& error) {
    move();
    unpeel(error, layers);
  }
  expect_eq(layers.size(), std::size_t{11}, "layers");
  for (int i = 0; i < 10; ++i) expect_eq(layers[i], "layer " + std::to_string(9 - i), "a layer");
  expect_eq(layers[10], "parcel 0", "the innermost layer");
}

// What an array of a negative count throws.
#ifdef __clang__
using OfNegativeCount = std::bad_alloc;  // asks operator new[] for SIZE_MAX bytes
#else
using OfNegativeCount = std::bad_array_new_length;
#endif

SURVIVE_CASE(exceptions_of_the_library_after_the_move) {
  std::vector<int> empty;
  std::optional<int> nothing;
  move();
  expect_throws<std::out_of_range>([&] { (void)empty.at(3); }, "vector::at");
  expect_throws<std::bad_optional_access>([&] { (void)nothing.value(); }, "optional::value");
  expect_throws<std::invalid_argument>([&] { (void)std::stoi("x"); }, "stoi");
  expect_throws<std::length_error>([&] { std::string().resize(SIZE_MAX); }, "string::resize");
  expect_throws<OfNegativeCount>(
      [&] {
        volatile long count = -1;
        delete[] hidden(new int[count]);
      },
      "new of a negative count");
  const auto error = expect_throws<std::system_error>(
      [&] { throw std::system_error(ENOENT, std::generic_category(), "opening"); }, "system_error");
  expect(error.code() == std::errc::no_such_file_or_directory, "the code equals its condition");
}

// Each thread of a rank is in a handler of its own while the others run: the handlers' stacks must
// not mix.
SURVIVE_CASE(handlers_of_several_threads_at_once) {
  std::vector<roam::Thread> threads;
  for (std::uint64_t i = 0; i < 20; ++i) {
    threads.push_back(roam::spawn([i, move]() mutable {
      for (int round = 0; round < 5; ++round) {
        try {
          try {
            throw Parcel(i);
          } catch (const Parcel& parcel) {
            roam::this_thread::yield();
            if (round == 2) move();
            parcel.verify(i);
            roam::this_thread::yield();
            throw;
          }
        } catch (const Parcel& parcel) {
          roam::this_thread::yield();
          parcel.verify(i);
        }
      }
    }));
  }
  move();
  for (roam::Thread thread : threads) thread.join();
}

void no_more() noexcept {}

SURVIVE_CASE(exception_leaves_through_noexcept_false_and_function_try_blocks) {
  struct Member {
    explicit Member(Mover& move) {
      move();
      throw Parcel(move.seed());
    }
  };
  struct Whole {
    explicit Whole(Mover& move, bool& cleaned) try : text(100, 'a'), member(move) {
      no_more();
    } catch (const Parcel& parcel) {
      parcel.verify(move.seed());
      cleaned = true;
      move();
      // Rethrown at the end of the handler of a constructor.
    }
    std::string text;
    Member member;
  };
  bool cleaned = false;
  const auto parcel = expect_throws<Parcel>([&] { Whole whole(move, cleaned); }, "the constructor");
  parcel.verify(move.seed());
  expect(cleaned, "the constructor's handler ran");
}

}  // namespace
}  // namespace roam_test
