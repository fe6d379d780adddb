// A Request in other hands than those of the thread that started it: refused while it is not done,
// and nothing is changed; destroyed there, it stops the job with a message.
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"

namespace {

using roam_test::expect_eq;
using roam_test::expect_error;

void use_elsewhere(roam::Errc code, roam::Request& request) {
  expect_error(code, {}, [&] { (void)request.test(); });
  expect_error(code, {}, [&] { (void)request.wait(); });
  expect_error(code, {}, [&] { (void)roam::wait_any(std::span(&request, 1)); });
  expect_eq(static_cast<bool>(request), true, "the request is still there");
}

// Member 0's receive, of what member 1 sends when it has been asked to.
void refuse() {
  const roam::Team team = roam::Team::current();
  if (team.index() == 1) {
    (void)team.recv<int>(0, 1);
    team.barrier();
    team.send(0, 0, 7);
    return;
  }
  int got = 0;
  roam::Request receive = team.irecv(1, 0, got);
  roam::Request barrier = team.ibarrier();
  std::string wrong;
  std::thread([&] {
    try {
      use_elsewhere(roam::Errc::not_in_thread, receive);
      use_elsewhere(roam::Errc::not_in_thread, barrier);
    } catch (const std::exception& e) {
      wrong = e.what();
    }
  }).join();
  expect_eq(wrong, std::string(), "failures in a kernel thread");
  roam::spawn([&] {
    use_elsewhere(roam::Errc::bad_option, receive);
    use_elsewhere(roam::Errc::bad_option, barrier);
  }).join();
  team.send(1, 1, 0);
  (void)barrier.wait();
  (void)receive.wait();
  expect_eq(got, 7, "what came");
}

// What is done can be looked at, and destroyed, by any thread.
void hand_over_when_done() {
  const roam::Team team = roam::Team::current();
  team.send(team.index(), 0, std::string(100, 'x'));
  std::vector<char> got(100);
  roam::Request receive = team.irecv(team.index(), 0, got);
  roam::spawn([&] {
    expect_eq(receive.wait().count, std::size_t{100}, "elements");
    const roam::Request empty = std::move(receive);
  }).join();
  expect_eq(got[99], 'x', "what came");
}

// The member ends and leaves a receive behind: it is over, and says so.
void leave_behind() {
  std::unique_ptr<roam::Request> left;
  std::vector<char> room(10);
  roam::spawn_team(1, [&left, &room] {
    left = std::make_unique<roam::Request>(roam::Team::current().irecv(0, 0, room));
  }).join();
  if (left) expect_error(roam::Errc::thread_ended, {}, [&] { (void)left->wait(); });

  // An alltoall that another member does not take part in, waited for or thrown away.
  for (const bool waits : {true, false}) {
    left.reset();
    const std::vector<int> out(2);
    std::vector<int> in(2);
    roam::spawn_team(2, [&left, &out, &in] {
      const roam::Team team = roam::Team::current();
      if (team.index() == 0) left = std::make_unique<roam::Request>(team.ialltoall(out, in));
    }).join();
    expect_eq(left != nullptr, true, "member 0 is on this rank");
    if (waits) expect_error(roam::Errc::thread_ended, {}, [&] { (void)left->wait(); });
  }
}

void destroy() {
  const roam::Team team = roam::Team::current();
  int got = 0;
  roam::Request receive = team.irecv(1 - team.index(), 0, got);
  roam::spawn([&] { const roam::Request other = std::move(receive); }).join();
}

}  // namespace

int main(int argc, char** argv) {
  const bool destroys = argc > 1 && std::string_view(argv[1]) == "destroy";
  return roam::run(argc, argv, [destroys] {
    if (destroys) {
      roam::spawn_team(2, destroy).join();
      return;
    }
    roam::spawn_team(2, refuse).join();
    roam::spawn_team(2 * roam::ranks(), hand_over_when_done).join();
    leave_behind();
  });
}
