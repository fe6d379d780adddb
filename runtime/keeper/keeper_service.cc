#include "runtime/keeper/keeper_service.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "base/text.h"

namespace roam::runtime {
namespace {

// Ranks of a node that connect at the same moment.
constexpr int kBacklog = 1024;

// Whether it is what memfd_create makes: a file could take any time.
bool is_memory(const OwnedFd& fd) { return fcntl(fd.get(), F_GET_SEALS) >= 0; }

// What changes what is held. (That a checkpoint is of no use any more stays true.)
bool changes(KeeperCall call) {
  return call == KeeperCall::kPut || call == KeeperCall::kLink || call == KeeperCall::kCommit ||
         call == KeeperCall::kSettle;
}

// It does not wait for an answer any more.
bool has_closed(const OwnedFd& socket) {
  pollfd one{socket.get(), POLLRDHUP, 0};
  return poll(&one, 1, 0) != 0;
}

// The same object, for who may only read. Negative with errno.
int opened_to_read(int fd) {
  return open(text("/proc/self/fd/%d", fd).c_str(), O_RDONLY | O_CLOEXEC);
}

}  // namespace

KeeperService::KeeperService(OwnedFd listener, std::string folder, std::int64_t hold_ns)
    : listener_(std::move(listener)), folder_(std::move(folder)), hold_ns_(hold_ns) {}

int KeeperService::listen_for(const std::string& folder, int node) {
  OwnedFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  socklen_t bytes = 0;
  const sockaddr_un address = keeper_address(keeper_name(folder, node), &bytes);
  if (socket.get() < 0 ||
      bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), bytes) != 0 ||
      listen(socket.get(), kBacklog) != 0) {
    return -1;
  }
  return socket.release();
}

void KeeperService::run() {
  std::int64_t alone_since = now_ns();
  std::vector<pollfd> waited;
  while (!over_) {
    waited.assign(1, {listener_.get(), POLLIN, 0});
    for (const auto& client : clients_) waited.push_back({client->socket.get(), POLLIN, 0});
    int wait_ms = -1;
    if (clients_.empty()) {
      const std::int64_t left = alone_since + hold_ns_ - now_ns();
      if (left <= 0) return;
      wait_ms = static_cast<int>(std::min<std::int64_t>(left / 1'000'000 + 1, 1'000'000));
    }
    if (poll(waited.data(), waited.size(), wait_ms) < 0) continue;
    for (std::size_t c = 0; c + 1 < waited.size() && !over_; ++c) {
      if (waited[c + 1].revents != 0 && !serve(*clients_[c])) clients_[c].reset();
    }
    std::erase(clients_, nullptr);
    if (waited[0].revents != 0 && !over_) accept_one();
    if (waited.size() > 1 || !clients_.empty()) alone_since = now_ns();
  }
}

void KeeperService::accept_one() {
  OwnedFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket.get() < 0) {
    // Without room for a descriptor it would be asked again at once.
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) usleep(10'000);
    return;
  }
  if (!peer_is_ours(socket.get())) return;
  clients_.push_back(std::make_unique<Client>());
  clients_.back()->socket = std::move(socket);
}

bool KeeperService::serve(Client& client) {
  char buffer[kMostKeeperBytes];
  std::size_t bytes = 0;
  OwnedFd fd;
  if (!receive_packet(client.socket.get(), buffer, &bytes, &fd, 0)) return errno == EAGAIN;
  KeeperRequest request;
  if (bytes < sizeof request) return false;  // it has closed, or is no client
  std::memcpy(&request, buffer, sizeof request);
  if (request.magic != KeeperRequest::kMagic) return false;
  if (request.version != KeeperRequest::kVersion)
    return reply(client, false, "it is of another version of Roam") && false;
  const std::string_view texts(buffer + sizeof request, bytes - sizeof request);
  if (texts.size() != std::uint64_t{request.name_bytes} + request.from_name_bytes) return false;
  return answer(client, request, texts, std::move(fd));
}

bool KeeperService::answer(Client& client, const KeeperRequest& request, std::string_view texts,
                           OwnedFd fd) {
  const std::string name(texts.substr(0, request.name_bytes));
  const std::string from_name(texts.substr(request.name_bytes));
  if (request.call == KeeperCall::kHello) {
    client.greeted = name == folder_;
    return reply(client, client.greeted,
                 client.greeted ? "" : std::string(kKeepsThoseOf) + folder_);
  }
  if (!client.greeted) return false;
  // It took its request for failed, and others have gone on from there: a piece for a checkpoint
  // that was given up would take those of the one that is being made away.
  if (changes(request.call) && has_closed(client.socket)) return false;
  std::string why;
  switch (request.call) {
    case KeeperCall::kPut: {
      const bool good = take_piece(request, name, std::move(fd), &why);
      return reply(client, good, why);
    }
    case KeeperCall::kLink: {
      const bool good = store_.link(request.number, name, request.from_number, from_name, &why);
      return reply(client, good, why);
    }
    case KeeperCall::kCommit: {
      const bool good = commit(request, fd, &why);
      return reply(client, good, why);
    }
    case KeeperCall::kSettle:
      store_.settle(request.number);
      return reply(client, true, "");
    case KeeperCall::kList: {
      const OwnedFd all(memory_of(pack_kept(store_.list())));
      return reply(client, all.get() >= 0, all.get() >= 0 ? "" : strerror(errno), all.get());
    }
    case KeeperCall::kGet: {
      const KeeperStore::Memory memory = store_.get(request.number, name);
      if (memory == nullptr) return reply(client, false, kNoSuchPiece);
      const OwnedFd one(opened_to_read(memory->get()));
      return reply(client, one.get() >= 0, one.get() >= 0 ? "" : strerror(errno), one.get());
    }
    case KeeperCall::kForget:
      over_ = true;
      listener_.reset();  // whoever comes from now on finds none
      return reply(client, true, "");
    case KeeperCall::kLeave:
      client.leaves = true;
      over_ = !is_needed();
      if (over_) listener_.reset();
      return reply(client, true, over_ ? kItEnds : "");
    default:
      return false;
  }
}

// Of several that leave, the last one finds that it is not.
bool KeeperService::is_needed() const {
  return std::any_of(clients_.begin(), clients_.end(), [](const auto& client) {
    return client != nullptr && client->greeted && !client->leaves;
  });
}

bool KeeperService::take_piece(const KeeperRequest& request, const std::string& name, OwnedFd fd,
                               std::string* why) {
  if (fd.get() < 0) {
    *why = "no memory came with it: it has too many descriptors";
    return false;
  }
  if (!is_memory(fd)) {
    *why = "it is no object of memfd_create";
    return false;
  }
  return store_.put(request.number, name, std::make_shared<OwnedFd>(std::move(fd)), why);
}

bool KeeperService::commit(const KeeperRequest& request, const OwnedFd& fd, std::string* why) {
  std::string manifest;
  if (fd.get() < 0 || !is_memory(fd) || !text_of(fd.get(), &manifest)) {
    *why = "its manifest did not come";
    return false;
  }
  store_.commit(request.number, std::move(manifest));
  return true;
}

bool KeeperService::reply(const Client& client, bool good, std::string_view text, int fd) {
  const KeeperReply head{KeeperRequest::kMagic, KeeperRequest::kVersion, good};
  return send_packet(client.socket.get(), &head, sizeof head, text, fd, 0);
}

}  // namespace roam::runtime
