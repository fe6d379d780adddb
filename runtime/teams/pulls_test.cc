// Bytes of a long message that come from another node: here from the one rank that there is, by
// MPI.
#include "runtime/teams/pulls.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "base/test_bytes.h"
#include "threads/test_threads.h"

namespace roam::runtime {
namespace {

using detail::Envelope;
using detail::Member;
using detail::Parcel;
using detail::RequestState;

constexpr std::size_t kBytes = 200'000;

class PullsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    net().mpi().start(nullptr, nullptr);
    net().mpi().open_channel(1000);
  }
  static void TearDownTestSuite() {
    net().mpi().close_channel();
    net().mpi().finish();
  }
  static Net& net() {
    static Net* const one = new Net;
    return *one;
  }
  PullsTest() { store_.start(); }
  ~PullsTest() override { store_.finish_run(); }

  // A member's thread, in whose memory a parcel is that the bytes of a far one come into.
  void pull(Tcb* t) {
    t->role = &member_;
    member_.thread = t;
    Envelope e;
    e.bytes = kBytes;
    inside_ = new (t->heap.allocate(sizeof(Parcel) + kBytes)) Parcel;
    inside_->envelope = e;
    inside_->data = inside_->inside();
    request_.kind = RequestState::Kind::kReceive;
    request_.data = inside_->inside();
    request_.bytes = kBytes;
    pulls_.start(t, &request_, store_.try_far(e, nullptr), inside_);
  }
  void send_bytes() {
    std::vector<char> data(kBytes);
    fill_bytes(data.data(), kBytes, 3);
    const auto bulk = net().mpi().start_bulk(Mpi::Channel::kLetters);
    bulk->send(0, 1, data.data(), kBytes);
    while (!request_.done) {
      pulls_.poll();
      bulk->done();
    }
    while (!bulk->done()) {
    }
  }

  threads::TestThreads threads_;
  Locator locator_{net()};
  ParcelStore store_{0};
  Residents residents_;
  OpenParcels open_{net(), locator_, store_, residents_, 0};
  Pulls pulls_{net(), store_, open_};
  Member member_;
  RequestState request_;
  Parcel* inside_ = nullptr;
};

// The sender takes it back while its bytes come: nobody else gets its memory before they are there.
TEST_F(PullsTest, AnUnwantedMessageIsGivenBackWhenItsBytesHaveCome) {
  threads_.spawn([this] {
    Tcb* self = threads::scheduler().current();
    pull(self);
    EXPECT_TRUE(pulls_.hand_on_when_done(inside_, nullptr));
    void* other = self->heap.allocate(sizeof(Parcel) + kBytes);
    EXPECT_NE(other, static_cast<void*>(inside_));
    std::memset(other, 'o', sizeof(Parcel) + kBytes);
    send_bytes();
    EXPECT_EQ(member_.pulls, 0);
    self->heap.collect();
    void* again = self->heap.allocate(sizeof(Parcel) + kBytes);
    EXPECT_EQ(again, static_cast<void*>(inside_));
    self->role = nullptr;
  });
  threads_.run();
}

// A checkpoint is refused while bytes come into a message, and the member receives that at once.
TEST_F(PullsTest, AMessageThatIsReceivedWhileItsBytesComeIsGivenOnWhenTheyHaveCome) {
  threads_.spawn([this] {
    Tcb* self = threads::scheduler().current();
    pull(self);
    std::vector<char> room(kBytes, 'o');
    RequestState next;
    next.kind = RequestState::Kind::kReceive;
    next.data = room.data();
    next.bytes = kBytes;
    EXPECT_TRUE(pulls_.hand_on_when_done(inside_, &next));
    EXPECT_FALSE(next.done);
    send_bytes();
    EXPECT_TRUE(next.done);
    EXPECT_EQ(next.bytes, kBytes);
    EXPECT_EQ(first_wrong_byte(room.data(), kBytes, 3), kBytes);
    self->heap.collect();
    void* again = self->heap.allocate(sizeof(Parcel) + kBytes);
    EXPECT_EQ(again, static_cast<void*>(inside_));
    self->role = nullptr;
  });
  threads_.run();
}

TEST_F(PullsTest, AMessageWhoseBytesHaveComeIsAnybodysToGiveBack) {
  threads_.spawn([this] {
    Tcb* self = threads::scheduler().current();
    pull(self);
    send_bytes();
    EXPECT_EQ(first_wrong_byte(inside_->inside(), kBytes, 3), kBytes);
    EXPECT_FALSE(pulls_.hand_on_when_done(inside_, nullptr));
    store_.free_parcel(inside_);
    self->role = nullptr;
  });
  threads_.run();
}

}  // namespace
}  // namespace roam::runtime
