#include "runtime/teams/mailbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace roam::detail {
namespace {

// Notes what becomes of messages, in order.
class Notes final : public Mailbox::Receiver {
 public:
  void matched(RequestState* request, Parcel* parcel) override {
    request->done = true;
    taken[request] = parcel;
    order.push_back(parcel);
  }
  void answered(RequestState* request) override { request->done = true; }
  void served(Parcel* parcel) override { order.push_back(parcel); }
  std::map<RequestState*, Parcel*> taken;
  std::vector<Parcel*> order;
};

class MailboxTest : public testing::Test {
 protected:
  Parcel* parcel(int from, int tag, std::uint32_t sequence, std::uint64_t bytes = 8) {
    parcels_.push_back(std::make_unique<Parcel>());
    Envelope& e = parcels_.back()->envelope;
    e.from = from;
    e.tag = tag;
    e.sequence = sequence;
    e.bytes = bytes;
    return parcels_.back().get();
  }
  RequestState* receive(int from, int tag, std::size_t room = 1 << 20) {
    requests_.push_back(std::make_unique<RequestState>());
    RequestState* r = requests_.back().get();
    r->kind = RequestState::Kind::kReceive;
    r->from = from;
    r->tag = tag;
    r->bytes = r->room = room;
    return r;
  }
  Mailbox box_;
  Notes notes_;
  std::deque<std::unique_ptr<Parcel>> parcels_;
  std::deque<std::unique_ptr<RequestState>> requests_;
};

TEST_F(MailboxTest, HasMessagesServedInOrderAndNotReceived) {
  Parcel* parcels[] = {parcel(3, kServedTag, 0), parcel(3, kAny + 2, 1), parcel(3, kServedTag, 2)};
  RequestState* any = receive(kAny, kAny);
  box_.post(any);
  box_.accept(parcels[2], notes_);
  EXPECT_TRUE(notes_.order.empty());
  EXPECT_FALSE(box_.begin_serving(parcels[2]->envelope));
  box_.accept(parcels[0], notes_);
  EXPECT_EQ(notes_.order, std::vector<Parcel*>{parcels[0]});
  box_.accept(parcels[1], notes_);
  EXPECT_EQ(notes_.order, std::vector<Parcel*>(parcels, parcels + 3));
  EXPECT_EQ(notes_.taken[any], parcels[1]);
  EXPECT_EQ(box_.counts().come, 0u);
  EXPECT_TRUE(box_.begin_serving(parcel(3, kServedTag, 3)->envelope));
  EXPECT_EQ(box_.find(0, kAny, kServedTag), nullptr);
}

TEST_F(MailboxTest, FindsAMessageByItsNumberUntilItIsTakenOrClaimed) {
  Parcel* parcels[] = {parcel(3, 1, 0), parcel(4, 1, 0), parcel(3, 1, 1), parcel(3, 1, 3)};
  for (Parcel* p : parcels) box_.accept(p, notes_);
  EXPECT_EQ(box_.find_sent(0, 3, 1), parcels[2]);
  EXPECT_EQ(box_.find_sent(0, 4, 0), parcels[1]);
  EXPECT_EQ(box_.find_sent(0, 4, 1), nullptr);
  EXPECT_EQ(box_.find_sent(0, 5, 0), nullptr);
  EXPECT_EQ(box_.find_sent(0, 3, 3), nullptr);  // before its turn
  EXPECT_EQ(box_.find_sent(7, 3, 1), nullptr);
  parcels[2]->envelope.context = 7;
  EXPECT_EQ(box_.find_sent(0, 3, 1), nullptr);
  box_.remove(parcels[0]);
  EXPECT_EQ(box_.find_sent(0, 3, 0), nullptr);
}

TEST_F(MailboxTest, HandsEarlyMessagesOnWhenTheirTurnHasCome) {
  Parcel* second = parcel(3, 1, 1);
  Parcel* first = parcel(3, 1, 0);
  RequestState* a = receive(3, 1);
  RequestState* b = receive(kAny, kAny);
  box_.post(a);
  box_.post(b);
  box_.accept(second, notes_);
  EXPECT_FALSE(a->done || b->done);
  EXPECT_EQ(box_.counts().early, 1u);
  box_.accept(first, notes_);
  EXPECT_EQ(notes_.taken[a], first);
  EXPECT_EQ(notes_.taken[b], second);
}

TEST_F(MailboxTest, NumbersMayWrapAround) {
  box_.peer(1).next_in = 0xffffffff;
  Parcel* after = parcel(1, 0, 0);
  Parcel* before = parcel(1, 0, 0xffffffff);
  box_.accept(after, notes_);
  EXPECT_EQ(box_.find(0, 1, 0), nullptr);
  box_.accept(before, notes_);
  EXPECT_EQ(box_.find(0, 1, 0), before);
  box_.remove(before);
  EXPECT_EQ(box_.find(0, kAny, kAny), after);
}

TEST_F(MailboxTest, AMessageThatDoesNotFitStaysForTheNextReceive) {
  RequestState* small = receive(0, 0, 4);
  RequestState* large = receive(0, 0, 8);
  box_.post(small);
  box_.post(large);
  Parcel* p = parcel(0, 0, 0, 8);
  EXPECT_EQ(box_.take(p->envelope), nullptr);
  box_.accept(p, notes_);
  EXPECT_TRUE(small->done);
  EXPECT_EQ(small->error, Errc::message_too_long);
  EXPECT_EQ(notes_.taken[large], p);
}

TEST_F(MailboxTest, AReceiveThatTakesLongerOnesEndsWithOneThatDoesNotFit) {
  RequestState* small = receive(0, 0, 4);
  small->takes_longer = true;
  box_.post(small);
  Parcel* p = parcel(0, 0, 0, 8);
  EXPECT_EQ(box_.take(p->envelope), nullptr);  // its bytes have no room
  box_.accept(p, notes_);
  EXPECT_EQ(notes_.taken[small], p);
}

TEST_F(MailboxTest, MessagesOfOneContextAreNotTakenInAnother) {
  Parcel* mine = parcel(1, 0, 1);
  mine->envelope.context = 7;
  mine->envelope.note = 3;
  Parcel* others = parcel(1, 0, 0);
  RequestState* r = receive(kAny, kAny);
  r->context = 7;
  box_.post(r);
  EXPECT_EQ(box_.take(others->envelope), nullptr);
  box_.accept(others, notes_);
  EXPECT_EQ(box_.find(7, 1, 0), nullptr);
  EXPECT_EQ(box_.find(0, kAny, kAny), others);
  EXPECT_EQ(box_.take(mine->envelope), r);
  r->got(mine->envelope);
  EXPECT_EQ(r->note, 3u);
  EXPECT_EQ(r->sequence, 1u);
}

TEST_F(MailboxTest, AProbeSeesAMessageAndLeavesIt) {
  RequestState* probe = receive(kAny, 5);
  probe->kind = RequestState::Kind::kProbe;
  box_.post(probe);
  box_.accept(parcel(2, 4, 0), notes_);
  EXPECT_FALSE(probe->done);
  Parcel* p = parcel(2, 5, 1, 77);
  box_.accept(p, notes_);
  EXPECT_TRUE(probe->done);
  EXPECT_EQ(probe->from, 2);
  EXPECT_EQ(probe->bytes, 77u);
  EXPECT_EQ(box_.find(0, 2, 5), p);
}

TEST_F(MailboxTest, KAnyDoesNotMatchTheRuntimesOwnTags) {
  box_.accept(parcel(2, -7, 0), notes_);
  EXPECT_EQ(box_.find(0, kAny, kAny), nullptr);
  EXPECT_NE(box_.find(0, 2, -7), nullptr);
}

TEST_F(MailboxTest, ACancelledReceiveTakesNothing) {
  RequestState* a = receive(0, 0);
  RequestState* b = receive(0, 0);
  box_.post(a);
  box_.post(b);
  EXPECT_TRUE(box_.cancel(b));
  EXPECT_FALSE(box_.cancel(b));
  RequestState* c = receive(0, 0);
  box_.post(c);
  Parcel* first = parcel(0, 0, 0);
  Parcel* second = parcel(0, 0, 1);
  box_.accept(first, notes_);
  box_.accept(second, notes_);
  EXPECT_EQ(notes_.taken[a], first);
  EXPECT_EQ(notes_.taken[c], second);
  EXPECT_EQ(notes_.taken.count(b), 0u);
}

// A network that delays and reorders as it likes: whatever the order of arrival, and whenever
// receives are posted, every message is taken once, those of one sender and tag in the order in
// which they were sent, and receives that match the same message in the order in which they were
// posted.
TEST_F(MailboxTest, KeepsOrderWhateverTheNetworkDoes) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::uint64_t random = seed * 0x9e3779b97f4a7c15;
    const auto below = [&](std::uint64_t limit) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      return random % limit;
    };
    Mailbox box;
    Notes notes;
    std::vector<Parcel*> network;
    constexpr int kSenders = 4, kEach = 25;
    for (int from = 0; from < kSenders; ++from) {
      for (std::uint32_t k = 0; k < kEach; ++k)
        network.push_back(parcel(from, static_cast<int>(below(3)), k));
    }
    for (std::size_t i = network.size(); i > 1; --i) std::swap(network[i - 1], network[below(i)]);
    std::vector<RequestState*> posted;
    while (!network.empty() || notes.order.size() < kSenders * kEach) {
      if (!network.empty() && below(2) == 0) {
        Parcel* p = network.back();
        network.pop_back();
        if (RequestState* r = box.take(p->envelope); r != nullptr) {
          notes.matched(r, p);
          box.catch_up(p->envelope.from, notes);
        } else {
          box.accept(p, notes);
        }
        continue;
      }
      if (posted.size() == kSenders * kEach) continue;
      // At the end whatever is left must be takeable by any.
      const bool any = below(3) == 0 || network.empty();
      RequestState* r =
          any ? receive(kAny, kAny)
              : receive(static_cast<int>(below(kSenders)), static_cast<int>(below(3)));
      if (Parcel* p = box.find(0, r->from, r->tag); p != nullptr) {
        box.remove(p);
        notes.matched(r, p);
      } else if (any) {
        box.post(r);
        posted.push_back(r);
      }
      if (network.empty() && posted.size() > kSenders * kEach) break;
    }
    ASSERT_EQ(notes.order.size(), static_cast<std::size_t>(kSenders * kEach));
    std::map<std::pair<int, int>, std::int64_t> last;
    for (const Parcel* p : notes.order) {
      const auto key = std::pair{p->envelope.from, p->envelope.tag};
      const auto it = last.find(key);
      if (it != last.end()) {
        EXPECT_LT(it->second, p->envelope.sequence);
      }
      last[key] = p->envelope.sequence;
    }
    const std::size_t different = std::set<Parcel*>(notes.order.begin(), notes.order.end()).size();
    EXPECT_EQ(different, notes.order.size());
  }
}

}  // namespace
}  // namespace roam::detail
