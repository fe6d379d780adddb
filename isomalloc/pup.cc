#include "roam/pup.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/text.h"
#include "roam/error.h"
#include "roam/pup_c.h"

namespace roam {

void PupToMemory::transfer(void* data, std::size_t bytes) {
  if (bytes != 0) std::memcpy(at_, data, bytes);
  at_ += bytes;
}

void PupFromMemory::transfer(void* data, std::size_t bytes) {
  if (bytes > left_) {
    throw Error(Errc::corrupt_image,
                text("unpacking wants %zu bytes and %zu are left", bytes, left_));
  }
  if (bytes != 0) std::memcpy(data, at_, bytes);
  at_ += bytes;
  left_ -= bytes;
}

namespace {

// Where nobody knows what is left, a count is bounded by what could be in memory.
constexpr std::size_t kMostBytes = std::size_t{1} << 46;
// What a count that is wrong may cost before the data ends.
constexpr std::size_t kMostBytesOfNothing = std::size_t{64} << 20;

[[noreturn]] void refuse_count(std::size_t count) {
  throw Error(Errc::corrupt_image,
              text("unpacking: a count of %zu elements is more than the data can hold", count));
}

}  // namespace

void Pup::check_count(std::size_t count, std::size_t packed_bytes) const {
  if (count > std::min(left(), kMostBytes) / packed_bytes) refuse_count(count);
}

void Pup::check_count_of_any(std::size_t count, std::size_t element_bytes) const {
  if (count > kMostBytesOfNothing / element_bytes) check_count(count);
}

Pup& operator|(Pup& p, std::string& value) {
  std::size_t length = value.size();
  p | length;
  if (p.unpacking()) {
    p.check_count(length);
    value.resize(length);
  }
  p.raw(value.data(), length);
  return p;
}

namespace {

class PupToDisk final : public Pup {
 public:
  explicit PupToDisk(std::FILE* file) : Pup(Mode::kPacking), file_(file) {}
  void settle() override {
    if (std::fflush(file_) != 0) fail(bytes());
  }

 private:
  void transfer(void* data, std::size_t bytes) override {
    if (bytes != 0 && std::fwrite(data, 1, bytes, file_) != bytes) fail(bytes);
  }
  [[noreturn]] static void fail(std::size_t bytes) {
    throw Error(Errc::system,
                text("writing %zu bytes of a packed object: %s", bytes, std::strerror(errno)));
  }
  std::FILE* file_;
};

class PupFromDisk final : public Pup {
 public:
  explicit PupFromDisk(std::FILE* file) : Pup(Mode::kUnpacking), file_(file) {}

 private:
  // Of a regular file; what else there is cannot be told.
  std::size_t left() const override {
    struct stat status;
    const off_t at = ftello(file_);
    if (at < 0 || fstat(fileno(file_), &status) != 0 || !S_ISREG(status.st_mode)) return SIZE_MAX;
    return status.st_size > at ? static_cast<std::size_t>(status.st_size - at) : 0;
  }
  void transfer(void* data, std::size_t bytes) override {
    const std::size_t got = bytes != 0 ? std::fread(data, 1, bytes, file_) : 0;
    if (got == bytes) return;
    if (std::ferror(file_) != 0) {
      throw Error(Errc::system,
                  text("reading %zu bytes of a packed object: %s", bytes, std::strerror(errno)));
    }
    throw Error(Errc::corrupt_image,
                text("the file ends %zu bytes before the packed object does", bytes - got));
  }
  std::FILE* file_;
};

}  // namespace
}  // namespace roam

using roam::Pup;
using roam::PupFromDisk;
using roam::PupFromMemory;
using roam::PupSizer;
using roam::PupToDisk;
using roam::PupToMemory;

namespace {
Pup& pup_of(pup_er p) { return *static_cast<Pup*>(p); }

// Where a count was unpacked, it may be anything.
size_t bytes_of(size_t count, size_t value_bytes) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, value_bytes, &bytes)) roam::refuse_count(count);
  return bytes;
}
}  // namespace

extern "C" {

pup_er pup_new_sizer(void) { return static_cast<Pup*>(new PupSizer); }
pup_er pup_new_toMem(void* buffer) { return static_cast<Pup*>(new PupToMemory(buffer)); }
pup_er pup_new_fromMem(const void* buffer) { return static_cast<Pup*>(new PupFromMemory(buffer)); }
pup_er pup_new_toDisk(FILE* file) { return static_cast<Pup*>(new PupToDisk(file)); }
pup_er pup_new_fromDisk(FILE* file) { return static_cast<Pup*>(new PupFromDisk(file)); }
void pup_destroy(pup_er p) { delete static_cast<Pup*>(p); }

size_t pup_size(pup_er p) { return pup_of(p).bytes(); }
int pup_isSizing(const pup_er p) { return pup_of(p).sizing(); }
int pup_isPacking(const pup_er p) { return pup_of(p).packing(); }
int pup_isUnpacking(const pup_er p) { return pup_of(p).unpacking(); }
int pup_isDeleting(const pup_er p) { return pup_of(p).deleting(); }
void pup_set_deleting(pup_er p, int deleting) { pup_of(p).set_deleting(deleting != 0); }

void pup_bytes(pup_er p, void* data, size_t bytes) { pup_of(p).raw(data, bytes); }

#define ROAM_PUP_DEFINE(name, type)                                              \
  void pup_##name(pup_er p, type* value) { pup_of(p).raw(value, sizeof(type)); } \
  void pup_##name##s(pup_er p, type* values, size_t count) {                     \
    pup_of(p).raw(values, bytes_of(count, sizeof(type)));                        \
  }

ROAM_PUP_DEFINE(char, char)
ROAM_PUP_DEFINE(short, short)
ROAM_PUP_DEFINE(int, int)
ROAM_PUP_DEFINE(long, long)
ROAM_PUP_DEFINE(uchar, unsigned char)
ROAM_PUP_DEFINE(ushort, unsigned short)
ROAM_PUP_DEFINE(uint, unsigned int)
ROAM_PUP_DEFINE(ulong, unsigned long)
ROAM_PUP_DEFINE(float, float)
ROAM_PUP_DEFINE(double, double)
ROAM_PUP_DEFINE(pointer, void*)
ROAM_PUP_DEFINE(int8, long long)
ROAM_PUP_DEFINE(size_t, size_t)

}  // extern "C"
