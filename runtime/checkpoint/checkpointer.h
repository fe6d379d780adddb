#ifndef ROAM_RUNTIME_CHECKPOINT_CHECKPOINTER_H_
#define ROAM_RUNTIME_CHECKPOINT_CHECKPOINTER_H_

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/options.h"
#include "base/os/helper_thread.h"
#include "base/os/written_pages.h"
#include "runtime/checkpoint/aside.h"
#include "runtime/checkpoint/checkpoint_messages.h"
#include "runtime/checkpoint/compression.h"
#include "runtime/checkpoint/folder.h"
#include "runtime/checkpoint/known_pages.h"
#include "runtime/checkpoint/left_keepers.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/checkpoint/piece_copies.h"
#include "runtime/checkpoint/piece_file.h"
#include "runtime/checkpoint/piece_writer.h"
#include "runtime/checkpoint/quiet_rounds.h"
#include "runtime/checkpoint/watch_worth.h"
#include "runtime/image/image.h"
#include "runtime/keeper/keeper_client.h"
#include "runtime/life/lifecycle.h"
#include "runtime/move/open_objects.h"
#include "runtime/net/net.h"
#include "runtime/place/answer.h"

namespace roam::runtime {

// Checkpoints of the whole job. Rank 0 has the threads of all ranks stand still, waits until no
// message is under way and all that is for a thread lies in its memory (Component::settle), and has
// each rank make its piece: the images of its threads, blocks, and what components save. Memory is
// copied aside, then threads go on, while a kernel thread of each rank computes checksums and
// writes the file. Where there is no memory for that, files are written while threads stand still.
// Pages that have not changed since the checkpoint before are not copied. Where something forbids a
// checkpoint, such as an open FILE*, threads go on for a while, and it is tried again, for so long
// as wait= of ROAM_CHECKPOINT says.
//
//   kCheckpointAsk -->  rank 0:  kCheck -->  <-- what forbids it
//                                kCount -->  <-- counts, until two rounds are quiet
//                                kCheck -->  <-- what forbids it now
//                                kHooks --> <-- hooks of the program have run, and counts; where
//                                              something is under way, kCount as above
//                                kWrite -->      what has been written? (among a node's ranks)
//                                            <-- memory is copied aside
//                                kGo    -->  <-- the piece is written
//                                kCommit, kSettle, kFree --> where keepers have it
//
// Context: the rank's kernel thread, capture off.
class Checkpointer final : public Component {
 public:
  // What it asks of the job. `components`: all of them, in an order that is always the same.
  struct Facts {
    std::function<const std::vector<Component*>&()> components;
    std::function<void(StateWriter&)> addresses;  // that are free here
    std::function<std::uint64_t()> exit_code;     // that root gave here; 0: it did not end here
    std::string refusal;                          // why there are none; empty: there are
    std::function<void()> hooks;                  // of the program, before a checkpoint is written
    std::function<bool()> has_hooks;
    std::function<bool()> no_wave;     // that may be finding the end of the job
    bool restarts = false;             // none is made by itself before begin()
    std::uint64_t restarted_from = 0;  // the number above which new ones have theirs
    std::uint64_t went_on_from = 0;    // the number of the one that is read
    std::string went_on_in;            // the folder of those that it is one of
    // If the one that it goes on from was in memory: the folder, and the name of keepers.
    std::string kept_in, kept_name;
    std::vector<std::shared_ptr<KeeperClient>> kept_by;  // where it is, until there is a newer one
    std::function<void(Manifest*)> describe;  // fills in what is the same for every checkpoint
  };
  // Errors of ask(): Error(checkpoint_failed).
  Checkpointer(Net& net, Lifecycle& life, OpenObjects& open_objects, const Options& options,
               Facts facts);
  ~Checkpointer() override;

  // From now on one is made from time to time, if that is wanted.
  void begin();
  // `self` wants one in the folder `path`, and gets `answer`: done with code 0 where the job goes
  // on, with `resumed` where it was restarted.
  void ask(Tcb* self, std::string_view path, Answer* answer);
  // Somebody beside the job wants one, in the folder of ROAM_CHECKPOINT. How it went is reported.
  void ask_from_outside();

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  void poll() override;
  // The run has ended: keepers need not hold anything for it any more once the process ends.
  LeftKeepers leave_kept();

  bool quiet() const override {
    return !still_ && asks_.empty() && ordered_.empty() && !writing_ && !copying_;
  }
  bool urgent() const override {
    return still_ || (!asks_.empty() && at_ != CheckpointOrder::kWritten);
  }
  std::string describe() const override;

  // The name under which a piece has what the component at that place of the list saved.
  static std::string state_name(std::size_t component);
  // And what is the job's.
  static constexpr const char* kJobState = "job";
  static constexpr const char* kLeasesState = "leases";
  struct JobState {
    std::uint64_t exit_code;
  };

 private:
  struct Ask {
    int asker_rank;  // nobody waits for it: kFromTimeToTime, kFromOutside
    Target asker;
    std::string path;
    std::int64_t since_ns;
  };

  // A piece whose memory is copied, and which kernel threads finish.
  struct Writing {
    CheckpointOrderHead head;
    std::string path;
    std::string why;  // not
    int fd = -1;      // the copy in memory; -1: there is none
    std::vector<std::pair<Tcb*, ImageOf>> images;
    PieceWriter writer;
    PieceFile file;
    bool begun = false;  // kernel threads are at it
    bool good = false;
    CheckpointTargets failed{};  // for want of which it is not good; or kDisk, and it is in memory
    PieceSummary summary;
    KnownPages pages;
    std::atomic<bool> done = false;
    int process = getpid();
    os::HelperThread thread;
  };

  // What a kernel thread does when all pieces are there: the manifest, which may be long, becomes a
  // text for keepers; on disk the checkpoint is published, and older ones go. Disks take their
  // time, and rank 0 has threads too.
  struct Publishing {
    Manifest manifest;
    std::string dir;
    OwnCheckpoints own;
    int keep = 0;
    bool to_keepers = false, to_disk = false;
    std::string text;  // for keepers; empty: they cannot have it
    bool good = false;
    std::string why;      // not
    std::string foreign;  // the newest of another job in the folder
    std::string stays;    // why older ones do
    std::atomic<bool> done = false;
    int process = getpid();
    os::HelperThread thread;
  };

  static constexpr int kFromTimeToTime = -1, kFromOutside = -2;

  // ---- on every rank ----
  void obey(const CheckpointOrderHead& head, std::string_view text);
  void count(const CheckpointOrderHead& head, CheckpointReplyHead* answer, std::string* why);
  bool count_messages(CheckpointReplyHead* answer, std::string* why);
  bool check(std::string* why) const;
  std::string obstacle_of(const Tcb* t) const;
  bool run_hooks(std::string* why);
  void begin_piece(const CheckpointOrderHead& head, std::string_view folder);
  bool gather(Writing& w);
  void scan(const CheckpointOrderHead& head);
  bool look_at_pages(const CheckpointOrderHead& head, std::vector<Range>* own);
  void take_pages(const CheckpointPagesHead& head, std::string_view ranges);
  void copy_piece();
  bool copy(Writing& w, CheckpointReplyHead* answer);
  void plan(Writing& w);
  bool prepare_threads(Writing& w);
  bool add_threads(Writing& w, const std::vector<Range>* mapped);
  bool add_blocks(PieceWriter& writer, const std::vector<Range>* mapped);
  bool write_states(PieceWriter& writer);
  void build_on_last(PieceWriter& writer, const CheckpointOrderHead& head);
  bool reach(KeeperClient& keeper, std::string* why);
  bool reach_keeper(std::string* why);
  void hold_keeper();
  void lose_keeper();
  std::vector<std::string> own_keepers() const;
  void forget_keepers(const std::string& name);
  void leave_keepers(const std::string& name);
  void forget_kept();
  void note_kept(bool kept);
  bool commit(const CheckpointOrderHead& head, std::string_view manifest, std::string* why);
  bool settle_kept(const CheckpointOrderHead& head, std::string* why);
  void free_older(const CheckpointOrderHead& head);
  void leave_keeper();
  void begin_writing();
  void finish_piece(Writing& w);
  void written();
  void say_written(bool good);
  void reply(const CheckpointReplyHead& head, std::string_view text);
  void wind_up();
  bool time_has_come();

  // ---- on rank 0 ----
  void begin_one();
  void order(CheckpointOrder what, std::string_view text = {});
  void take_reply(int from, const CheckpointReplyHead& head, std::string_view text);
  void all_replied();
  void settled();
  bool prepare();
  void write_all();
  // False, with why_: the program's data cannot be had.
  bool describe_job();
  CheckpointTargets choose_targets();
  std::string part_path() const;
  void go_on_in_memory(const std::string& why);
  void made();
  void publish();
  void begin_publishing(const std::string& dir);
  static void publish_in(NewCheckpoint& folder, Publishing& p);
  void look_at_publishing();
  void published(const Publishing& p);
  void try_later(std::string why);
  void refuse(const std::string& why);
  void end(Errc code, std::string why);

  Net& net_;
  Lifecycle& life_;
  OpenObjects& open_objects_;
  Facts facts_;
  bool still_ = false;  // threads of this rank
  // Not obeyed yet: kGo is not answered, so another one may come right behind it.
  std::deque<std::pair<CheckpointOrderHead, std::string>> ordered_;

  std::string dir_;                          // of ROAM_CHECKPOINT
  std::int64_t every_ns_ = 0, next_ns_ = 0;  // without being asked
  Compression compression_;                  // of files on disk
  Aside aside_;
  std::unique_ptr<Writing> writing_;  // into what `aside_` has
  KeeperClient keeper_;
  PieceCopies copies_;
  CheckpointOrderHead written_order_{};  // of the piece that is being copied
  PieceSummary written_;
  CheckpointTargets failed_{};
  std::string why_not_;
  bool copying_ = false;
  std::string keeper_program_;  // empty: `no_keeper_` is why
  std::string no_keeper_;
  std::string keepers_;                      // their name
  std::string earlier_keepers_;              // of a job before, of whom nobody will ask
  std::vector<std::uint64_t> kept_numbers_;  // checkpoints of which it may hold memory of this rank
  // Connected only so that keepers hold the newest checkpoint, until there is a newer one.
  std::vector<std::shared_ptr<KeeperClient>> held_;
  KnownPages known_;  // what the last piece had
  // Which pages have been written since.
  os::WrittenPages written_pages_;
  std::uint64_t protected_at_ = 0;  // the checkpoint since which they know what was written
  WatchWorth worth_;
  bool scanned_ = false;                        // `clean_` is known
  const std::vector<Range>* mapped_ = nullptr;  // of the arena in this process; null: not known
  std::vector<Range> clean_;                    // pages that no rank of the node has written
  bool scanning_ = false;
  // What the node's ranks say of it. Those of a rank that was ordered before may come first.
  std::vector<std::pair<CheckpointPagesHead, std::vector<Range>>> heard_;

  // On rank 0.
  std::deque<Ask> asks_;  // the first is being made, if `at_` says so
  std::int64_t wait_ns_ = 0;
  int keep_ = 0;
  int full_every_ = 0;
  bool in_memory_ = false;  // it was asked for
  bool memory_ = false;     // those from time to time are made there
  int disk_every_ = 0, since_disk_ = 0;
  CheckpointOrder at_{};  // what replies are awaited for; 0: nothing
  std::uint32_t round_ = 0;
  int awaited_ = 0;
  QuietRounds rounds_;
  bool good_ = true;
  bool told_ = false;  // that it takes long
  // What ranks have found in this round of kCount: the first obstacle, and whether one has hooks.
  std::string obstacle_;
  bool hooks_ = false;
  bool hooks_have_run_ = false;
  std::string why_;  // not: the first that was said
  std::int64_t tried_ns_ = 0, pause_ns_ = 0;
  bool prepared_ = false;  // it is known where it goes
  std::string no_disk_;    // why not to the disk too, where that was wanted
  NewCheckpoint folder_;   // in the hands of `publishing_` while there is one
  std::unique_ptr<Publishing> publishing_;
  Manifest manifest_;
  std::vector<PieceSummary> pieces_;
  std::uint64_t threads_ = 0;
  std::uint64_t all_bytes_ = 0, copied_bytes_ = 0;
  int writers_ = 0;  // ranks that make their piece, and how many have ended
  int writers_done_ = 0;
  bool written_well_ = true;
  CheckpointTargets failed_at_{};  // where the one that is made could not be written
  CheckpointTargets targets_{};
  std::uint64_t number_ = 0;
  int memory_failures_ = 0;   // one after the other
  bool disk_next_ = false;    // after a failure
  bool left_memory_ = false;  // and keepers may still have something
  bool leaves_held_ = false;  // the keepers of before, once a checkpoint is on disk
  // The name of keepers that have a checkpoint, as the folder says too; none: it was not looked at.
  std::optional<std::string> noted_;
  std::uint64_t base_ = 0;  // on which the one that is made builds; 0: on none
  // The last one, on which the next may build, if all went well.
  std::uint64_t last_ = 0, last_tried_ = 0;
  std::uint64_t first_new_ = 0;  // beside the one that it went on from
  bool told_of_foreign_ = false;
  std::string last_dir_;
  CheckpointTargets last_targets_{};
  int since_full_ = 0;   // checkpoints that build on others
  int not_tracked_ = 0;  // so many are made without looking at what has changed
  static constexpr int kFirstRest = 4, kLongestRest = 64;
  int next_rest_ = kFirstRest;  // as many if most of the next one that looks has changed
  bool watch_ = false;          // the one that is made looks
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_CHECKPOINTER_H_
