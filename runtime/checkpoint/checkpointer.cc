#include "runtime/checkpoint/checkpointer.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/block.h"
#include "runtime/checkpoint/piece.h"
#include "runtime/image/image.h"
#include "runtime/keeper/keeper_wire.h"
#include "threads/kernel_state.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::State;
using threads::scheduler;

namespace {

// How long threads go on before it is tried again: twice as long each time.
constexpr std::int64_t kFirstPauseNs = 1'000'000;
constexpr std::int64_t kLongestPauseNs = 200'000'000;
// So much later than rank 0 others find that it is time.
constexpr std::int64_t kSlackNs = 100'000'000;
// Between the end of one and the begin of the next, where that is due already.
constexpr std::int64_t kBetweenNs = 100'000'000;
// Messages under way come to an end; if that takes so long, it is told.
constexpr std::int64_t kLongSettlingNs = 10'000'000'000;
// So much more than wait=, and it is given up.
constexpr std::int64_t kLongestSettlingNs = 120'000'000'000;

template <class Head>
std::string_view text_behind(const char* message, std::size_t bytes) {
  return {message + sizeof(Head), bytes - sizeof(Head)};
}

}  // namespace

Checkpointer::Checkpointer(Net& net, Lifecycle& life, OpenObjects& open_objects,
                           const Options& options, Facts facts)
    : net_(net),
      life_(life),
      open_objects_(open_objects),
      facts_(std::move(facts)),
      dir_(options.checkpoint_dir.empty() ? std::string() : keeper_folder(options.checkpoint_dir)),
      every_ns_(std::int64_t{options.checkpoint_every_s} * 1'000'000'000),
      compression_{.level = options.checkpoint_compression},
      copies_(net, [this](KeeperClient& keeper, std::string* why) { return reach(keeper, why); }),
      wait_ns_(std::int64_t{options.checkpoint_wait_s} * 1'000'000'000),
      keep_(options.checkpoint_keep),
      full_every_(options.checkpoint_full),
      in_memory_(options.checkpoint_memory),
      memory_(options.checkpoint_memory),
      disk_every_(options.checkpoint_disk),
      since_disk_(options.checkpoint_disk - 1),  // the first is on disk too
      rounds_(net.ranks()) {
  // Not when it is needed: kernel threads of the program may wait with the loader's lock then.
  if (in_memory_) keeper_program_ = find_keeper(options.keeper, &no_keeper_);
  held_ = std::move(facts_.kept_by);
  heard_.reserve(static_cast<std::size_t>(net.node_ranks()));  // who hears needs no memory for that
  leaves_held_ = !facts_.kept_in.empty() && !memory_;
  if (!facts_.restarts) begin();
}

void Checkpointer::begin() {
  if (every_ns_ == 0 || !facts_.refusal.empty()) return;
  wind_up();
  set_due(true);
}

std::string Checkpointer::state_name(std::size_t component) {
  return text("component %zu", component);
}

// ---- asking ----

void Checkpointer::ask(Tcb* self, std::string_view path, Answer* answer) {
  if (!facts_.refusal.empty())
    throw Error(Errc::checkpoint_failed, "checkpoint: " + facts_.refusal);
  answer->checkpoint = true;
  self->answer = answer;
  const CheckpointAskHead head{
      Kind::kCheckpointAsk, net_.rank(), {self->id.load(std::memory_order_relaxed), self}};
  net_.send_long(0, head, keeper_folder(std::string(path)));
}

void Checkpointer::ask_from_outside() {
  std::string why = facts_.refusal;
  if (why.empty() && dir_.empty())
    why = "somebody asks for one from outside, and ROAM_CHECKPOINT names no folder";
  if (!why.empty()) return report(text("no checkpoint: %s", why.c_str()).c_str());
  net_.send_long(0, CheckpointAskHead{Kind::kCheckpointAsk, kFromOutside, {}}, dir_);
}

std::span<const Kind> Checkpointer::kinds() const {
  static constexpr Kind kOwn[] = {
      Kind::kCheckpointAsk,   Kind::kCheckpointOrder, Kind::kCheckpointReply, Kind::kCheckpointDone,
      Kind::kCheckpointPages, Kind::kCheckpointCopy,  Kind::kCheckpointCopied};
  return kOwn;
}

void Checkpointer::handle(int from, const char* message, std::size_t bytes) {
  switch (read<Kind>(message)) {
    case Kind::kCheckpointAsk: {
      const auto head = read<CheckpointAskHead>(message);
      if (head.asker_rank == kFromTimeToTime) {
        if (!asks_.empty() || now_ns() < next_ns_) return;  // somebody was first
        wind_up();
      }
      // Of one folder all have numbers one above the other, by whatever way they name it; and it
      // may have another way on another node.
      std::string path(text_behind<CheckpointAskHead>(message, bytes));
      if (head.asker_rank < 0 || same_folder(path, dir_)) path = dir_;
      asks_.push_back({head.asker_rank, head.asker, std::move(path), now_ns()});
      set_due(true);
      return;
    }
    case Kind::kCheckpointOrder:
      ordered_.emplace_back(read<CheckpointOrderHead>(message),
                            std::string(text_behind<CheckpointOrderHead>(message, bytes)));
      set_due(true);
      return;
    case Kind::kCheckpointPages:
      return take_pages(read<CheckpointPagesHead>(message),
                        text_behind<CheckpointPagesHead>(message, bytes));
    case Kind::kCheckpointCopy:
      return copies_.take_part(from, read<CheckpointCopyHead>(message),
                               text_behind<CheckpointCopyHead>(message, bytes));
    case Kind::kCheckpointCopied:
      return copies_.take_answer(read<CheckpointCopiedHead>(message),
                                 text_behind<CheckpointCopiedHead>(message, bytes));
    case Kind::kCheckpointReply:
      return take_reply(from, read<CheckpointReplyHead>(message),
                        text_behind<CheckpointReplyHead>(message, bytes));
    default: {
      const auto head = read<CheckpointDoneHead>(message);
      give_answer(head.asker, head.code,
                  std::string(text_behind<CheckpointDoneHead>(message, bytes)).c_str());
      return;
    }
  }
}

std::string Checkpointer::describe() const {
  if (asks_.empty()) return {};
  std::string line = text("a checkpoint is being made in '%s'", asks_.front().path.c_str());
  if (!why_.empty()) line += "; " + why_;
  return line;
}

// ---- on rank 0 ----

// What has come is obeyed here, when no message is in hand: those are counted when they have been
// handled.
void Checkpointer::poll() {
  if (writing_ && writing_->done.load(std::memory_order_acquire)) written();
  if (copying_) {
    copies_.poll();
    std::string why;
    if (const std::optional<bool> good = copies_.take_result(&why)) {
      copying_ = false;
      if (!*good) {
        why_not_ = why;
        failed_ = failed_ | CheckpointTargets::kMemory;
      }
      say_written(*good);
    }
  }
  if (net_.rank() != 0) {
    const auto ordered = std::exchange(ordered_, {});
    for (const auto& [head, text] : ordered) obey(head, text);
    if (!still_ && !writing_ && time_has_come())
      net_.send_long(0, CheckpointAskHead{Kind::kCheckpointAsk, kFromTimeToTime, {}}, dir_);
    set_due(next_ns_ != 0 || writing_ != nullptr || copying_);
    return;
  }
  if (publishing_) {
    look_at_publishing();
  } else if (at_ == CheckpointOrder::kWritten && writers_done_ == writers_) {
    publish();
  }
  if (at_ != CheckpointOrder{} && at_ != CheckpointOrder::kWritten && awaited_ == 0) all_replied();
  if (asks_.empty() && time_has_come()) asks_.push_back({kFromTimeToTime, {}, dir_, now_ns()});
  if (!asks_.empty() && at_ == CheckpointOrder{} && now_ns() - tried_ns_ >= pause_ns_) begin_one();
  set_due(next_ns_ != 0 || !asks_.empty() || at_ != CheckpointOrder{} || copying_);
}

// Rank 0 looks at the clock for all. But it may have nothing to do, and wait in a wave that finds
// the end of the job, which would not see what it begins then: somebody who works asks it instead,
// a little later.
void Checkpointer::wind_up() {
  next_ns_ = now_ns() + every_ns_ + (net_.rank() == 0 ? 0 : every_ns_ / 16 + kSlackNs);
}

bool Checkpointer::time_has_come() {
  if (next_ns_ == 0 || now_ns() < next_ns_ || !facts_.no_wave()) return false;
  wind_up();
  return true;
}

void Checkpointer::begin_one() {
  tried_ns_ = now_ns();
  why_.clear();
  failed_at_ = {};
  told_ = false;
  hooks_have_run_ = false;
  rounds_ = QuietRounds(net_.ranks());
  // What stands in the way is found out before anything is changed, and again afterwards.
  order(CheckpointOrder::kCheck);
}

// The others first: what this rank counts is what it has sent them.
void Checkpointer::order(CheckpointOrder what, std::string_view said) {
  at_ = what == CheckpointOrder::kGo ? CheckpointOrder{} : what;
  ++round_;
  awaited_ = net_.ranks();
  good_ = true;
  obstacle_.clear();
  hooks_ = false;
  const CheckpointLooks looks = what != CheckpointOrder::kCount || !rounds_.may_end()
                                    ? CheckpointLooks::kNot
                                : hooks_have_run_ ? CheckpointLooks::kAfterHooks
                                                  : CheckpointLooks::kFirst;
  const CheckpointOrderHead head{
      Kind::kCheckpointOrder, what, round_, targets_, number_, base_, watch_, looks};
  // A manifest may be long, and one rank of each node gives it to the node's keeper.
  const auto of_rank = [&](int rank) {
    return what == CheckpointOrder::kCommit && net_.node_rank_of(rank) != 0 ? "" : said;
  };
  for (int rank = 1; rank < net_.ranks(); ++rank) net_.send_long(rank, head, of_rank(rank));
  obey(head, of_rank(0));
}

void Checkpointer::take_reply(int from, const CheckpointReplyHead& head, std::string_view said) {
  failed_at_ = failed_at_ | head.failed;
  if (head.order == CheckpointOrder::kWritten) {  // others may still be copying
    ++writers_done_;
    const std::size_t zero = std::min(said.find('\0'), said.size());
    if (head.good != 0)
      pieces_[static_cast<std::size_t>(from)] = unpack_summary(said.substr(0, zero));
    if (head.good != 0 && head.failed != CheckpointTargets::kNone && why_.empty())
      why_ = said.substr(std::min(zero + 1, said.size()));
    else if (head.good == 0 && std::exchange(written_well_, false) && why_.empty())
      why_ = said;
    return;
  }
  if (head.order != at_ || head.round != round_) return;
  if (head.order == CheckpointOrder::kCount) {
    rounds_.add(head.sent, head.received, head.good != 0);
    hooks_ = hooks_ || head.found == CheckpointFound::kHooks;
    if (head.found == CheckpointFound::kObstacle && obstacle_.empty()) obstacle_ = said;
  } else if (head.order == CheckpointOrder::kHooks) {
    rounds_.add(head.sent, head.received, head.found != CheckpointFound::kUnderWay);
  }
  if (head.good == 0) {
    good_ = false;
    if (why_.empty()) why_ = said;
  } else if (head.order == CheckpointOrder::kWrite) {
    ++writers_;
    threads_ += head.threads;
    all_bytes_ += head.bytes;
    copied_bytes_ += head.copied;
  }
  --awaited_;
}

void Checkpointer::all_replied() {
  switch (at_) {
    case CheckpointOrder::kCount:
      if (rounds_.end()) {
        settled();
      } else {
        // It may take long: bytes are on their way into messages that nobody may receive before.
        if (now_ns() - tried_ns_ > wait_ns_ + kLongestSettlingNs) {
          return refuse(text("messages are still under way after %lld s (%s): %s",
                             static_cast<long long>((now_ns() - tried_ns_) / 1'000'000'000),
                             rounds_.last().c_str(), why_.c_str()));
        }
        if (!told_ && now_ns() - tried_ns_ > kLongSettlingNs) {
          told_ = true;
          report(text("a checkpoint waits for messages that are under way (%s): %s",
                      rounds_.last().c_str(), why_.c_str())
                     .c_str());
        }
        why_.clear();
        rounds_.begin();
        order(CheckpointOrder::kCount);
      }
      return;
    case CheckpointOrder::kCheck:
      if (!good_) return try_later(why_);
      if (!prepared_ && !prepare()) return;
      rounds_.begin();
      return order(CheckpointOrder::kCount);
    case CheckpointOrder::kHooks:
      if (!good_) return refuse(why_);
      if (rounds_.end()) return write_all();
      // They have woken who leaves, or asked other ranks for memory.
      rounds_.begin();
      return order(CheckpointOrder::kCount);
    case CheckpointOrder::kCommit:
      if (!good_) {
        failed_at_ = CheckpointTargets::kMemory;
        if (has(targets_, CheckpointTargets::kDisk)) why_ += "; it is whole on disk";
        return end(Errc::checkpoint_failed, why_);
      }
      note_kept(true);
      return order(CheckpointOrder::kSettle);
    case CheckpointOrder::kSettle:
      // It is there. A keeper that was lost since, and may still have an older one whose memory
      // must stay as it is, is found at the next one.
      if (!good_) return made();
      return order(CheckpointOrder::kFree);
    case CheckpointOrder::kFree:
      return made();
    default:
      // Who has copied its memory goes on to the end in any case: it is heard of below.
      written_well_ = written_well_ && good_;
      order(CheckpointOrder::kGo);
      at_ = CheckpointOrder::kWritten;
      return;
  }
}

// Nothing is under way, and all have looked what stands in the way now.
void Checkpointer::settled() {
  why_.clear();
  if (!obstacle_.empty()) return try_later(std::exchange(obstacle_, {}));
  if (!hooks_) return write_all();
  hooks_have_run_ = true;
  rounds_.begin();
  order(CheckpointOrder::kHooks);
}

std::string Checkpointer::part_path() const {
  if (has(targets_, CheckpointTargets::kDisk)) return folder_.part_path();
  return asks_.front().path + text("/%06llu", static_cast<unsigned long long>(number_));
}

// After hooks of the program, which may have set what travels, and before its threads go on.
bool Checkpointer::describe_job() {
  manifest_ = {};
  try {
    facts_.describe(&manifest_);
    return true;
  } catch (const std::exception& error) {  // of job_data
    why_ = error.what();
    return false;
  }
}

// Where it goes, and its number: file systems take their time, so threads do not stand still yet.
// False: it has ended.
bool Checkpointer::prepare() {
  const auto fail = [this](const std::string& why) {
    end(Errc::checkpoint_failed, why);
    return false;
  };
  const std::string& dir = asks_.front().path;
  std::string why;
  targets_ = choose_targets();
  // Of those in memory each has a number above all before, on disk too.
  const std::uint64_t above = std::max(last_tried_, facts_.restarted_from);
  if (has(targets_, CheckpointTargets::kDisk) || last_tried_ == 0) {
    const bool begun = folder_.begin(dir, &why, dir == dir_ ? above : 0);
    if (begun) {
      number_ = folder_.number;
      if (!has(targets_, CheckpointTargets::kDisk)) folder_.give_up();
    } else if (has(targets_, CheckpointTargets::kMemory) && above != 0) {
      number_ = above + 1;
      if (targets_ == CheckpointTargets::kBoth) no_disk_ = why;
      targets_ = CheckpointTargets::kMemory;
    } else {
      return fail(why);
    }
  } else {
    number_ = above + 1;
  }
  if (first_new_ == 0 && facts_.went_on_from != 0 && same_folder(dir, facts_.went_on_in))
    first_new_ = number_;
  if (dir == dir_) last_tried_ = number_;  // keepers may have it, whether it is made or not
  // A job that goes on from what keepers had goes on with them; others must not find it.
  if (has(targets_, CheckpointTargets::kMemory) && keepers_.empty()) {
    if (!facts_.kept_in.empty() && same_folder(facts_.kept_in, dir_))
      keepers_ = name_for_keepers(dir_, false, &why);
    if (keepers_.empty() || keeper_id(keepers_) != keeper_id(facts_.kept_name)) {
      std::string none;
      earlier_keepers_ = name_for_keepers(dir_, false, &none);
      keepers_ = name_for_keepers(dir_, true, &why);
    }
    if (keepers_.empty()) {
      failed_at_ = CheckpointTargets::kMemory;
      return fail(why);
    }
  }
  prepared_ = true;
  return true;
}

// Everything stands still: which pages have changed, then the pieces. What the program gives for
// the manifest comes first, so that a fault of its leaves nothing in keepers.
void Checkpointer::write_all() {
  if (!describe_job()) return refuse(why_);
  if (!no_disk_.empty()) go_on_in_memory(std::exchange(no_disk_, {}));
  const std::string& dir = asks_.front().path;
  pieces_.assign(static_cast<std::size_t>(net_.ranks()), {});
  threads_ = all_bytes_ = copied_bytes_ = 0;
  writers_ = writers_done_ = 0;
  written_well_ = true;
  const bool can_build =
      last_dir_ == dir && since_full_ + 1 < full_every_ && has(last_targets_, targets_);
  watch_ = full_every_ != 1 && not_tracked_ == 0;
  not_tracked_ = std::max(0, not_tracked_ - 1);
  base_ = can_build && watch_ ? last_ : 0;
  std::string said = part_path();
  if (has(targets_, CheckpointTargets::kMemory)) said += '\0' + keepers_ + '\0' + earlier_keepers_;
  order(CheckpointOrder::kWrite, said);
}

void Checkpointer::try_later(std::string why) {
  if (now_ns() - asks_.front().since_ns > wait_ns_) return refuse(why);
  order(CheckpointOrder::kGo);
  pause_ns_ = std::clamp(2 * pause_ns_, kFirstPauseNs, kLongestPauseNs);
  tried_ns_ = now_ns();
  why_ = why;
}

// It has not come to where it would have been written: nothing follows for the next one.
void Checkpointer::refuse(const std::string& why) {
  targets_ = {};
  end(Errc::checkpoint_failed, why);
}

void Checkpointer::end(Errc code, std::string why) {
  folder_.give_up();  // what is published stays
  if (still_)
    order(CheckpointOrder::kGo);
  else
    at_ = {};
  if (code != Errc{} && failed_at_ != CheckpointTargets::kNone) last_ = 0;
  // Memory is tried again, lest a disk that fails leave none at all.
  if (code != Errc{} && targets_ == CheckpointTargets::kDisk) disk_next_ = false;
  if (code != Errc{} && has(failed_at_, CheckpointTargets::kMemory)) {
    // The next one goes to disk; and all, if the one after it fails too. Who had the keepers end
    // has noted that they have nothing.
    disk_next_ = true;
    noted_.reset();
    if (++memory_failures_ == 2) {
      memory_ = false;
      left_memory_ = true;
      why += "; from now on checkpoints are made on disk only";
      order(CheckpointOrder::kLeave);
      at_ = {};
    }
  }
  // The next one leaves time to find that the job has ended, or that nothing can wake its threads.
  if (next_ns_ != 0) next_ns_ = std::max(next_ns_, now_ns() + kBetweenNs);
  const Ask ask = std::move(asks_.front());
  asks_.pop_front();
  if (!asks_.empty()) asks_.front().since_ns = now_ns();
  pause_ns_ = 0;
  why_.clear();
  targets_ = {};
  prepared_ = false;
  no_disk_.clear();
  if (ask.asker_rank < 0) {
    if (code != Errc{}) {
      report(text("no checkpoint in '%s': %s", ask.path.c_str(), why.c_str()).c_str());
    } else if (ask.asker_rank == kFromOutside) {
      report(text("checkpoint %llu in '%s' is made", static_cast<unsigned long long>(number_),
                  ask.path.c_str())
                 .c_str());
    }
    return;
  }
  const CheckpointDoneHead head{Kind::kCheckpointDone, code, ask.asker};
  net_.send_long(ask.asker_rank, head,
                 code == Errc{} ? std::string()
                                : text("checkpoint in '%s': %s", ask.path.c_str(), why.c_str()));
}

}  // namespace roam::runtime
