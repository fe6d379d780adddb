#ifndef ROAM_PUP_H_
#define ROAM_PUP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace roam {

// One traversal that sizes, packs or unpacks, so that a type describes its fields once:
//
//   struct Body { double mass; std::vector<Vec> path;
//                 void pup(roam::Pup& p) { p | mass | path; } };
//
// The byte format is that of this machine's memory, without padding between fields. Errors:
// unpacking past the end of the data, or a failed read or write of a file, throws
// Error(corrupt_image or system). A write may fail as late as when the file is closed, unless
// settle() has returned.
class Pup {
 public:
  enum class Mode { kSizing, kPacking, kUnpacking };

  explicit Pup(Mode mode, bool deleting = false) : mode_(mode), deleting_(deleting) {}
  virtual ~Pup() = default;
  Pup(const Pup&) = delete;
  Pup& operator=(const Pup&) = delete;

  bool sizing() const { return mode_ == Mode::kSizing; }
  bool packing() const { return mode_ == Mode::kPacking; }
  bool unpacking() const { return mode_ == Mode::kUnpacking; }
  // A packer that deletes is the last to see the data: isomalloc blocks are freed once packed. Who
  // deletes what is his own calls settle() first.
  bool deleting() const { return deleting_; }
  void set_deleting(bool deleting) { deleting_ = deleting; }
  // Bytes traversed so far.
  std::size_t bytes() const { return bytes_; }

  // Traverses `bytes` raw bytes at `data`.
  void raw(void* data, std::size_t bytes) {
    transfer(data, bytes);
    bytes_ += bytes;
  }

  // Unpacking: refuses a count of elements that the rest of the data cannot hold, if each of them
  // takes at least `packed_bytes` there. Errors: Error(corrupt_image).
  void check_count(std::size_t count, std::size_t packed_bytes = 1) const;
  // The same of elements that may be packed to nothing: of those no more than 64 MiB in memory.
  void check_count_of_any(std::size_t count, std::size_t element_bytes) const;

  // Packing: once it returns, what was packed so far is where it goes to; of a file, with the
  // kernel. Errors: Error(system).
  virtual void settle() {}

 protected:
  // Bytes that are left to unpack, as far as that is known.
  virtual std::size_t left() const { return SIZE_MAX; }
  virtual void transfer(void* data, std::size_t bytes) = 0;

 private:
  Mode mode_;
  bool deleting_;
  std::size_t bytes_ = 0;
};

// Counts the bytes that packing would give.
class PupSizer final : public Pup {
 public:
  PupSizer() : Pup(Mode::kSizing) {}

 private:
  void transfer(void*, std::size_t) override {}
};

// Packs into `buffer`, which has room for the bytes that a PupSizer counted.
class PupToMemory final : public Pup {
 public:
  explicit PupToMemory(void* buffer, bool deleting = false)
      : Pup(Mode::kPacking, deleting), at_(static_cast<char*>(buffer)) {}

 private:
  void transfer(void* data, std::size_t bytes) override;
  char* at_;
};

// Unpacks from `buffer`; with `length` given, reading past it is an Error(corrupt_image).
class PupFromMemory final : public Pup {
 public:
  explicit PupFromMemory(const void* buffer, std::size_t length = SIZE_MAX)
      : Pup(Mode::kUnpacking), at_(static_cast<const char*>(buffer)), left_(length) {}

 private:
  void transfer(void* data, std::size_t bytes) override;
  std::size_t left() const override { return left_; }
  const char* at_;
  std::size_t left_;
};

template <class T>
concept HasPupMember = requires(T& t, Pup& p) {
  t.pup(p);
};
template <class T>
concept HasPupFunction = requires(T& t, Pup& p) {
  pup(p, t);
};

// Plain types without a pup of their own go as their bytes. Pointers are plain values: they stay
// valid because addresses do.
template <class T>
requires(HasPupMember<T> || HasPupFunction<T> || std::is_trivially_copyable_v<T>) Pup& operator|(
    Pup& p, T& value) {
  if constexpr (HasPupMember<T>) {
    value.pup(p);
  } else if constexpr (HasPupFunction<T>) {
    pup(p, value);
  } else {
    p.raw(&value, sizeof(T));
  }
  return p;
}

template <class A, class B>
requires(!std::is_trivially_copyable_v<std::pair<A, B>>) Pup& operator|(Pup& p,
                                                                        std::pair<A, B>& value) {
  return p | value.first | value.second;
}

Pup& operator|(Pup& p, std::string& value);

template <class T, class A>
Pup& operator|(Pup& p, std::vector<T, A>& values) {
  constexpr bool kRaw = std::is_trivially_copyable_v<T> && !HasPupMember<T> && !HasPupFunction<T>;
  std::size_t count = values.size();
  p | count;
  if (p.unpacking()) {
    if constexpr (kRaw) {
      p.check_count(count, sizeof(T));
    } else {
      p.check_count_of_any(count, sizeof(T));
    }
    values.resize(count);
  }
  if constexpr (kRaw && !std::is_same_v<T, bool>) {
    p.raw(values.data(), count * sizeof(T));
  } else if constexpr (std::is_same_v<T, bool>) {
    for (std::size_t i = 0; i < count; ++i) {
      bool bit = values[i];
      p | bit;
      values[i] = bit;
    }
  } else {
    for (T& value : values) p | value;
  }
  return p;
}

template <class T, std::size_t N>
requires(!std::is_trivially_copyable_v<std::array<T, N>>) Pup& operator|(Pup& p,
                                                                         std::array<T, N>& values) {
  for (T& value : values) p | value;
  return p;
}

template <class T>
requires(!std::is_trivially_copyable_v<std::optional<T>>) Pup& operator|(Pup& p,
                                                                         std::optional<T>& value) {
  bool has = value.has_value();
  p | has;
  if (p.unpacking()) {
    if (has) {
      value.emplace();
    } else {
      value.reset();
    }
  }
  if (has) p | *value;
  return p;
}

template <class K, class V, class C, class A>
Pup& operator|(Pup& p, std::map<K, V, C, A>& values) {
  std::size_t count = values.size();
  p | count;
  if (!p.unpacking()) {
    for (auto& [key, value] : values) {
      K copy = key;
      p | copy | value;
    }
    return p;
  }
  p.check_count_of_any(count, sizeof(std::pair<K, V>));
  values.clear();
  for (std::size_t i = 0; i < count; ++i) {
    std::pair<K, V> entry;
    p | entry.first | entry.second;
    values.insert(values.end(), std::move(entry));
  }
  return p;
}

// Traverses the isomalloc block at `*block` (see iso_pup).
void pup_block(Pup& p, void** block);

}  // namespace roam

#endif  // ROAM_PUP_H_
