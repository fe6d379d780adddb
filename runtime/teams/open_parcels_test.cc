// Long messages that stay where their sender has them, or in a copy. One rank, which sends to
// itself: nothing leaves it, so there is no MPI.
#include "runtime/teams/open_parcels.h"

#include <gtest/gtest.h>

#include <functional>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "base/test_bytes.h"
#include "threads/test_threads.h"

namespace roam::runtime {
namespace {

using detail::Envelope;
using detail::Member;
using detail::Parcel;
using detail::RequestState;

constexpr std::size_t kBytes = 30'000;

class OpenParcelsTest : public testing::Test {
 protected:
  OpenParcelsTest() { store_.start(); }
  ~OpenParcelsTest() override { store_.finish_run(); }

  // A thread of the test that is a member, and waits.
  void run_member(std::function<void()> body) {
    Tcb* t = threads_.spawn([this, body = std::move(body)] {
      residents_.add(member_);
      body();
      residents_.remove(member_);
      threads::scheduler().current()->role = nullptr;
    });
    member_.thread = t;
    member_.waiting = true;
    t->role = &member_;
    threads_.run();
  }
  static Envelope envelope() {
    Envelope e;
    e.team = 7;
    e.from = 1;
    e.to = 2;
    e.bytes = kBytes;
    return e;
  }
  Parcel* send(RequestState* request, std::uint64_t seed) {
    data_.emplace_back(kBytes);
    fill_bytes(data_.back().data(), kBytes, seed);
    return open_.make(envelope(), data_.back().data(), false, request);
  }
  void expect_received(Parcel* parcel, std::uint64_t seed) {
    std::vector<char> room(kBytes);
    RequestState receive;
    receive.data = room.data();
    open_.copy_to(&receive, parcel);
    EXPECT_EQ(first_wrong_byte(room.data(), kBytes, seed), kBytes);
  }

  threads::TestThreads threads_;
  Net net_;
  Locator locator_{net_};
  ParcelStore store_{0};
  Residents residents_;
  OpenParcels open_{net_, locator_, store_, residents_, 2 * detail::Room::bytes_for(kBytes)};
  Member member_;
  std::list<std::vector<char>> data_;
};

TEST_F(OpenParcelsTest, ACopyIsTakenAtOnce) {
  std::vector<char> data(kBytes);
  fill_bytes(data.data(), kBytes, 1);
  Parcel* parcel = open_.make(envelope(), data.data(), true, nullptr);
  data.assign(kBytes, 'x');
  expect_received(parcel, 1);
}

TEST_F(OpenParcelsTest, WhoLeavesGetsCopiesAndIsDone) {
  run_member([&] {
    RequestState first, second;
    Parcel* a = send(&first, 1);
    Parcel* b = send(&second, 2);
    EXPECT_FALSE(first.done || second.done);
    EXPECT_EQ(open_.detach_all(member_), Departure::kGo);
    EXPECT_TRUE(first.done && second.done);
    EXPECT_EQ(member_.sends, nullptr);
    for (std::vector<char>& data : data_) data.assign(kBytes, 'x');
    expect_received(b, 2);
    expect_received(a, 1);
  });
}

TEST_F(OpenParcelsTest, WhoseBytesAreReadWaits) {
  run_member([&] {
    RequestState request;
    Parcel* parcel = send(&request, 1);
    open_.take(parcel);
    EXPECT_EQ(open_.detach_all(member_), Departure::kWait);
    EXPECT_FALSE(request.done);
    parcel->state.store(Parcel::kOffered);
    EXPECT_EQ(open_.detach_all(member_), Departure::kGo);
    open_.refuse(parcel);
  });
}

TEST_F(OpenParcelsTest, WhoWaitsGoesOnWithCopiesUpToABound) {
  run_member([&] {
    RequestState requests[3];
    std::vector<Parcel*> parcels;
    for (std::uint64_t i = 0; i < 3; ++i) parcels.push_back(send(&requests[i], i));
    EXPECT_FALSE(open_.quiet()) << "copies can be made";
    open_.idle(Component::Idle::kSpins);
    EXPECT_FALSE(requests[2].done) << "nothing is copied in a hurry";
    open_.idle(Component::Idle::kLong);
    EXPECT_TRUE(requests[2].done && requests[1].done) << "the last was sent last: it is first";
    EXPECT_FALSE(requests[0].done);
    EXPECT_TRUE(open_.quiet()) << "as many as may be";
    EXPECT_NE(open_.describe_wait(member_.thread).find("as many of copies wait there already"),
              std::string::npos);
    expect_received(parcels[2], 2);
    EXPECT_FALSE(open_.quiet());
    open_.idle(Component::Idle::kLong);
    EXPECT_TRUE(requests[0].done);
    expect_received(parcels[0], 0);
    expect_received(parcels[1], 1);
  });
}

TEST_F(OpenParcelsTest, WhoAsksGetsCopiesOnce) {
  run_member([&] {
    member_.waiting = false;
    RequestState first, second;
    Parcel* a = send(&first, 1);
    open_.idle(Component::Idle::kLong);
    EXPECT_FALSE(first.done) << "nobody asks";
    member_.asks = true;
    EXPECT_TRUE(open_.quiet()) << "it runs, or waits for something else";
    open_.idle(Component::Idle::kLong);
    EXPECT_TRUE(first.done);
    Parcel* b = send(&second, 2);
    open_.idle(Component::Idle::kLong);
    EXPECT_FALSE(second.done) << "it has not asked again";
    expect_received(a, 1);
    expect_received(b, 2);
  });
}

}  // namespace
}  // namespace roam::runtime
