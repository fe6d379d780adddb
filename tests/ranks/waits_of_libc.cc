// Waits of libc for what another thread does that is on the same rank by then: it comes from the
// next rank while the first one waits, and what it is told by a message tells it where to go.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"

namespace {

using roam_test::expect;
using roam_test::expect_eq;

// Of the rank.
pthread_barrier_t barrier;
pthread_spinlock_t spin;
mtx_t of_c11;
int ends[2], sockets[2];
std::atomic<int> flag = 0;

// `waits` runs here, `gives` in a thread that arrives from the next rank meanwhile.
template <class Waits, class Gives>
void meet(Waits waits, Gives gives) {
  const int here = roam::rank();
  roam::Thread giver = roam::spawn({.rank = (here + 1) % roam::ranks()}, [here, gives] {
    roam::this_thread::migrate(here);
    gives();
  });
  waits();
  expect_eq(roam::rank(), here, "the rank of who waited");
  giver.join();
}

void locks() {
  pthread_barrier_init(&barrier, nullptr, 3);
  std::thread third([] {
    for (int i = 0; i < 10; ++i) pthread_barrier_wait(&barrier);
  });
  const auto round = [] {
    for (int i = 0; i < 10; ++i) pthread_barrier_wait(&barrier);
  };
  meet(round, round);
  third.join();
  expect_eq(pthread_barrier_destroy(&barrier), 0, "the end of the barrier");

  pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
  mtx_init(&of_c11, mtx_plain);
  pthread_spin_lock(&spin);
  mtx_lock(&of_c11);
  flag = 0;
  meet(
      [] {
        while (flag == 0) sched_yield();
        pthread_spin_unlock(&spin);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        mtx_unlock(&of_c11);
      },
      [] {
        flag = 1;
        pthread_spin_lock(&spin);
        mtx_lock(&of_c11);
        mtx_unlock(&of_c11);
        pthread_spin_unlock(&spin);
      });
}

void descriptors() {
  expect_eq(pipe(ends), 0, "the pipe");
  expect_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0, "the sockets");
  char byte = 0;
  meet([&] { expect_eq(read(ends[0], &byte, 1), ssize_t{1}, "bytes read"); },
       [] { expect_eq(write(ends[1], "a", 1), ssize_t{1}, "bytes written"); });
  expect_eq(byte, 'a', "what was read");
  meet(
      [&] {
        pollfd one{ends[0], POLLIN, 0};
        expect_eq(poll(&one, 1, -1), 1, "descriptors that are ready");
        expect_eq(read(ends[0], &byte, 1), ssize_t{1}, "bytes read");
      },
      [] { expect_eq(write(ends[1], "b", 1), ssize_t{1}, "bytes written"); });
  // More than fits: who writes waits for who reads.
  constexpr std::size_t kMany = 1 << 20;
  const auto sum = [](const std::vector<unsigned char>& bytes) {
    unsigned all = 0;
    for (const unsigned char b : bytes) all = all * 31 + b;
    return all;
  };
  std::vector<unsigned char> sent(kMany);
  for (std::size_t i = 0; i < kMany; ++i) sent[i] = static_cast<unsigned char>(i * 7 + i / 251);
  const unsigned want = sum(sent);
  const auto receive = [sum, want](int fd) {
    std::vector<unsigned char> got(kMany);
    for (std::size_t n = 0; n < kMany;) {
      const ssize_t more = read(fd, got.data() + n, kMany - n);
      expect(more > 0, "more comes");
      n += static_cast<std::size_t>(more);
    }
    expect_eq(sum(got), want, "what came");
  };
  for (const bool by_pipe : {true, false}) {
    meet(
        [&] {
          const int fd = by_pipe ? ends[1] : sockets[0];
          expect_eq(write(fd, sent.data(), kMany), static_cast<ssize_t>(kMany), "bytes written");
        },
        [by_pipe, receive] { receive(by_pipe ? ends[0] : sockets[1]); });
  }
  for (const int fd : {ends[0], ends[1], sockets[0], sockets[1]}) close(fd);
}

void children() {
  expect_eq(pipe2(ends, O_CLOEXEC), 0, "the pipe");
  const pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    char byte;
    _exit(read(ends[0], &byte, 1) == 0 ? 7 : 1);
  }
  close(ends[0]);
  meet(
      [child] {
        int status = 0;
        expect_eq(waitpid(child, &status, 0), child, "the child");
        expect_eq(WEXITSTATUS(status), 7, "its status");
      },
      [] { close(ends[1]); });
}

// What is joined waits for a thread of the rank.
void* until_flag(void* value) {
  while (flag == 0) usleep(100);
  return value;
}
int until_flag_c11(void*) {
  until_flag(nullptr);
  return 11;
}

void joins() {
  flag = 0;
  int there = 0;
  pthread_t first, second;
  thrd_t third;
  expect_eq(pthread_create(&first, nullptr, until_flag, &there), 0, "a kernel thread");
  expect_eq(pthread_create(&second, nullptr, until_flag, &there), 0, "a kernel thread");
  expect_eq(thrd_create(&third, until_flag_c11, nullptr), int{thrd_success}, "a kernel thread");
  meet(
      [&] {
        timespec past, later;
        clock_gettime(CLOCK_REALTIME, &past);
        void* value = nullptr;
        expect_eq(pthread_timedjoin_np(first, &value, &past), ETIMEDOUT, "too early");
        const timespec none{0, -1};
        expect_eq(pthread_timedjoin_np(first, &value, &none), EINVAL, "no time");
        clock_gettime(CLOCK_MONOTONIC, &later);
        later.tv_sec += 60;
        expect_eq(pthread_clockjoin_np(first, &value, CLOCK_MONOTONIC, &later), 0, "the first");
        expect(value == &there, "the value of the first");
        expect_eq(pthread_timedjoin_np(second, &value, nullptr), 0, "the second");
        int result = 0;
        expect_eq(thrd_join(third, &result), int{thrd_success}, "the third");
        expect_eq(result, 11, "the result of the third");
      },
      [] {
        usleep(3000);
        flag = 1;
      });
}

}  // namespace

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] {
    std::vector<roam::Thread> threads;
    for (int r = 0; r < roam::ranks(); ++r) {
      threads.push_back(roam::spawn({.rank = r}, [] {
        locks();
        descriptors();
        children();
        joins();
      }));
    }
    for (roam::Thread t : threads) t.join();
  });
}
