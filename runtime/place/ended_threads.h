#ifndef ROAM_RUNTIME_PLACE_ENDED_THREADS_H_
#define ROAM_RUNTIME_PLACE_ENDED_THREADS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "runtime/net/state.h"

namespace roam::runtime {

// Which of the threads that a rank made have ended. They are numbered from 1, and most end soon:
// only chunks of numbers are kept in which a thread lives, and the newest. Memory: some 200 bytes
// for each thread that lives long, whatever the number of those that ended.
class EndedThreads {
 public:
  static constexpr std::uint64_t kChunk = 1024;

  EndedThreads() { newest_.set(0); }  // no thread has it

  // The thread `number` is made, the next one.
  void begin(std::uint64_t number) {
    if (number / kChunk != newest_number_) [[unlikely]]
      begin_chunk();
  }
  // REQUIRES of both: begin(number) was called.
  bool ended(std::uint64_t number) const {
    if (number / kChunk == newest_number_) return newest_.has(number);
    const auto it = older_.find(number / kChunk);
    return it == older_.end() || it->second->has(number);
  }
  void set_ended(std::uint64_t number) {
    if (number / kChunk == newest_number_) {
      newest_.set(number);
    } else if (const auto it = older_.find(number / kChunk); it != older_.end()) {
      it->second->set(number);
      if (it->second->ended == kChunk) older_.erase(it);
    }
  }
  std::size_t chunks() const { return older_.size() + 1; }

  void save(StateWriter& out) const {
    out.put(newest_number_);
    out.put(newest_);
    out.put<std::uint64_t>(older_.size());
    for (const auto& [number, chunk] : older_) {
      out.put(number);
      out.put(*chunk);
    }
  }
  void restore(StateReader& in) {
    newest_number_ = in.get<std::uint64_t>();
    newest_ = in.get<Chunk>();
    older_.clear();
    for (auto left = in.get<std::uint64_t>(); left > 0; --left) {
      const auto number = in.get<std::uint64_t>();
      older_[number] = std::make_unique<Chunk>(in.get<Chunk>());
    }
  }

 private:
  struct Chunk {
    bool has(std::uint64_t number) const {
      return (bits[number % kChunk / 64] >> (number % 64) & 1) != 0;
    }
    void set(std::uint64_t number) {
      ended += !has(number);
      bits[number % kChunk / 64] |= std::uint64_t{1} << (number % 64);
    }
    std::uint64_t bits[kChunk / 64] = {};
    std::uint64_t ended = 0;
  };
  void begin_chunk() {
    if (newest_.ended != kChunk) older_[newest_number_] = std::make_unique<Chunk>(newest_);
    newest_ = Chunk{};
    ++newest_number_;
  }

  Chunk newest_;
  std::uint64_t newest_number_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Chunk>> older_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_PLACE_ENDED_THREADS_H_
