// Ended threads leave their results with who joins them: many, for long, over moves.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

std::string text_of(std::uint64_t seed, std::size_t bytes) {
  std::string s(bytes, ' ');
  for (std::size_t i = 0; i < bytes; ++i) s[i] = static_cast<char>('a' + (seed + i * 7) % 26);
  return s;
}

struct Result {
  std::uint64_t seed;
  std::string* text;
  void verify() const {
    expect(*text == text_of(seed, text->size()), "the text of result " + std::to_string(seed));
  }
};

Result result_of_a_thread(std::uint64_t seed, std::size_t bytes, int rank) {
  Result result{seed, nullptr};
  Result* to = &result;
  roam::spawn(roam::SpawnOptions{.rank = rank}, [=] {
    to->text = new std::string(text_of(seed, bytes));
  }).join();
  return result;
}

SCENARIO(Results, ManyAreKeptAndEachStaysAsItIs) {
  std::vector<Result> results;
  for (std::uint64_t i = 0; i < 3000; ++i)
    results.push_back(result_of_a_thread(i, 20 + i % 200, roam::rank()));
  for (const Result& result : results) result.verify();
  for (int i = 0; i < roam::ranks(); ++i) {
    roam::this_thread::migrate(next_rank());
    for (const Result& result : results) result.verify();
  }
  for (const Result& result : results) delete result.text;
}

SCENARIO(Results, ComeAndGoInAnyOrderWhileTheirHolderMoves) {
  Random random(1);
  std::vector<Result> results;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    if (random.below(5) < 3) {
      results.push_back(result_of_a_thread(i, 10 + random.below(90), roam::rank()));
    } else if (!results.empty()) {
      std::swap(results[random.below(results.size())], results.back());
      results.back().verify();
      delete results.back().text;
      results.pop_back();
    }
    if (random.below(100) == 0) roam::this_thread::migrate(next_rank());
  }
  for (const Result& result : results) {
    result.verify();
    delete result.text;
  }
}

SCENARIO(Results, ArePassedOnByWhoEnds) {
  std::vector<Result> results(60);
  std::vector<Result>* to = &results;
  roam::spawn([to] {
    for (std::size_t i = 0; i < to->size(); ++i) (*to)[i] = result_of_a_thread(i, 50, roam::rank());
  }).join();
  roam::this_thread::migrate(next_rank());
  for (const Result& result : results) {
    result.verify();
    delete result.text;
  }
}

// An object in what an ended thread left belongs to who joined that thread.
SCENARIO(Results, WhatThreadsWaitOnWorksInThem) {
  roam::Mutex* mutex = nullptr;
  roam::Channel<std::string>* channel = nullptr;
  roam::Mutex** to = &mutex;
  roam::Channel<std::string>** channel_to = &channel;
  roam::spawn([=] {
    *to = new roam::Mutex;
    *channel_to = new roam::Channel<std::string>(4);
  }).join();
  for (int i = 0; i < 2 * roam::ranks(); ++i) {
    roam::this_thread::migrate(next_rank());
    int count = 0;
    std::vector<roam::Thread> threads;
    for (int k = 0; k < 3; ++k) {
      threads.push_back(roam::spawn([&count, mutex, channel] {
        mutex->lock();
        roam::this_thread::yield();
        ++count;
        mutex->unlock();
        channel->send(std::string(300, 'm'));
      }));
    }
    for (int k = 0; k < 3; ++k)
      expect(*channel->recv() == std::string(300, 'm'), "what came through the channel");
    for (roam::Thread thread : threads) thread.join();
    expect_eq(count, 3, "threads that had the mutex");
    channel->send(std::string(200, 'k'));
    roam::this_thread::migrate(next_rank());
    expect(*channel->recv() == std::string(200, 'k'), "what moved in the channel");
  }
  delete mutex;
  delete channel;
}

}  // namespace
}  // namespace roam_test
