#ifndef DEMOS_LOAD_BALANCE_GZIP_H_
#define DEMOS_LOAD_BALANCE_GZIP_H_

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "demos/load_balance/record.h"

// Reads `into.size()` bytes of the file at `path` from `offset` on. Opens and closes the file: a
// thread keeps no descriptor, which would belong to a process, across a migration.
//
// Errors: std::runtime_error naming the file, also when it is shorter.
void read_at(const std::string& path, std::uint64_t offset, std::span<unsigned char> into);

// A gzip stream in the middle of its work. zlib's state points back at stream_ and into itself, so
// it can be neither copied nor serialised from outside; a thread that holds one can migrate.
class GzipStream {
 public:
  explicit GzipStream(int level);
  ~GzipStream();
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  // Compresses `chunk` and appends what is ready to `out`; with `last` it ends the gzip member.
  void write(std::span<const unsigned char> chunk, bool last, std::vector<unsigned char>& out);

  // What zlib has allocated, in bytes: the formula of zconf.h and its bookkeeping.
  static constexpr std::size_t kStateBytes = (1 << (15 + 2)) + (1 << (8 + 9)) + 6 * 1024;

 private:
  z_stream stream_{};
};

// Decompresses `gzip`, one member, and compares it with the file that it was made from.
// Returns what is wrong, or an empty string.
std::string check(std::span<const unsigned char> gzip, const Piece& piece);

#endif  // DEMOS_LOAD_BALANCE_GZIP_H_
