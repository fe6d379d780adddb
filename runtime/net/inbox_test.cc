#include "runtime/net/inbox.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "runtime/net/card_sender.h"

namespace roam::runtime {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

// As CardSender does it, without the arena.
class InboxTest : public testing::Test {
 protected:
  static constexpr int kSenders = 3;
  static constexpr int kEach = Inbox::cards_of_each(kSenders);

  InboxTest() { inbox_.set_senders(kSenders); }
  bool leave(int sender, const std::string& text) {
    std::uint32_t& sent = sent_[sender];
    if (sent - inbox_.taken_of(sender) == kEach) return false;
    Card& card = inbox_.card_of(sender, sent, kEach);
    std::memcpy(card.data, text.data(), text.size());
    card.bytes = static_cast<std::uint32_t>(text.size());
    card.from = 100 + sender;
    inbox_.leave(card, sent++);
    return true;
  }
  std::string take() {
    std::string all;
    inbox_.take_cards([&](const Card& card) {
      all += std::string(card.data, card.bytes) + " of " + std::to_string(card.from) + "; ";
    });
    return all;
  }

  Inbox inbox_{};
  std::uint32_t sent_[kSenders] = {};
};

TEST_F(InboxTest, CardsAreTakenOnceInTheOrderOfTheirSender) {
  EXPECT_EQ(take(), "");
  EXPECT_TRUE(inbox_.empty());
  ASSERT_TRUE(leave(2, "a"));
  ASSERT_TRUE(leave(0, "b"));
  ASSERT_TRUE(leave(2, "c"));
  EXPECT_TRUE(inbox_.has_mail());
  EXPECT_FALSE(inbox_.empty());
  EXPECT_EQ(take(), "b of 100; a of 102; c of 102; ");
  EXPECT_EQ(take(), "");
  EXPECT_TRUE(inbox_.empty());
  const std::string longest(Card::kMostBytes, 'x');
  ASSERT_TRUE(leave(1, longest));
  EXPECT_EQ(take(), longest + " of 101; ");
}

TEST_F(InboxTest, EachSenderHasAsManyPlacesAsThereIsRoomFor) {
  for (int i = 0; i < kEach; ++i) ASSERT_TRUE(leave(1, "x")) << i;
  EXPECT_FALSE(leave(1, "one too many"));
  EXPECT_TRUE(leave(2, "of another"));
  take();
  EXPECT_TRUE(leave(1, "again"));
  for (int ranks = 1; ranks <= 240; ++ranks)
    EXPECT_LE(ranks * Inbox::cards_of_each(ranks), Inbox::kCards) << ranks;
  EXPECT_EQ(Inbox::cards_of_each(1), 8);
  EXPECT_EQ(Inbox::cards_of_each(4), 4);
  EXPECT_EQ(Inbox::cards_of_each(24), 1);
  EXPECT_EQ(Inbox::cards_of_each(25), 0);
}

TEST_F(InboxTest, NumbersOfCardsMayRunOver) {
  for (std::uint32_t& sent : sent_) sent = 0;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(leave(i % kSenders, std::to_string(i)));
    ASSERT_EQ(take(), std::to_string(i) + " of " + std::to_string(100 + i % kSenders) + "; ");
  }
}

TEST_F(InboxTest, ACardEndsTheOwnersSleep) {
  std::thread sender([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(leave(1, "wake"));
  });
  std::string got;
  const auto begin = steady_clock::now();
  while (got.empty()) {
    inbox_.sleep(60'000'000'000, [] { return false; });
    got = take();
  }
  EXPECT_EQ(got, "wake of 101; ");
  sender.join();
  // One that lies there already keeps it awake.
  ASSERT_TRUE(leave(2, "there"));
  inbox_.sleep(60'000'000'000, [] { return false; });
  EXPECT_LT(steady_clock::now() - begin, seconds(30));
}

// Some as cards, the rest as mail: all of it comes once, and whole.
TEST_F(InboxTest, WhatSeveralSendComesOnceAndWhole) {
  constexpr int kNumbers = 20'000;
  struct Number : Mail {
    int number = 0;
  };
  std::vector<std::vector<Number>> mail(kSenders, std::vector<Number>(kNumbers));
  const auto text_of = [](int number) {
    return std::to_string(number) +
           std::string(Card::kMostBytes - 8, static_cast<char>('a' + number % 26));
  };
  std::vector<std::thread> senders;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back([&, s] {
      for (int i = 0; i < kNumbers; ++i) {
        if (i % 3 != 0 && leave(s, text_of(s * kNumbers + i))) continue;
        Number& number = mail[static_cast<std::size_t>(s)][static_cast<std::size_t>(i)];
        number.number = s * kNumbers + i;
        inbox_.push(&number);
      }
    });
  }
  std::vector<int> came(kSenders * kNumbers);
  int cards = 0, torn = 0;
  for (int left = kSenders * kNumbers; left > 0;) {
    inbox_.take_cards([&](const Card& card) {
      const std::string text(card.data, card.bytes);
      const int number = std::stoi(text);
      torn += text != text_of(number) || card.from != 100 + number / kNumbers;
      ++came[static_cast<std::size_t>(number)];
      ++cards;
      --left;
    });
    for (Mail* one = inbox_.take_mail(); one != nullptr; one = one->next) {
      ++came[static_cast<std::size_t>(static_cast<Number*>(one)->number)];
      --left;
    }
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_GT(cards, 0);
  EXPECT_EQ(torn, 0);
  EXPECT_TRUE(inbox_.empty());
  EXPECT_EQ(came, std::vector<int>(kSenders * kNumbers, 1));
}

}  // namespace
}  // namespace roam::runtime
