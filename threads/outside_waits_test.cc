#include "threads/outside_waits.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <utility>

#include "threads/kernel_state.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

using wait_calls::long_wait_ns;

// As in descriptor_calls_test.cc.
void expect_waits(const std::function<void()>& waits, const std::function<void()>& gives) {
  TestThreads threads;
  bool given = false;
  threads.spawn([&] {
    waits();
    EXPECT_TRUE(given);
  });
  threads.spawn([&] {
    for (int i = 0; i < 10; ++i) yield();
    for (int i = 0; i < 3; ++i) scheduler().sleep_until(now_ns() + 200'000);
    given = true;
    gives();
  });
  threads.run();
}

// A child that ends with 7 when `gate` is closed.
pid_t child_at(int gate[2]) {
  EXPECT_EQ(pipe(gate), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(gate[1]);
    char byte;
    _exit(read(gate[0], &byte, 1) == 0 ? 7 : 1);
  }
  close(gate[0]);
  return child;
}

TEST(OutsideWaits, AChildIsWaitedForWhileOthersRun) {
  int status = 0, gate[2];
  pid_t child = 0;
  const std::function<void()> let_go = [&] { close(gate[1]); };
  const auto ended = [&](pid_t found) {
    EXPECT_EQ(found, child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 7);
  };
  child = child_at(gate);
  expect_waits([&] { ended(waitpid(child, &status, 0)); }, let_go);
  child = child_at(gate);
  expect_waits([&] { ended(wait(&status)); }, let_go);
  child = child_at(gate);
  expect_waits([&] { ended(wait4(-1, &status, 0, nullptr)); }, let_go);
  child = child_at(gate);
  expect_waits(
      [&] {
        EXPECT_EQ(waitid(P_PID, static_cast<id_t>(child), nullptr, WEXITED | WNOWAIT), 0);
        siginfo_t info{};
        EXPECT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED), 0);
        EXPECT_EQ(info.si_pid, child);
        EXPECT_EQ(info.si_status, 7);
      },
      let_go);
  child = child_at(gate);
  expect_waits(
      [&] {
        pid_t found;
        while ((found = waitpid(child, &status, WNOHANG)) == 0) {
        }
        ended(found);
      },
      let_go);
  TestThreads threads;
  threads.spawn([&] {
    EXPECT_EQ(waitpid(child, &status, 0), -1);
    EXPECT_EQ(errno, ECHILD);
  });
  threads.run();
}

TEST(OutsideWaits, LocksOfFilesLetOthersRun) {
  char path[] = "/tmp/roam-test-XXXXXX";
  const int one = mkstemp(path), two = open(path, O_RDWR);
  EXPECT_EQ(flock(one, LOCK_EX), 0);
  expect_waits(
      [&] {
        EXPECT_EQ(flock(two, LOCK_EX | LOCK_NB), -1);
        EXPECT_EQ(errno, EWOULDBLOCK);
        EXPECT_EQ(flock(two, LOCK_EX), 0);
        EXPECT_EQ(flock(two, LOCK_UN), 0);
      },
      [&] { EXPECT_EQ(flock(one, LOCK_UN), 0); });
  struct flock part {};
  part.l_type = F_WRLCK;
  EXPECT_EQ(fcntl(one, F_OFD_SETLK, &part), 0);
  expect_waits(
      [&] {
        struct flock mine {};
        mine.l_type = F_WRLCK;
        EXPECT_EQ(fcntl(two, F_OFD_SETLKW, &mine), 0);
      },
      [&] {
        part.l_type = F_UNLCK;
        EXPECT_EQ(fcntl(one, F_OFD_SETLK, &part), 0);
      });
  close(two);
  EXPECT_EQ(lseek(one, 0, SEEK_SET), 0);
  // Another process holds it until a thread of this one lets it.
  int gate[2], taken[2];
  ASSERT_EQ(pipe(gate), 0);
  ASSERT_EQ(pipe(taken), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(gate[1]);
    char byte = lockf(one, F_LOCK, 1) == 0 ? 'y' : 'n';
    if (write(taken[1], &byte, 1) != 1) _exit(1);
    _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
  }
  close(gate[0]);
  char byte = 0;
  ASSERT_EQ(read(taken[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  expect_waits([&] { EXPECT_EQ(lockf(one, F_LOCK, 1), 0); }, [&] { close(gate[1]); });
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  close(taken[0]);
  close(taken[1]);
  close(one);
  unlink(path);
}

TEST(OutsideWaits, MessagesOfTheSystemLetOthersRun) {
  const std::string name = "/roam-test-" + std::to_string(getpid());
  mq_attr size{};
  size.mq_maxmsg = 1;
  size.mq_msgsize = 16;
  const mqd_t queue = mq_open(name.c_str(), O_CREAT | O_RDWR, 0600, &size);
  if (queue >= 0) {
    mq_unlink(name.c_str());
    char bytes[16];
    expect_waits([&] { EXPECT_EQ(mq_receive(queue, bytes, sizeof bytes, nullptr), 3); },
                 [&] { EXPECT_EQ(mq_send(queue, "abc", 3, 0), 0); });
    expect_waits(
        [&] {
          EXPECT_EQ(mq_send(queue, "a", 1, 0), 0);
          EXPECT_EQ(mq_send(queue, "bc", 2, 0), 0) << "once there is room";
        },
        [&] { EXPECT_EQ(mq_receive(queue, bytes, sizeof bytes, nullptr), 1); });
    TestThreads threads;
    threads.spawn([&] {
      EXPECT_EQ(mq_receive(queue, bytes, sizeof bytes, nullptr), 2);
      timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      EXPECT_EQ(mq_timedreceive(queue, bytes, sizeof bytes, nullptr, &now), -1);
      EXPECT_EQ(errno, ETIMEDOUT);
    });
    threads.run();
    mq_close(queue);
  }
  struct Message {
    long type;
    char text[8];
  };
  const int v = msgget(IPC_PRIVATE, 0600);
  ASSERT_GE(v, 0);
  expect_waits(
      [&] {
        Message got{};
        EXPECT_EQ(msgrcv(v, &got, sizeof got.text, 5, IPC_NOWAIT), -1);
        EXPECT_EQ(errno, ENOMSG);
        EXPECT_EQ(msgrcv(v, &got, sizeof got.text, 5, 0), 3);
        EXPECT_EQ(got.text[2], 'c');
      },
      [&] {
        const Message sent{5, "abc"};
        EXPECT_EQ(msgsnd(v, &sent, 3, 0), 0);
      });
  msgctl(v, IPC_RMID, nullptr);
  const int set = semget(IPC_PRIVATE, 1, 0600);
  ASSERT_GE(set, 0);
  const auto change = [&](short by) {
    sembuf one{0, by, 0};
    return semop(set, &one, 1);
  };
  expect_waits([&] { EXPECT_EQ(change(-2), 0); }, [&] { EXPECT_EQ(change(2), 0); });
  TestThreads threads;
  threads.spawn([&] {
    sembuf one{0, -1, 0};
    const timespec short_time{0, 2'000'000};
    EXPECT_EQ(semtimedop(set, &one, 1, &short_time), -1);
    EXPECT_EQ(errno, EAGAIN);
  });
  threads.run();
  semctl(set, 0, IPC_RMID);
}

// What a handler interrupts may be the scheduler: nobody else runs.
int empty_pipe[2];
void ask_in_handler(int) {
  char byte;
  EXPECT_EQ(read(empty_pipe[0], &byte, 1), -1);
  pollfd one{empty_pipe[0], POLLIN, 0};
  EXPECT_EQ(poll(&one, 1, 0), 0);
  EXPECT_EQ(poll(&one, 1, 1), 0);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(OutsideWaits, AreLibcsInAHandler) {
  ASSERT_EQ(pipe2(empty_pipe, O_NONBLOCK), 0);
  struct sigaction action {
  }, before{};
  action.sa_handler = ask_in_handler;
  sigaction(SIGUSR1, &action, &before);
  {
    TestThreads threads;
    bool in_handler = false, ran = false;
    threads.spawn([&] {
      in_handler = true;
      raise(SIGUSR1);
      in_handler = false;
    });
    threads.spawn([&] { ran = in_handler; });
    threads.run();
    EXPECT_FALSE(ran);
  }
  sigaction(SIGUSR1, &before, nullptr);
  close(empty_pipe[0]);
  close(empty_pipe[1]);
}

TEST(OutsideWaits, WhoWaitsLongSaysInWhatCall) {
  const std::int64_t before = std::exchange(long_wait_ns, 3'000'000);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  testing::internal::CaptureStderr();
  {
    TestThreads threads;
    threads.spawn(
        [&] {
          char byte;
          EXPECT_EQ(read(ends[0], &byte, 1), 1);
        },
        "reader");
    threads.spawn([&] {
      pollfd one{ends[0], POLLIN, 0};
      EXPECT_EQ(poll(&one, 1, 20), 0) << "a wait with an end says nothing";
      EXPECT_EQ(write(ends[1], "x", 1), 1);
    });
    threads.run();
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(
      said.find("thread 'reader' has waited 10 s in read of descriptor " + std::to_string(ends[0])),
      said.npos)
      << said;
  EXPECT_EQ(said.find("poll"), said.npos) << said;
  long_wait_ns = before;
  close(ends[0]);
  close(ends[1]);
}

TEST(OutsideWaits, SignalsThatAllBlockAreWaitedForWhileOthersRun) {
  std::uint64_t usr2 = std::uint64_t{1} << (SIGUSR2 - 1), before = 0;
  ASSERT_EQ(KernelState::set_signal_mask(SIG_BLOCK, &usr2, &before), 0);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  const std::function<void()> give = [] { kill(getpid(), SIGUSR2); };
  expect_waits(
      [&] {
        int got = 0;
        EXPECT_EQ(sigwait(&set, &got), 0);
        EXPECT_EQ(got, SIGUSR2);
      },
      give);
  expect_waits(
      [&] {
        siginfo_t info{};
        const timespec short_time{0, 1'000};
        EXPECT_EQ(sigtimedwait(&set, &info, &short_time), -1);
        EXPECT_EQ(errno, EAGAIN);
        EXPECT_EQ(sigwaitinfo(&set, &info), SIGUSR2);
        EXPECT_EQ(info.si_pid, getpid());
      },
      give);
  KernelState::set_signal_mask(SIG_SETMASK, &before, nullptr);
}

}  // namespace
}  // namespace roam::threads
