#ifndef ROAM_DATA_H_
#define ROAM_DATA_H_

#include <cstddef>
#include <iterator>
#include <memory>
#include <ranges>
#include <type_traits>
#include <vector>

#include "roam/error.h"
#include "roam/pup.h"
#include "roam/request.h"

// What a message can be made of, and how it becomes bytes.
namespace roam::detail {

// Goes as its bytes.
template <class T>
concept IsPlain = std::is_trivially_copyable_v<T> && !HasPupMember<T> && !HasPupFunction<T> &&
                  !std::ranges::view<T>;
// Goes as its elements' bytes.
template <class R>
concept IsPlainRange = std::ranges::contiguous_range<std::remove_reference_t<R>> &&
    std::ranges::sized_range<std::remove_reference_t<R>> &&
    IsPlain<std::ranges::range_value_t<std::remove_reference_t<R>>>;

template <class Data>
struct ElementOf {
  using type = std::remove_cvref_t<Data>;
};
template <IsPlainRange Data>
struct ElementOf<Data> {
  using type = std::ranges::range_value_t<std::remove_reference_t<Data>>;
};
template <class Data>
using Element = typename ElementOf<Data>::type;

template <class Data>
constexpr void require_plain() {
  static_assert(IsPlainRange<Data> || IsPlain<std::remove_cvref_t<Data>>,
                "a trivially copyable value, or a contiguous range of them");
}
template <class Data>
constexpr std::size_t element_bytes() {
  return sizeof(Element<Data>);
}
template <class Data>
std::size_t bytes_of(const Data& data) {
  require_plain<Data>();
  if constexpr (IsPlainRange<Data>) {
    return std::ranges::size(data) * sizeof(Element<Data>);
  } else {
    return sizeof data;
  }
}
template <class Data>
auto* elements_at(Data& data) {
  if constexpr (IsPlainRange<Data>) {
    return std::ranges::data(data);
  } else {
    return std::addressof(data);
  }
}
template <class Data>
auto* bytes_at(Data& data) {
  auto* at = elements_at(data);
  if constexpr (std::is_const_v<std::remove_pointer_t<decltype(at)>>) {
    return static_cast<const void*>(at);
  } else {
    return static_cast<void*>(at);
  }
}

// The bytes that `data` goes as: its own, or those of a pup.
template <class Data>
class Packed {
 public:
  static constexpr bool kTemporary = !IsPlainRange<Data> && !IsPlain<Data>;

  explicit Packed(const Data& data) {
    if constexpr (kTemporary) {
      Data& unchanged = const_cast<Data&>(data);  // packing only reads
      PupSizer sizer;
      sizer | unchanged;
      packed_.resize(sizer.bytes());
      PupToMemory packer(packed_.data());
      packer | unchanged;
    } else {
      at_ = bytes_at(data);
      bytes_ = bytes_of(data);
    }
  }
  const void* data() const { return kTemporary ? packed_.data() : at_; }
  std::size_t bytes() const { return kTemporary ? packed_.size() : bytes_; }

 private:
  const void* at_ = nullptr;
  std::size_t bytes_ = 0;
  std::vector<char> packed_;
};

// Errors: Errc::bad_option: a message of `bytes` is no whole number of elements.
[[noreturn]] void throw_wrong_length(std::size_t bytes, std::size_t element_bytes);

// Makes a T of a message that was probed; `receive(data, bytes, element_bytes)` takes it.
template <class T, class Receive>
T unpack(const Received& probed, Receive receive) {
  const std::size_t bytes = probed.count;
  if constexpr (IsPlain<T>) {
    if (bytes != sizeof(T)) throw_wrong_length(bytes, sizeof(T));
    T value;
    receive(&value, sizeof value, sizeof value);
    return value;
  } else if constexpr (IsPlainRange<T> && requires(T & t) { t.resize(1); }) {
    using E = Element<T>;
    if (bytes % sizeof(E) != 0) throw_wrong_length(bytes, sizeof(E));
    T value;
    value.resize(bytes / sizeof(E));
    receive(std::ranges::data(value), bytes, sizeof(E));
    return value;
  } else {
    std::vector<char> packed(bytes);
    receive(packed.data(), bytes, 1);
    PupFromMemory unpacker(packed.data(), bytes);
    T value{};
    unpacker | value;
    return value;
  }
}

}  // namespace roam::detail

#endif  // ROAM_DATA_H_
