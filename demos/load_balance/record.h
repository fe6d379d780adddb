#ifndef DEMOS_LOAD_BALANCE_RECORD_H_
#define DEMOS_LOAD_BALANCE_RECORD_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

// What the demo's threads do and what they remember of it: plain data with std:: containers, which
// travels in a thread's own memory like anything else.

// The part of a file that one thread compresses.
struct Piece {
  std::string path;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

// A thread's turn on a rank: one chunk, read and taken through zlib; the last hands over the
// result.
struct Turn {
  int rank = 0;
  std::int64_t begin_ns = 0;  // monotonic clock, the same for all ranks of a machine
  std::int64_t end_ns = 0;
  std::int64_t cpu_ns = 0;
};

// A migration that the balancer asked for: from the request to the thread's running on.
struct Move {
  int from = 0;
  int to = 0;
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::uint64_t state_bytes = 0;  // live heap that went with the thread
  bool between_nodes = false;     // sent through MPI, not handed over in shared memory
};

// What one thread brings home.
struct Result {
  int thread = 0;  // place of its piece in the work list
  int home = 0;    // rank it was dealt to
  Piece piece;
  std::vector<Turn> turns;
  std::vector<Move> moves;
  std::vector<unsigned char> gzip;  // one complete gzip member
  std::string error;                // empty if all went well
};

// One run over the whole work list; `results` in the order of the list.
struct Run {
  bool balanced = false;
  std::int64_t begin_ns = 0;
  std::vector<Result> results;
};

inline std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

#endif  // DEMOS_LOAD_BALANCE_RECORD_H_
