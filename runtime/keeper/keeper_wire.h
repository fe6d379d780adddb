#ifndef ROAM_RUNTIME_KEEPER_KEEPER_WIRE_H_
#define ROAM_RUNTIME_KEEPER_KEEPER_WIRE_H_

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

// What a keeper and its clients say to each other: a request, an answer. Each is one packet of a
// Unix socket, a head with a text behind it, and at most one descriptor with it, so that it comes
// whole or not at all.
namespace roam::runtime {

// A descriptor that is closed with its owner.
class OwnedFd {
 public:
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  ~OwnedFd() { reset(); }
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_;
};

enum class KeeperCall : std::uint32_t {  // numbers are never used again
  kHello = 1,                            // the folder; before anything else
  kPut,                                  // with the piece
  kLink,
  kCommit,  // with the manifest
  kList,    // the answer comes with what pack_kept() makes
  kGet,     // ... with the piece
  kForget,
  kSettle,
  kLeave,  // the answer has kItEnds, or nothing
};

struct KeeperRequest {
  static constexpr std::uint64_t kMagic = 0x5045'454b'4d41'4f52;  // "ROAMKEEP"
  static constexpr std::uint32_t kVersion = 1;                    // a number is never used again
  std::uint64_t magic;
  std::uint32_t version;
  KeeperCall call;
  std::uint64_t number;
  std::uint64_t from_number;
  std::uint32_t name_bytes;       // of the text behind this: the name, or the folder,
  std::uint32_t from_name_bytes;  // then this one
};
static_assert(sizeof(KeeperRequest) == 40);

struct KeeperReply {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t good;  // 0: the text behind this says why not
};
static_assert(sizeof(KeeperReply) == 16);

// What the keeper says to kLeave where nobody else needs it; and to who says hello for another
// folder, before the one that it keeps for.
inline constexpr std::string_view kItEnds = "it ends";
inline constexpr std::string_view kNoSuchPiece = "it has no such piece";  // to kGet
inline constexpr std::string_view kKeepsThoseOf = "it keeps those of ";

// The longest packet: a path is the longest text.
inline constexpr std::size_t kMostKeeperBytes = 12 << 10;

// The folder by the one name that all its keepers and clients have for it.
std::string keeper_folder(const std::string& path);
// What tells its keepers from those of other folders: the random part that name_for_keepers() gives
// it, by whatever way it is named; all of it, where there is none.
std::string keeper_id(const std::string& folder);
// Where the keeper of a folder and node listens: a name of no file system, so that nothing is left
// behind by who is killed. Folders may have the same by chance: hello tells them apart.
std::string keeper_name(const std::string& folder, int node);
// What all nodes' names of a folder begin with.
std::string keeper_name_stem(const std::string& folder);
sockaddr_un keeper_address(const std::string& name, socklen_t* bytes);

// Whether who is at the other end has our user id.
bool peer_is_ours(int socket);

// Sends a packet, and `fd` with it unless that is negative; receives one. They wait until the clock
// shows `until_ns`; 0: they do not wait. False with errno: ETIMEDOUT, or the kernel's. Bytes 0 with
// true: the other end has closed.
bool send_packet(int socket, const void* head, std::size_t head_bytes, std::string_view text,
                 int fd, std::int64_t until_ns);
bool receive_packet(int socket, char (&buffer)[kMostKeeperBytes], std::size_t* bytes, OwnedFd* fd,
                    std::int64_t until_ns);

// No manifest is longer; a list has those of two checkpoints, and names.
constexpr off_t kMostTextBytes = off_t{256} << 20, kMostListBytes = 3 * kMostTextBytes;

// `text` as memory that can be sent, and back. Negative, false with errno.
int memory_of(std::string_view text);
bool text_of(int memory, std::string* text, off_t most_bytes = kMostTextBytes);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_KEEPER_KEEPER_WIRE_H_
