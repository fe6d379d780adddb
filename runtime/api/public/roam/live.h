#ifndef ROAM_LIVE_H_
#define ROAM_LIVE_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "roam/thread.h"

// Threads with much memory that move to another node, and hardly stand still for it.
namespace roam {

// How a thread is to move while it runs.
struct Live {
  // It stands still once what it wrote meanwhile can be sent in so long, or once that does not get
  // less; so the time is a wish, and not a bound.
  std::chrono::microseconds most_still = std::chrono::milliseconds(1);
};

// As migrate(t, rank), but the pages of the heap of `t` are sent while it runs, those that it wrote
// meanwhile again, and it stands still for the rest only. It is on its rank, and in the hands of
// all who ask it to move, until then: another request replaces this one, a checkpoint and its end
// put an end to it.
//
// Where that cannot be, it is an ordinary migrate(t, rank): inside a node; if either node has
// several ranks; if the heap is smaller than 1 MiB, or may be in huge pages (ROAM_HUGE); if the
// kernel cannot tell what is written (before Linux 6.7), or devices may write into memory; while
// checkpoints watch what is written; if the target has no room. this_thread::live_move() says so.
//
// Units:   live.most_still, from 0 to 2^32 - 2 us.
// Context, Errors: as migrate(t, rank); Errc::bad_option  live.most_still is out of range.
// Cost:    pages that are written while they are sent cost a fault each, and are sent once more.
//          One thread of a rank at a time is sent so; others wait for their turn.
// Source:  Clark et al. 2005 (live migration of virtual machines).
void migrate(Thread t, int rank, Live live);

// What the last migrate(t, rank, Live) did.
struct LiveMove {
  bool live = false;                  // false: there was none, or it was an ordinary one
  unsigned rounds = 0;                // of sending what had been written
  std::uint64_t bytes_running = 0;    // sent while the thread ran
  std::uint64_t bytes_still = 0;      // and while it stood still
  std::chrono::nanoseconds still{0};  // for how long, but for the way of one message
  std::string why;                    // it was ordinary, or stood still for longer; else empty
};

namespace this_thread {

// Of the last live move that was asked for the calling thread; until it moves on.
// Errors: Errc::not_in_thread.
LiveMove live_move();

}  // namespace this_thread
}  // namespace roam

#endif  // ROAM_LIVE_H_
