#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "threads/test_threads.h"

namespace roam::threads {
namespace {

struct Pair {
  int a = -1, b = -1;
  ~Pair() {
    close(a);
    close(b);
  }
};
struct Pipe : Pair {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    a = ends[0];
    b = ends[1];
  }
};
struct Sockets : Pair {
  explicit Sockets(int type = SOCK_STREAM) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, type, 0, ends), 0);
    a = ends[0];
    b = ends[1];
  }
};

// `waits` returns after `gives`, which another thread does later.
void expect_waits(const std::function<void()>& waits, const std::function<void()>& gives) {
  TestThreads threads;
  bool given = false;
  Tcb* first = threads.spawn([&] {
    waits();
    EXPECT_TRUE(given);
  });
  threads.spawn([&] {
    for (int i = 0; i < 10; ++i) yield();
    for (int i = 0; i < 3; ++i) scheduler().sleep_until(now_ns() + 200'000);
    EXPECT_FALSE(Scheduler::may_move(first)) << "it stays where its descriptor is";
    given = true;
    gives();
  });
  threads.run();
}

void put(int fd, char byte = 'x') { EXPECT_EQ(write(fd, &byte, 1), 1); }

TEST(DescriptorCalls, WaitsForOneOfManyLetOthersRun) {
  const Pipe p;
  const std::function<void()> give = [&] { put(p.b); };
  const auto take = [&] {
    char byte;
    EXPECT_EQ(read(p.a, &byte, 1), 1);
  };
  for (const int timeout : {-1, 60'000}) {
    expect_waits(
        [&] {
          pollfd one{p.a, POLLIN, 0};
          EXPECT_EQ(poll(&one, 1, timeout), 1);
          EXPECT_EQ(one.revents, POLLIN);
          take();
        },
        give);
  }
  expect_waits(
      [&] {
        pollfd one{p.a, POLLIN, 0};
        sigset_t mask;
        sigemptyset(&mask);
        const timespec minute{60, 0};
        EXPECT_EQ(ppoll(&one, 1, &minute, &mask), 1);
        take();
      },
      give);
  for (const bool with_mask : {false, true}) {
    expect_waits(
        [&] {
          fd_set in, out;
          FD_ZERO(&in);
          FD_SET(p.a, &in);
          FD_ZERO(&out);
          timeval minute{60, 0};
          const timespec minute_ns{60, 0};
          EXPECT_EQ(with_mask ? pselect(p.a + 1, &in, &out, nullptr, &minute_ns, nullptr)
                              : select(p.a + 1, &in, &out, nullptr, &minute),
                    1);
          EXPECT_TRUE(FD_ISSET(p.a, &in));
          EXPECT_TRUE(with_mask || minute.tv_sec < 60);
          take();
        },
        give);
  }
  const int epoll = epoll_create1(0);
  epoll_event event{.events = EPOLLIN, .data = {.fd = p.a}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, p.a, &event);
  expect_waits(
      [&] {
        epoll_event got{};
        EXPECT_EQ(epoll_wait(epoll, &got, 1, -1), 1);
        EXPECT_EQ(got.data.fd, p.a);
        take();
      },
      give);
  expect_waits(
      [&] {
        epoll_event got{};
        EXPECT_EQ(epoll_pwait(epoll, &got, 1, 60'000, nullptr), 1);
        take();
      },
      give);
  close(epoll);
}

TEST(DescriptorCalls, ATimeThatIsOverAndNoTimeAreTold) {
  TestThreads threads;
  const Pipe p;
  bool flag = false;
  threads.spawn([&] {
    pollfd one{p.a, POLLIN, 0};
    EXPECT_EQ(poll(&one, 1, 2), 0);
    EXPECT_EQ(poll(nullptr, 0, 2), 0);
    EXPECT_EQ(poll(&one, 1, 0), 0);
    fd_set in;
    FD_ZERO(&in);
    FD_SET(p.a, &in);
    timeval short_time{0, 2000};
    EXPECT_EQ(select(p.a + 1, &in, nullptr, nullptr, &short_time), 0);
    EXPECT_FALSE(FD_ISSET(p.a, &in));
    EXPECT_EQ(short_time.tv_usec, 0);
    const timespec bad{0, -1};
    EXPECT_EQ(ppoll(&one, 1, &bad, nullptr), -1);
    EXPECT_EQ(errno, EINVAL);
    // Asked in a loop, it lets others run.
    while (!flag) EXPECT_EQ(poll(&one, 1, 0), 0);
  });
  threads.spawn([&] { flag = true; });
  threads.run();
}

TEST(DescriptorCalls, ReadsOfAnEmptyPipeLetOthersRun) {
  const Pipe p;
  char bytes[8] = "";
  expect_waits([&] { EXPECT_EQ(read(p.a, bytes, sizeof bytes), 1); }, [&] { put(p.b, 'r'); });
  EXPECT_EQ(bytes[0], 'r');
  const iovec parts[] = {{bytes, 1}, {bytes + 1, 1}};
  expect_waits([&] { EXPECT_EQ(readv(p.a, parts, 2), 1); }, [&] { put(p.b, 'v'); });
  EXPECT_EQ(bytes[0], 'v');
  // libstdc++ reads by these.
  const std::string path = "/proc/self/fd/" + std::to_string(p.a);
  expect_waits(
      [&] {
        std::ifstream in(path);
        std::string line;
        EXPECT_TRUE(std::getline(in, line));
        EXPECT_EQ(line, "a line");
      },
      [&] { EXPECT_EQ(write(p.b, "a line\n", 7), 7); });
  // The end of what is written.
  expect_waits([&] { EXPECT_EQ(read(p.a, bytes, sizeof bytes), 0); },
               [&] {
                 const int null = open("/dev/null", O_WRONLY);
                 dup2(null, p.b);
                 close(null);
               });
}

TEST(DescriptorCalls, CountersAndTimersLetOthersRun) {
  const int counter = eventfd(0, 0);
  expect_waits(
      [&] {
        eventfd_t value = 0;
        EXPECT_EQ(eventfd_read(counter, &value), 0);
        EXPECT_EQ(value, 3u);
      },
      [&] { EXPECT_EQ(eventfd_write(counter, 3), 0); });
  expect_waits(
      [&] {
        EXPECT_EQ(eventfd_write(counter, ~eventfd_t{1}), 0);
        EXPECT_EQ(eventfd_write(counter, 1), 0) << "once there is room";
      },
      [&] {
        eventfd_t value;
        EXPECT_EQ(eventfd_read(counter, &value), 0);
      });
  close(counter);
  const int timer = timerfd_create(CLOCK_MONOTONIC, 0);
  const itimerspec soon{{}, {0, 5'000'000}};
  expect_waits(
      [&] {
        std::uint64_t times = 0;
        EXPECT_EQ(read(timer, &times, sizeof times), 8);
        EXPECT_EQ(times, 1u);
      },
      [&] { EXPECT_EQ(timerfd_settime(timer, 0, &soon, nullptr), 0); });
  close(timer);
}

TEST(DescriptorCalls, FilesAndWhatFailsReturnAtOnce) {
  TestThreads threads;
  const Pipe p;
  threads.spawn([&] {
    char bytes[16];
    FILE* file = tmpfile();
    const int fd = fileno(file);
    EXPECT_EQ(write(fd, "some bytes", 10), 10);
    EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
    EXPECT_EQ(read(fd, bytes, sizeof bytes), 10);
    EXPECT_EQ(read(fd, bytes, sizeof bytes), 0);
    fclose(file);
    EXPECT_EQ(read(p.a, bytes, 0), 0);
    EXPECT_EQ(read(-1, bytes, 1), -1);
    EXPECT_EQ(errno, EBADF);
    EXPECT_EQ(read(p.b, bytes, 1), -1) << "the end to write to";
    EXPECT_EQ(errno, EBADF);
    EXPECT_EQ(recv(p.a, bytes, 1, 0), -1);
    EXPECT_EQ(errno, ENOTSOCK);
    const int listening = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(accept(listening, nullptr, nullptr), -1);
    EXPECT_EQ(errno, EINVAL);
    close(listening);
  });
  threads.run();
}

TEST(DescriptorCalls, WhatIsOpenWithoutWaitingSaysSoAndLetsOthersRun) {
  TestThreads threads;
  const Pipe p;
  fcntl(p.a, F_SETFL, O_NONBLOCK);
  const Sockets s;
  threads.spawn([&] {
    char byte;
    while (read(p.a, &byte, 1) < 0) EXPECT_EQ(errno, EAGAIN);
    while (recv(s.a, &byte, 1, MSG_DONTWAIT) < 0) EXPECT_EQ(errno, EAGAIN);
    const timeval short_time{0, 2000};
    setsockopt(s.a, SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof short_time);
    EXPECT_EQ(recv(s.a, &byte, 1, 0), -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(read(s.a, &byte, 1), -1);
    EXPECT_EQ(errno, EAGAIN);
  });
  threads.spawn([&] {
    put(p.b);
    yield();
    put(s.b);
  });
  threads.run();
}

std::vector<unsigned char> some_bytes(std::size_t count) {
  std::vector<unsigned char> bytes(count);
  std::uint32_t x = 12345;
  for (unsigned char& b : bytes)
    b = static_cast<unsigned char>((x = x * 1664525 + 1013904223) >> 24);
  return bytes;
}

// More than fits is sent from one thread to another of the rank.
void expect_stream(int from, int to,
                   const std::function<ssize_t(int, const void*, std::size_t)>& send,
                   const std::function<ssize_t(int, void*, std::size_t)>& receive) {
  TestThreads threads;
  const auto sent = some_bytes(1 << 20);
  std::vector<unsigned char> got(sent.size());
  threads.spawn(
      [&] { EXPECT_EQ(send(from, sent.data(), sent.size()), static_cast<ssize_t>(sent.size())); });
  threads.spawn([&] {
    std::size_t done = 0;
    while (done < got.size()) {
      const ssize_t n =
          receive(to, got.data() + done, std::min<std::size_t>(10'000, got.size() - done));
      ASSERT_GT(n, 0);
      done += static_cast<std::size_t>(n);
    }
  });
  threads.run();
  EXPECT_EQ(got, sent);
}

ssize_t write_in_three(int fd, const void* data, std::size_t bytes) {
  char* at = const_cast<char*>(static_cast<const char*>(data));
  const iovec parts[] = {
      {at, 5}, {at + 5, 0}, {at + 5, bytes / 2}, {at + 5 + bytes / 2, bytes / 2 - 5}};
  return writev(fd, parts, 4);
}

TEST(DescriptorCalls, WhatDoesNotFitAPipeOrSocketWaitsForRoom) {
  {
    const Pipe p;
    expect_stream(p.b, p.a, write, read);
    expect_stream(p.b, p.a, write_in_three, read);
  }
  const Sockets s;
  expect_stream(s.a, s.b, write, read);
  expect_stream(s.a, s.b, write_in_three, read);
  const auto send_plainly = [](int fd, const void* data, std::size_t n) {
    return send(fd, data, n, 0);
  };
  const auto receive_plainly = [](int fd, void* data, std::size_t n) {
    return recv(fd, data, n, 0);
  };
  const auto receive_all = [](int fd, void* data, std::size_t n) {
    const ssize_t got = recv(fd, data, n, MSG_WAITALL);
    EXPECT_EQ(got, static_cast<ssize_t>(n));
    return got;
  };
  expect_stream(s.a, s.b, send_plainly, receive_plainly);
  expect_stream(s.a, s.b, send_plainly, receive_all);
  expect_stream(
      s.a, s.b,
      [](int fd, const void* data, std::size_t n) {
        iovec part{const_cast<void*>(data), n};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        return sendmsg(fd, &message, 0);
      },
      [](int fd, void* data, std::size_t n) {
        iovec part{data, n};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        return recvmsg(fd, &message, 0);
      });
}

TEST(DescriptorCalls, APipeWithoutReaderFailsAndOneThatDoesNotWaitTakesAPart) {
  TestThreads threads;
  signal(SIGPIPE, SIG_IGN);
  threads.spawn([] {
    const auto bytes = some_bytes(1 << 20);
    const Pipe p;
    fcntl(p.b, F_SETFL, O_NONBLOCK);
    EXPECT_EQ(write(p.b, bytes.data(), bytes.size()), 65'536);
    EXPECT_EQ(write(p.b, bytes.data(), 1), -1);
    EXPECT_EQ(errno, EAGAIN);
    close(p.a);
    EXPECT_EQ(write(p.b, bytes.data(), bytes.size()), -1);
    EXPECT_EQ(errno, EPIPE);
  });
  threads.run();
}

TEST(DescriptorCalls, DatagramsKeepTheirBounds) {
  const Sockets s(SOCK_DGRAM);
  expect_waits(
      [&] {
        char bytes[8];
        EXPECT_EQ(recvfrom(s.a, bytes, sizeof bytes, 0, nullptr, nullptr), 3);
        EXPECT_EQ(recv(s.a, bytes, sizeof bytes, MSG_WAITALL), 2);
      },
      [&] {
        EXPECT_EQ(sendto(s.b, "abc", 3, 0, nullptr, 0), 3);
        EXPECT_EQ(send(s.b, "de", 2, 0), 2);
      });
}

TEST(DescriptorCalls, ConnectionsAreWaitedForAndMade) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "roam-test-%d", getpid());
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  const int listening = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(listening, address, sizeof name), 0);
  ASSERT_EQ(listen(listening, 0), 0);
  TestThreads threads;
  // More want to connect than may wait.
  constexpr int kMany = 4;
  int answered = 0;
  for (int i = 0; i < kMany; ++i) {
    threads.spawn([&] {
      const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
      EXPECT_EQ(connect(fd, address, sizeof name), 0);
      EXPECT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
      char byte = 'q';
      EXPECT_EQ(send(fd, &byte, 1, 0), 1);
      EXPECT_EQ(recv(fd, &byte, 1, 0), 1);
      EXPECT_EQ(byte, 'r');
      ++answered;
      close(fd);
    });
  }
  threads.spawn([&] {
    for (int i = 0; i < kMany; ++i) {
      scheduler().sleep_until(now_ns() + 1'000'000);
      const int fd = i % 2 == 0 ? accept(listening, nullptr, nullptr)
                                : accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
      EXPECT_GE(fd, 0);
      char byte;
      EXPECT_EQ(read(fd, &byte, 1), 1);
      EXPECT_EQ(byte, 'q');
      ++byte;
      EXPECT_EQ(write(fd, &byte, 1), 1);
      close(fd);
    }
  });
  threads.run();
  EXPECT_EQ(answered, kMany);
  close(listening);
  threads.spawn([&] {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect(fd, address, sizeof name), -1);
    EXPECT_EQ(errno, ECONNREFUSED);
    close(fd);
  });
  threads.run();
}

TEST(DescriptorCalls, AreLibcsWithTheCaptureOff) {
  TestThreads threads;
  const Pipe p;
  bool waits = false, ran = false;
  threads.spawn([&] {
    iso::HeapScope process;
    waits = true;
    pollfd one{p.a, POLLIN, 0};
    EXPECT_EQ(poll(&one, 1, 2), 0);
    waits = false;
  });
  threads.spawn([&] { ran = waits; });
  threads.run();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace roam::threads
