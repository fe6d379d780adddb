#ifndef ROAM_RUNTIME_MOVE_LIVE_SOURCE_H_
#define ROAM_RUNTIME_MOVE_LIVE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/os/written_pages.h"
#include "base/range.h"
#include "runtime/move/live_messages.h"
#include "runtime/move/live_reports.h"
#include "runtime/net/net.h"
#include "runtime/place/locator.h"

namespace roam::runtime {

// Threads that are to move to another node, of which pages are sent while they still run.
//
//   kLiveBegin -->  <-- kLiveReady    kLivePages, bytes -->  <-- kLiveTaken    in passes
//   kLiveThere, and the image without those pages -->
//   or kLiveEnd -->, or <-- kLiveLost: it is an ordinary move, or none
//
// A pass goes through the thread's heap, part by part: write protection is laid, and then what is
// not known to be at the target is copied into buffers and sent. What is written after it was
// protected is sent again. The thread is asked to move when a pass had little to send, or no less
// than the one before. What is at the target follows from what this process's page tables say of
// each address, whoever has it; whose addresses they are is asked at the departure only.
//
// One thread at a time; others wait for their turn. Context: the rank's kernel thread, capture off;
// of a rank that is alone on its node.
class LiveSource {
 public:
  LiveSource(Net& net, Locator& locator, LiveReports& reports, bool huge_pages, int verbose);
  ~LiveSource();
  LiveSource(const LiveSource&) = delete;
  LiveSource& operator=(const LiveSource&) = delete;

  // `t`, which is here and may be moved, is to go to rank `to`, and should not stand still for
  // longer. Where pages cannot be sent ahead it is asked to move at once.
  void ask(Tcb* t, int to, std::int64_t most_still_ns);
  // It was asked something else.
  void forget(std::uint64_t id);

  void on_ready(int from, const LiveWordHead& head);
  void on_taken(const LiveTakenHead& head);
  void on_lost(const LiveWordHead& head);

  // ---- the departure of `t`, whose heap is closed ----

  // Whether pages of it are at rank `to` already. False: the move is an ordinary one.
  bool leaves(Tcb* t, int to);
  // What of its memory is mapped.
  const std::vector<Range>& mapped() const { return written_.present(); }
  // Tells the target which ones; what of the image has to be sent.
  std::vector<Range> send_there(std::uint32_t transfer, const Image& image);
  // They are of no use.
  void give_up();

  // A checkpoint stands still for none: they are ordinary moves.
  void make_ordinary(const char* why);
  // `t` has been asked to move, and it may be that nobody looks.
  void ask_again(Tcb* t);
  void poll();
  std::uint64_t bytes_ahead = 0;  // sent so
  bool busy() const { return now_.has_value() || !waiting_.empty() || !pieces_.empty(); }
  bool watches() const { return written_.watches(); }
  // Threads that are to be asked to move as soon as nothing stands still.
  bool has_to_ask() const { return !to_ask_.empty(); }
  std::string describe() const;

 private:
  struct Wish {
    Tcb* t;
    std::uint64_t id;
    int to;
    std::int64_t most_still_ns;
  };
  struct Session : Wish {
    std::uint32_t number = 0;
    bool accepted = false;
    bool passing = false;
    bool asked = false;        // to move: it goes as soon as it can
    std::vector<Range> parts;  // that this pass has still to look at, in order
    std::size_t next_part = 0;
    std::vector<Range> to_send;  // of those that it has looked at
    std::size_t next_to_send = 0;
    std::vector<Range> there;  // at the target, and not written since, as of the last look
    std::vector<Range> taken;  // since then
    std::uint64_t sent_bytes = 0, taken_bytes = 0;
    std::uint64_t pass_bytes = 0, last_pass_bytes = ~std::uint64_t{0};
    std::int64_t pass_begin_ns = 0, next_pass_ns = 0, pause_ns = 0, asked_ns = 0, still_ns = 0;
    double bytes_a_ns = 0;
    std::uint32_t passes = 0;
    int not_less = 0;  // passes in a row
    std::string why;
  };

  // Pages on their way.
  struct Piece {
    std::uint32_t number;       // of the session
    std::vector<Range> ranges;  // as they were sent
    std::size_t bytes;
    std::vector<Range> same;  // of them: those that have not been written since
    std::unique_ptr<char[]> memory;
    std::unique_ptr<Mpi::Bulk> bulk;
    bool taken = false;
  };

  std::string obstacle(const Tcb* t, int to) const;
  Tcb* here(const Wish& wish) const;
  void begin(const Wish& wish);
  void step();
  void begin_pass(Tcb* t);
  void end_pass(Tcb* t);
  void send_some();
  bool look_at_next();
  bool look(const std::vector<Range>& parts);
  void send_pages();
  void look_after_pieces();
  void ask_to_move(Tcb* t);
  void make_ordinary(const Wish& wish, const std::string& why);
  void ask_those_made_ordinary();
  void end_session(bool tell);
  void end_watch();
  void note_ordinary(std::uint64_t id, const char* name, const std::string& why);

  Net& net_;
  Locator& locator_;
  LiveReports& reports_;
  bool huge_pages_;
  int verbose_;
  os::WrittenPages written_;
  std::deque<Wish> waiting_;
  std::vector<Wish> to_ask_;
  std::optional<Session> now_;
  std::deque<Piece> pieces_;
  std::vector<std::unique_ptr<char[]>> buffers_;  // that are free
  std::uint32_t last_number_ = 0;
  std::int64_t watch_until_ns_ = 0;
  std::vector<Range> clean_, found_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_MOVE_LIVE_SOURCE_H_
