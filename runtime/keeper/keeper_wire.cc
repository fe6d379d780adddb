#include "runtime/keeper/keeper_wire.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/clock.h"
#include "base/fnv.h"
#include "base/os/file_calls.h"
#include "base/text.h"

namespace roam::runtime {
namespace {

// Until the socket can do it, or has an error of its own.
bool await(int socket, short what, std::int64_t until_ns) {
  for (;;) {
    const std::int64_t left = until_ns - now_ns();
    if (left <= 0) {
      errno = ETIMEDOUT;
      return false;
    }
    pollfd one{socket, what, 0};
    const int ready =
        poll(&one, 1, static_cast<int>(std::min<std::int64_t>(left / 1'000'000 + 1, 1'000'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// Calls until it has done something, or it is too late.
template <class Call>
ssize_t in_time(Call call, int socket, short what, std::int64_t until_ns) {
  for (;;) {
    const ssize_t done = call();
    if (done >= 0) return done;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
    if (until_ns == 0 || !await(socket, what, until_ns)) return -1;
  }
}

}  // namespace

void OwnedFd::reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

std::string keeper_folder(const std::string& path) {
  std::error_code error;
  std::string whole = std::filesystem::absolute(path, error).lexically_normal().string();
  if (error) return path;  // the folder that it begins at is gone
  if (whole.size() > 1 && whole.back() == '/') whole.pop_back();
  return whole;
}

std::string keeper_id(const std::string& folder) {
  constexpr std::string_view kBefore = "/keepers-";
  const std::size_t at = folder.rfind(kBefore);
  return at == std::string::npos ? folder : folder.substr(at + kBefore.size());
}

std::string keeper_name_stem(const std::string& folder) {
  return text("roam-keeper/%u/%016llx/", static_cast<unsigned>(geteuid()),
              static_cast<unsigned long long>(fnv_of(keeper_id(folder))));
}

std::string keeper_name(const std::string& folder, int node) {
  return keeper_name_stem(folder) + std::to_string(node);
}

sockaddr_un keeper_address(const std::string& name, socklen_t* bytes) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::min(name.size(), sizeof address.sun_path - 1);
  std::memcpy(address.sun_path + 1, name.data(), length);
  *bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  return address;
}

bool peer_is_ours(int socket) {
  ucred peer{};
  socklen_t bytes = sizeof peer;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 && peer.uid == geteuid();
}

bool send_packet(int socket, const void* head, std::size_t head_bytes, std::string_view text,
                 int fd, std::int64_t until_ns) {
  if (head_bytes + text.size() > kMostKeeperBytes) {
    errno = EMSGSIZE;
    return false;
  }
  iovec parts[] = {{const_cast<void*>(head), head_bytes},
                   {const_cast<char*>(text.data()), text.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* first = CMSG_FIRSTHDR(&message);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(first), &fd, sizeof fd);
  }
  return in_time([&] { return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL); }, socket,
                 POLLOUT, until_ns) >= 0;
}

bool receive_packet(int socket, char (&buffer)[kMostKeeperBytes], std::size_t* bytes, OwnedFd* fd,
                    std::int64_t until_ns) {
  iovec part{buffer, sizeof buffer};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  const auto receive = [&] {
    message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    return recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  };
  const ssize_t got = in_time(receive, socket, POLLIN, until_ns);
  if (got < 0) return false;
  *bytes = static_cast<std::size_t>(got);
  fd->reset();
  const cmsghdr* first = CMSG_FIRSTHDR(&message);
  if (first != nullptr && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS &&
      first->cmsg_len >= CMSG_LEN(sizeof(int))) {
    int one = -1;
    std::memcpy(&one, CMSG_DATA(first), sizeof one);
    fd->reset(one);
  }
  return true;
}

int memory_of(std::string_view text) {
  OwnedFd memory(memfd_create("roam-keeper-text", MFD_CLOEXEC));
  if (memory.get() < 0 || !os::write_all(memory.get(), text.data(), text.size(), 0)) return -1;
  return memory.release();
}

bool text_of(int memory, std::string* text, off_t most_bytes) {
  struct stat status {};
  if (fstat(memory, &status) != 0) return false;
  if (status.st_size > most_bytes) {
    errno = EFBIG;
    return false;
  }
  text->resize(static_cast<std::size_t>(status.st_size));
  return os::read_all(memory, text->data(), text->size(), 0);  // EIO: it became shorter
}

}  // namespace roam::runtime
