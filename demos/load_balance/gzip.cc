#include "demos/load_balance/gzip.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace {

constexpr int kGzipWindowBits = 15 + 16;  // the largest window, and a gzip header and trailer
constexpr std::size_t kRoomBytes = 16u << 10;

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), path);
  }
  ~Descriptor() { close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(const char* call, const z_stream& stream, int code) {
  throw std::runtime_error(std::string("zlib ") + call + ": " +
                           (stream.msg != nullptr ? stream.msg : zError(code)));
}

}  // namespace

void read_at(const std::string& path, std::uint64_t offset, std::span<unsigned char> into) {
  const Descriptor file(path);
  while (!into.empty()) {
    const ssize_t got = pread(file.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::system_error(errno, std::generic_category(), path);
    if (got == 0) throw std::runtime_error(path + ": is shorter now than when it was listed");
    offset += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
}

GzipStream::GzipStream(int level) {
  const int code =
      deflateInit2(&stream_, level, Z_DEFLATED, kGzipWindowBits, 8, Z_DEFAULT_STRATEGY);
  if (code != Z_OK) fail("deflateInit2", stream_, code);
}

GzipStream::~GzipStream() { deflateEnd(&stream_); }

void GzipStream::write(std::span<const unsigned char> chunk, bool last,
                       std::vector<unsigned char>& out) {
  std::array<unsigned char, kRoomBytes> room;
  stream_.next_in = const_cast<unsigned char*>(chunk.data());
  stream_.avail_in = static_cast<uInt>(chunk.size());
  do {
    stream_.next_out = room.data();
    stream_.avail_out = kRoomBytes;
    const int code = deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
    if (code == Z_STREAM_ERROR) fail("deflate", stream_, code);
    out.insert(out.end(), room.data(), stream_.next_out);
  } while (stream_.avail_out == 0);
}

std::string check(std::span<const unsigned char> gzip, const Piece& piece) {
  z_stream stream{};
  if (const int code = inflateInit2(&stream, kGzipWindowBits); code != Z_OK) {
    fail("inflateInit2", stream, code);
  }
  const struct End {
    z_stream& stream;
    ~End() { inflateEnd(&stream); }
  } end{stream};

  std::vector<unsigned char> got(kRoomBytes);
  std::vector<unsigned char> want(kRoomBytes);
  stream.next_in = const_cast<unsigned char*>(gzip.data());
  stream.avail_in = static_cast<uInt>(gzip.size());
  std::uint64_t done = 0;
  int code = Z_OK;
  while (code == Z_OK) {
    stream.next_out = got.data();
    stream.avail_out = kRoomBytes;
    code = inflate(&stream, Z_NO_FLUSH);  // checks the trailer's CRC and length at the end
    const std::size_t count = kRoomBytes - stream.avail_out;
    if (count > piece.bytes - done) return "decompresses to more than its input";
    read_at(piece.path, piece.offset + done, std::span(want).first(count));
    if (!std::equal(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(count), want.begin())) {
      return "decompresses to something else near byte " + std::to_string(done);
    }
    done += count;
  }
  if (code != Z_STREAM_END) {
    return std::string("is no valid gzip: ") + (stream.msg != nullptr ? stream.msg : zError(code));
  }
  if (done != piece.bytes) return "decompresses to less than its input";
  if (stream.avail_in != 0) return "has bytes after its end";
  return {};
}
