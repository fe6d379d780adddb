#ifndef ROAM_RUNTIME_MOVE_MIGRATOR_H_
#define ROAM_RUNTIME_MOVE_MIGRATOR_H_

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "roam/error.h"
#include "runtime/image/image.h"
#include "runtime/image/memory_stream.h"
#include "runtime/image/staging.h"
#include "runtime/net/component.h"
#include "runtime/net/message.h"
#include "runtime/net/mpi.h"

namespace roam::runtime {

class LiveMoves;

// What a message with an image begins with; the image follows.
struct CarryHead {
  Kind kind;
  std::uint32_t transfer;  // the sender's number for this move
  std::uint32_t answers;   // 1: `answered` was taken, as kTaken would say
  std::uint32_t answered;  // a transfer from the target to the source
  Target joiner;           // not 0: who gets the ended thread's remains
};

struct OfferHead {
  CarryHead carry;
  std::uint64_t bytes;  // of the image's head and lists, here and behind the heads that follow
};

struct MoreHead {
  Kind kind;
  std::uint32_t transfer;
};

struct TransferHead {
  Kind kind;
  std::uint32_t transfer;
};

struct RefusalHead {
  Kind kind;
  std::uint32_t transfer;
  Errc code;
  char why[200];
};

// Moves threads between nodes, in two phases: the source lets go only after the target has the
// whole image; if the target cannot take it, the thread goes on at the source.
//
//   small:  kImage (the whole image)     -->   <-- kTaken
//   large:  kOffer (its head and lists)  -->   <-- kAccept    bytes -->   <-- kTaken
//   either: kImage or kOffer             -->   <-- kRefuse
//
// Of a large thread pages may have been sent ahead (LiveMoves). If they are still there, the target
// says kAcceptRest in place of kAccept, and only the others come.
//
// Bytes of a large image go from their place into their place. Any number of moves may be under
// way, both ways, while other threads run. Context: the rank's kernel thread, capture off.
class Migrator final : public Component {
 public:
  // What happens to the threads that move.
  class Listener {
   public:
    virtual ~Listener() = default;
    // `t` has arrived, or what it left for `joiner`; its memory is in place.
    virtual void arrived(Tcb* t, int from, Target joiner) = 0;
    // The target has `t`: it is not on this rank any more.
    virtual void departed(std::uint64_t id, int to, std::uint64_t hops) = 0;
    // The target cannot take `t`, or an ended thread's remains for `joiner`: it is as before.
    virtual void refused(Tcb* t, int to, Errc code, const char* why, Target joiner) = 0;
  };

  Migrator(Mpi& mpi, LiveMoves& live, Listener& listener, std::size_t eager_bytes,
           std::size_t keep_bytes)
      : Component(true),
        mpi_(mpi),
        live_(live),
        listener_(listener),
        eager_bytes_(eager_bytes),
        keep_bytes_(keep_bytes) {}

  // Sends suspended `t`, on no queue, to a rank of another node. With a `joiner`: an ended thread's
  // remains.
  void depart(Tcb* t, int to, Target joiner = {});

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  // Sends the answers that waited for a thread to take them along, and looks after transfers.
  void poll() override;
  bool quiet() const override { return !busy(); }
  bool urgent() const override { return busy(); }
  // Gives back all memory kept for threads that left.
  void reclaim() override { evict(0); }
  void idle(Idle stage) override {
    if (stage != Idle::kBegins) seal_old();
  }

  std::uint64_t moves_out = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t bytes_refused = 0;  // of them, of moves that came to nothing

 private:
  bool busy() const { return leaving_ != 0 || !arrivals_.empty() || !answers_.empty(); }
  void flush_answers();
  void progress();
  // Seals kept memory whose thread has not come back for a while.
  void seal_old();
  static constexpr std::uint32_t kNoRecord = ~std::uint32_t{0};

  // A thread that leaves, and then its memory here, kept for its return. The number of a transfer
  // is the index of its record; records are used again.
  struct Record {
    enum class State : std::uint8_t { kUnused, kLeaving, kKept };
    State state = State::kUnused;
    bool taken = false;
    bool returns = false;  // it has come back here before
    int to = -1;
    Tcb* t = nullptr;
    std::uint64_t id = 0;
    std::uint64_t hops = 0;
    Target joiner{};  // of an ended thread's remains
    Image image;
    bool live = false;           // pages were sent ahead
    std::vector<Range> fresh;    // what else is to be sent
    std::size_t sent_bytes = 0;  // of the image
    std::unique_ptr<Mpi::Bulk> bulk;
    std::vector<Staging::Buffer> staging;
    std::size_t kept_bytes = 0;  // whole pages
    std::uint64_t since_ticks = 0;
    std::uint32_t older = kNoRecord, newer = kNoRecord;  // among the kept
  };
  struct Arrival {
    CarryHead carry;
    std::size_t lists_bytes;  // of the image's head and lists
    std::vector<char> lists;  // those that have come
    ImageHead head;
    Image image;
    bool returns;  // this rank had kept the memory
    std::unique_ptr<Mpi::Bulk> bulk;
    std::vector<Staging::Buffer> staging;
    // Staged bytes and where they belong.
    std::vector<std::pair<MemorySource, std::vector<Range>>> scatter;
  };
  using Key = std::pair<int, std::uint32_t>;  // sender and its number

  std::uint32_t new_record();
  void leave(const Record& d, std::uint32_t transfer);
  void offer(Record& d, const CarryHead& carry, const ImageHead& head);
  void on_image(int from, const char* message, std::size_t bytes);
  void on_offer(int from, const char* message, std::size_t bytes);
  void on_more(int from, const char* message, std::size_t bytes);
  void add_lists(const Key& key, const char* lists, std::size_t bytes);
  void consider(const Key& key);
  void on_accept(std::uint32_t transfer, bool all);
  void on_taken(std::uint32_t transfer);
  void on_refuse(const RefusalHead& refusal);
  void keep(Record& d, std::uint32_t transfer);
  void settle_in(int from, const CarryHead& carry, const ImageHead& head, const Image& image,
                 bool returns);
  void refuse(int to, std::uint32_t transfer, const ImageRefusal& refusal);
  void reply(int to, Kind kind, std::uint32_t transfer);
  template <class Head>
  void send(int to, const Head& head);
  void evict(std::size_t most_bytes);
  void unkeep(std::uint32_t record);
  void give_back(std::uint32_t record);
  void forget_kept(std::uint64_t id, const Tcb* t);
  void seal(std::uint32_t record);

  Mpi& mpi_;
  LiveMoves& live_;
  Listener& listener_;
  std::size_t eager_bytes_;
  std::size_t keep_bytes_;
  std::deque<Record> records_;
  std::vector<std::uint32_t> unused_;
  std::vector<std::uint32_t> bulk_leaving_;  // records whose bytes are under way
  Staging staging_;
  std::size_t leaving_ = 0;
  std::map<Key, Arrival> arrivals_;
  Image arriving_;  // of a small thread; its room is used again
  struct Answer {
    int to;
    std::uint32_t transfer;
  };
  std::vector<Answer> answers_;
  // Kept records, oldest first, and those of them that are not sealed yet.
  std::uint32_t oldest_ = kNoRecord, newest_ = kNoRecord;
  struct Unsealed {
    std::uint32_t record;
    std::uint64_t since_ticks;
  };
  std::deque<Unsealed> unsealed_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_MOVE_MIGRATOR_H_
