#ifndef ROAM_RUNTIME_NET_STATE_H_
#define ROAM_RUNTIME_NET_STATE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/text.h"
#include "roam/error.h"

namespace roam::runtime {

// What a component knows of the job, as bytes: written and read in the same order.
class StateWriter {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  // With their number before them.
  void put_bytes(const void* data, std::size_t bytes) {
    put<std::uint64_t>(bytes);
    bytes_.append(static_cast<const char*>(data), bytes);
  }
  void put_text(std::string_view s) { put_bytes(s.data(), s.size()); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Errors of all: Error(corrupt_image) where there is no more to read.
class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : left_(bytes) {}

  template <class T>
  T get() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view get_bytes() { return take(get<std::uint64_t>()); }
  std::string get_text() { return std::string(get_bytes()); }
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view take(std::size_t bytes) {
    if (bytes > left_.size()) {
      throw Error(Errc::corrupt_image,
                  text("the state of a checkpoint ends early: %zu bytes are wanted, %zu are left",
                       bytes, left_.size()));
    }
    const std::string_view taken = left_.substr(0, bytes);
    left_.remove_prefix(bytes);
    return taken;
  }
  std::string_view left_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_STATE_H_
