// Calls that read from and write to files, pipes and sockets with memory of a thread of another
// rank of the node, which has come with it from another node and is not opened on this rank yet.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

constexpr std::size_t kBytes = 100'000;
constexpr ssize_t kAll = kBytes;

// A file without a name, from its beginning.
int file_of(const std::vector<char>& bytes) {
  const int fd = memfd_create("test", 0);
  expect(fd >= 0, "a file");
  expect_eq(pwrite(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()),
            "pwrite");
  return fd;
}
void expect_file(int fd, int seed, const char* call) {
  std::vector<char> got(kBytes);
  expect_eq(pread(fd, got.data(), kBytes, 0), kAll, call);
  Pattern(seed).verify(got.data(), kBytes, call);
  close(fd);
}

// `call` on another rank of the node to which this thread goes, with memory of it that is filled
// with a pattern.
void with_memory_of_another(int seed, const std::function<void(char*)>& call,
                            const std::function<void(char*)>& prepare = {}) {
  // Far from all that is used there: neighbours become usable together. It stays, so that the next
  // one lies elsewhere.
  constexpr std::size_t kFar = std::size_t{8} << 20;
  char* mine = static_cast<char*>(std::malloc(2 * kFar)) + kFar;
  Pattern(seed).fill(mine, kBytes);
  if (prepare) prepare(mine);
  roam::this_thread::migrate((roam::rank() + 2) % roam::ranks());  // two nodes of two ranks
  on_rank(next_rank(), [&call, mine] { call(mine); });
  Pattern(seed).verify(mine, kBytes, "memory after the call");
}
// The same, and `call` is given a file with other bytes, which it is to bring there.
void into_memory_of_another(int seed, const std::function<void(int, char*)>& call) {
  with_memory_of_another(seed, [&](char* at) {
    std::vector<char> bytes(kBytes);
    Pattern(seed + 1).fill(bytes.data(), kBytes);
    const int fd = file_of(bytes);
    call(fd, at);
    Pattern(seed + 1).verify(at, kBytes, "what was read");
    Pattern(seed).fill(at, kBytes);
    close(fd);
  });
}

SCENARIO(Kernel, WritesMemoryOfAnotherRank) {
  with_memory_of_another(1, [](char* at) {
    const int fd = file_of({});
    expect_eq(write(fd, at, kBytes), kAll, "write");
    expect_file(fd, 1, "write");
  });
  with_memory_of_another(2, [](char* at) {
    const int fd = file_of({});
    const iovec parts[] = {{at, 1000}, {at + 1000, kBytes - 1000}};
    expect_eq(writev(fd, parts, 2), kAll, "writev");
    expect_file(fd, 2, "writev");
  });
  with_memory_of_another(3, [](char* at) {
    const int fd = file_of({});
    expect_eq(pwrite(fd, at, kBytes, 0), kAll, "pwrite");
    expect_file(fd, 3, "pwrite");
  });
  with_memory_of_another(4, [](char* at) {
    const int fd = file_of({});
    const iovec part{at, kBytes};
    expect_eq(pwritev(fd, &part, 1, 0), kAll, "pwritev");
    expect_file(fd, 4, "pwritev");
  });
  with_memory_of_another(5, [](char* at) {
    const int fd = file_of({});
    std::FILE* stream = fdopen(dup(fd), "w");
    expect_eq(std::fwrite(at, 1, kBytes, stream), kBytes, "fwrite");
    expect_eq(std::fclose(stream), 0, "fclose");
    expect_file(fd, 5, "fwrite");
  });
}

SCENARIO(Kernel, ReadsIntoMemoryOfAnotherRank) {
  into_memory_of_another(11,
                         [](int fd, char* at) { expect_eq(read(fd, at, kBytes), kAll, "read"); });
  into_memory_of_another(13, [](int fd, char* at) {
    const iovec parts[] = {{at, 1000}, {at + 1000, kBytes - 1000}};
    expect_eq(readv(fd, parts, 2), kAll, "readv");
  });
  into_memory_of_another(
      15, [](int fd, char* at) { expect_eq(pread(fd, at, kBytes, 0), kAll, "pread"); });
  into_memory_of_another(17, [](int fd, char* at) {
    const iovec part{at, kBytes};
    expect_eq(preadv(fd, &part, 1, 0), kAll, "preadv");
  });
  into_memory_of_another(19, [](int fd, char* at) {
    std::FILE* stream = fdopen(dup(fd), "r");
    expect_eq(std::fread(at, 1, kBytes, stream), kBytes, "fread");
    std::fclose(stream);
  });
}

SCENARIO(Sockets, BringMemoryOfAnotherRankThereAndBack) {
  constexpr std::size_t kPart = 60'000;
  const auto through = [](int seed, const std::function<void(int, int, char*, char*)>& call) {
    std::vector<char> to(kBytes);
    with_memory_of_another(seed, [&, to = to.data()](char* from) {
      int ends[2];
      expect_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0, "socketpair");
      call(ends[0], ends[1], from, to);
      close(ends[0]);
      close(ends[1]);
    });
    Pattern(seed).verify(to.data(), kPart, "what came");
  };
  through(31, [](int out, int in, char* from, char* to) {
    expect_eq(send(out, from, kPart, 0), static_cast<ssize_t>(kPart), "send");
    expect_eq(recv(in, to, kPart, 0), static_cast<ssize_t>(kPart), "recv");
  });
  through(32, [](int out, int in, char* from, char* to) {
    iovec part{from, kPart};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    expect_eq(sendmsg(out, &message, 0), static_cast<ssize_t>(kPart), "sendmsg");
    part.iov_base = to;
    expect_eq(recvmsg(in, &message, 0), static_cast<ssize_t>(kPart), "recvmsg");
  });
  through(33, [](int out, int in, char* from, char* to) {
    expect_eq(write(out, from, kPart), static_cast<ssize_t>(kPart), "write");
    expect_eq(recvfrom(in, to, kPart, 0, nullptr, nullptr), static_cast<ssize_t>(kPart),
              "recvfrom");
  });
}

// The kernel puts the name of who sent or connected into it. `call` returns its length.
SCENARIO(Sockets, PutNamesIntoMemoryOfAnotherRank) {
  const auto takes_name = [](int seed, int type, auto call) {
    with_memory_of_another(seed, [type, call, seed](char* at) {
      const int server = socket(AF_UNIX, type, 0), client = socket(AF_UNIX, type, 0);
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      socklen_t length = sizeof(sa_family_t);
      const auto* of_any = reinterpret_cast<const sockaddr*>(&name);
      expect_eq(bind(server, of_any, length), 0, "bind");  // to a name that the kernel chooses
      expect_eq(bind(client, of_any, length), 0, "bind");
      length = sizeof name;
      expect_eq(getsockname(server, reinterpret_cast<sockaddr*>(&name), &length), 0, "getsockname");
      if (type == SOCK_STREAM) expect_eq(listen(server, 1), 0, "listen");
      expect_eq(connect(client, of_any, length), 0, "connect");
      length = sizeof name;
      expect_eq(getsockname(client, reinterpret_cast<sockaddr*>(&name), &length), 0, "getsockname");
      const socklen_t got = call(server, client, reinterpret_cast<sockaddr*>(at));
      expect_eq(got, length, "the length of the name");
      expect_eq(std::memcmp(at, &name, length), 0, "the name");
      Pattern(seed).fill(at, kBytes);
      close(server);
      close(client);
    });
  };
  takes_name(41, SOCK_DGRAM, [](int server, int client, sockaddr* at) {
    char byte = 'x';
    expect_eq(send(client, &byte, 1, 0), ssize_t{1}, "send");
    socklen_t length = sizeof(sockaddr_un);
    expect_eq(recvfrom(server, &byte, 1, 0, at, &length), ssize_t{1}, "recvfrom");
    return length;
  });
  takes_name(42, SOCK_STREAM, [](int server, int, sockaddr* at) {
    socklen_t length = sizeof(sockaddr_un);
    const int fd = accept(server, at, &length);
    expect(fd >= 0, "accept");
    close(fd);
    return length;
  });
  takes_name(43, SOCK_STREAM, [](int server, int, sockaddr* at) {
    socklen_t length = sizeof(sockaddr_un);
    const int fd = accept4(server, at, &length, SOCK_CLOEXEC);
    expect(fd >= 0, "accept4");
    close(fd);
    return length;
  });
}

constexpr std::size_t kMessage = 4000;
constexpr long kType = 7;

// A message begins with its type.
void give_type(char* at) { std::memcpy(at, &kType, sizeof kType); }
SCENARIO(Queues, BringMemoryOfAnotherRankThereAndBack) {
  std::vector<char> message(sizeof kType + kMessage);
  with_memory_of_another(
      51,
      [to = message.data()](char* at) {
        const int queue = msgget(IPC_PRIVATE, 0600);
        expect(queue >= 0, "msgget");
        expect_eq(msgsnd(queue, at, kMessage, 0), 0, "msgsnd");
        expect_eq(msgrcv(queue, to, kMessage, kType, 0), static_cast<ssize_t>(kMessage), "msgrcv");
        msgctl(queue, IPC_RMID, nullptr);
        Pattern(51).fill(at, kBytes);
      },
      give_type);
  Pattern(51).verify(message.data() + sizeof kType, kMessage, "what came", sizeof kType);
  with_memory_of_another(52, [from = message.data()](char* at) {
    const int queue = msgget(IPC_PRIVATE, 0600);
    expect_eq(msgsnd(queue, from, kMessage, 0), 0, "msgsnd");
    expect_eq(msgrcv(queue, at, kMessage, kType, 0), static_cast<ssize_t>(kMessage), "msgrcv");
    msgctl(queue, IPC_RMID, nullptr);
    expect_eq(std::memcmp(at, from, sizeof kType + kMessage), 0, "what came");
    Pattern(52).fill(at, kBytes);
  });
}

SCENARIO(Queues, OfPosixToo) {
  const auto with_queue = [](const std::function<void(mqd_t)>& use) {
    const std::string name = "/roam_test_" + std::to_string(getpid());
    mq_attr attributes{};
    attributes.mq_maxmsg = 1;
    attributes.mq_msgsize = kMessage;
    const mqd_t queue = mq_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    if (queue < 0 && errno == ENOSYS) return;  // a kernel without them
    expect(queue >= 0, "mq_open");
    mq_unlink(name.c_str());
    use(queue);
    mq_close(queue);
  };
  with_memory_of_another(61, [&with_queue](char* at) {
    with_queue([at](mqd_t queue) {
      std::vector<char> to(kMessage);
      expect_eq(mq_send(queue, at, kMessage, 0), 0, "mq_send");
      expect_eq(mq_receive(queue, to.data(), kMessage, nullptr), static_cast<ssize_t>(kMessage),
                "mq_receive");
      Pattern(61).verify(to.data(), kMessage, "what came");
    });
  });
  with_memory_of_another(62, [&with_queue](char* at) {
    with_queue([at](mqd_t queue) {
      std::vector<char> from(kMessage, 'm');
      expect_eq(mq_send(queue, from.data(), kMessage, 0), 0, "mq_send");
      expect_eq(mq_receive(queue, at, kMessage, nullptr), static_cast<ssize_t>(kMessage),
                "mq_receive");
      expect_eq(std::memcmp(at, from.data(), kMessage), 0, "what came");
      Pattern(62).fill(at, kBytes);
    });
  });
}

// What nobody has is the kernel's to refuse.
SCENARIO(Kernel, SaysThatMemoryIsNobodys) {
  const int fd = file_of(std::vector<char>(kBytes, 'x'));
  char* volatile nowhere = reinterpret_cast<char*>(16);
  expect_eq(read(fd, nowhere, kBytes), ssize_t{-1}, "read to nowhere");
  expect_eq(errno, EFAULT, "errno");
  close(fd);
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) { return roam_test::run_scenarios(argc, argv); }
