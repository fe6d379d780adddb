#include "runtime/checkpoint/checkpointer.h"

#include <algorithm>
#include <filesystem>
#include <typeinfo>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/block.h"
#include "runtime/checkpoint/piece.h"
#include "runtime/image/image.h"
#include "threads/kernel_state.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::State;
using threads::scheduler;

namespace {

// How long threads go on before it is tried again: twice as long each time.
constexpr std::int64_t kFirstPauseNs = 1'000'000;
constexpr std::int64_t kLongestPauseNs = 200'000'000;
// Messages under way come to an end; if that takes so long, it is told.
constexpr std::int64_t kLongSettlingNs = 10'000'000'000;

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
      every_dir_(options.checkpoint_every_s == 0
                     ? std::string()
                     : std::filesystem::absolute(options.checkpoint_dir).string()),
      every_ns_(std::int64_t{options.checkpoint_every_s} * 1'000'000'000),
      wait_ns_(std::int64_t{options.checkpoint_wait_s} * 1'000'000'000),
      keep_(options.checkpoint_keep),
      rounds_(net.ranks()) {
  if (net_.rank() != 0 || every_ns_ == 0 || !facts_.refusal.empty()) return;
  next_ns_ = now_ns() + every_ns_;
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
  std::error_code error;
  std::string whole = std::filesystem::absolute(path, error).lexically_normal().string();
  if (error) whole = path;  // the folder that it begins at is gone
  net_.send_long(0, head, whole);
}

std::span<const Kind> Checkpointer::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kCheckpointAsk, Kind::kCheckpointOrder,
                                  Kind::kCheckpointReply, Kind::kCheckpointDone};
  return kOwn;
}

void Checkpointer::handle(int from, const char* message, std::size_t bytes) {
  switch (read<Kind>(message)) {
    case Kind::kCheckpointAsk: {
      const auto head = read<CheckpointAskHead>(message);
      asks_.push_back({head.asker_rank, head.asker,
                       std::string(text_behind<CheckpointAskHead>(message, bytes)), now_ns()});
      set_due(true);
      return;
    }
    case Kind::kCheckpointOrder:
      ordered_.emplace(read<CheckpointOrderHead>(message),
                       std::string(text_behind<CheckpointOrderHead>(message, bytes)));
      set_due(true);
      return;
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

// ---- on every rank ----

void Checkpointer::obey(const CheckpointOrderHead& head, std::string_view path) {
  std::string said;
  CheckpointReplyHead answer{Kind::kCheckpointReply, head.order, head.round, 1, 0, 0, 0};
  switch (head.order) {
    case CheckpointOrder::kCount:
      answer = count(head, &said);
      break;
    case CheckpointOrder::kCheck:
      answer.good = check(&said);
      break;
    case CheckpointOrder::kWrite:
      try {
        answer.good = write(head, path, &said);
      } catch (const std::exception& error) {
        answer.good = 0;
        said = text("rank %d: %s", net_.rank(), error.what());
      }
      answer.threads = scheduler().slots().live_count();
      break;
    case CheckpointOrder::kGo:
      still_ = false;
      scheduler().stand_still(false);
      return;
  }
  reply(answer, said);
}

// Rank 0's own takes the same way, between two looks at what else has come.
void Checkpointer::reply(const CheckpointReplyHead& head, std::string_view said) {
  net_.send_long(0, head, said);
}

CheckpointReplyHead Checkpointer::count(const CheckpointOrderHead& head, std::string* why) {
  still_ = true;
  scheduler().stand_still(true);
  bool quiet = !scheduler().any_departing();
  for (Component* c : facts_.components()) {
    if (c == this) continue;
    c->settle();
    if (c == &net_ ? net_.nothing_waits() : c->quiet()) continue;
    quiet = false;
    *why += text("rank %d: %s is not quiet; ", net_.rank(), typeid(*c).name());
  }
  const Mpi& mpi = net_.mpi();
  return {Kind::kCheckpointReply,
          head.order,
          head.round,
          quiet,
          mpi.sent() + net_.handed_off(),
          mpi.received() + net_.taken_over(),
          0};
}

std::string Checkpointer::obstacle_of(const Tcb* t) const {
  const char* name = t->name();
  const int rank = net_.rank();
  if (t->pins > 0 || t->open_objects > 0 || t->locks > 0 || t->static_inits > 0)
    return text("thread '%s' on rank %d: %s", name, rank, open_objects_.pinned_by(t).c_str());
  if (t->system_heaps > 0)
    return text("thread '%s' on rank %d has a SystemHeap: it uses memory of the process", name,
                rank);
  if (t->queue != nullptr && !iso::arena().contains(t->queue))
    return text(
        "thread '%s' on rank %d waits on a %s at %p, which is in memory of the process "
        "(a global?): put it into a thread's memory",
        name, rank, t->waits_for != nullptr ? t->waits_for : "object", t->waits_at);
  return {};
}

bool Checkpointer::check(std::string* why) const {
  open_objects_.take_closed();
  scheduler().slots().for_each([&](const Tcb* t) {
    if (why->empty()) *why = obstacle_of(t);
  });
  for (const Component* c : facts_.components()) {
    if (!why->empty()) return false;
    *why = c->obstacle();
  }
  return why->empty();
}

// Threads that are ready come first, in the order in which they would run.
bool Checkpointer::write_threads(PieceWriter& writer, std::string* why) {
  std::vector<Tcb*> all;
  scheduler().slots().for_each([&](const Tcb* t) { all.push_back(const_cast<Tcb*>(t)); });
  // None may be missing, whatever the reason.
  if (all.size() != scheduler().slots().live_count()) {
    *why = text("%zu threads are on the rank, and %zu were found", scheduler().slots().live_count(),
                all.size());
    return false;
  }
  std::stable_sort(all.begin(), all.end(), [](const Tcb* a, const Tcb* b) {
    const bool a_ready = a->state == State::kReady, b_ready = b->state == State::kReady;
    return a_ready != b_ready ? a_ready : a_ready && a->ring_position < b->ring_position;
  });
  Image image;
  bool good = true;
  const auto add = [&](Tcb* t, ImageOf what) {
    if (!good) return;
    threads::KernelState::departs(t);  // what is the process's is no part of the image
    close_for_image(t);
    plan_image(*t, what, &image);
    good = writer.add_image(head_of(*t, what, image), image);
    reopen(t);
  };
  for (Tcb* t : all) add(t, ImageOf::kThread);
  life_.for_each_leftover([&](Tcb* t) { add(t, ImageOf::kRemains); });
  if (!good) *why = writer.error();
  return good;
}

bool Checkpointer::write(const CheckpointOrderHead& head, std::string_view folder,
                         std::string* said) {
  const int rank = net_.rank();
  try {
    facts_.hooks();
  } catch (const std::exception& error) {
    *said = text("rank %d: a hook of on_checkpoint threw: %s", rank, error.what());
    return false;
  }
  PieceWriter writer;
  bool good = writer.open(text("%s/%s", std::string(folder).c_str(), piece_name(rank).c_str()),
                          rank, net_.ranks(), head.number) &&
              write_threads(writer, said);
  // Each rank writes those that were made on it, or, of ranks that are gone, the first of the node.
  iso::for_each_block([&](Range range, std::size_t bytes, int maker) {
    const int writer_of_it = maker >= 0 && maker < net_.node_ranks() ? maker : 0;
    if (good && writer_of_it == net_.own_node_rank()) good = writer.add_block(range, bytes);
  });
  const std::vector<Component*>& components = facts_.components();
  for (std::size_t i = 0; good && i < components.size(); ++i) {
    StateWriter state;
    components[i]->save(state);
    if (!state.bytes().empty()) good = writer.add_state(state_name(i), state.bytes());
  }
  if (good) {
    StateWriter addresses;
    facts_.addresses(addresses);
    good = writer.add_state(kLeasesState, addresses.bytes());
  }
  if (good) {
    const JobState job{facts_.exit_code()};
    good = writer.add_state(kJobState, {reinterpret_cast<const char*>(&job), sizeof job});
  }
  PieceSummary summary;
  good = good && writer.finish(&summary);
  if (said->empty()) *said = writer.error();
  *said = good ? pack_summary(summary) : text("rank %d: %s", rank, said->c_str());
  return good;
}

// ---- on rank 0 ----

// What has come is obeyed here, when no message is in hand: those are counted when they have been
// handled.
void Checkpointer::poll() {
  if (net_.rank() != 0) {
    const auto ordered = std::exchange(ordered_, std::nullopt);
    set_due(false);
    if (ordered) obey(ordered->first, ordered->second);
    return;
  }
  if (at_ != CheckpointOrder{} && awaited_ == 0) all_replied();
  const std::int64_t now = now_ns();
  // Not while a wave may be finding the end of the job: it would not see this.
  if (next_ns_ != 0 && now >= next_ns_ && asks_.empty() &&
      (net_.ranks() == 1 || !net_.mpi().wave_started())) {
    next_ns_ = now + every_ns_;
    asks_.push_back({-1, {}, every_dir_, now});
  }
  if (!asks_.empty() && at_ == CheckpointOrder{} && now - tried_ns_ >= pause_ns_) begin();
  set_due(next_ns_ != 0 || !asks_.empty() || at_ != CheckpointOrder{});
}

void Checkpointer::begin() {
  tried_ns_ = now_ns();
  why_.clear();
  told_ = settled_ = false;
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
  const CheckpointOrderHead head{Kind::kCheckpointOrder, what, round_, 0, folder_.number};
  for (int rank = 1; rank < net_.ranks(); ++rank) net_.send_long(rank, head, said);
  obey(head, said);
}

void Checkpointer::take_reply(int from, const CheckpointReplyHead& head, std::string_view said) {
  if (head.order != at_ || head.round != round_) return;
  if (head.order == CheckpointOrder::kCount) rounds_.add(head.sent, head.received, head.good != 0);
  if (head.good == 0) {
    good_ = false;
    if (why_.empty()) why_ = said;
  } else if (head.order == CheckpointOrder::kWrite) {
    pieces_[static_cast<std::size_t>(from)] = unpack_summary(said);
    threads_ += head.threads;
  }
  --awaited_;
}

void Checkpointer::all_replied() {
  switch (at_) {
    case CheckpointOrder::kCount:
      if (rounds_.end()) {
        why_.clear();
        settled_ = true;
        order(CheckpointOrder::kCheck);
      } else {
        // However long: bytes may be on their way into messages that nobody may receive before.
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
    case CheckpointOrder::kCheck: {
      if (!good_) return try_later(why_);
      if (!settled_) {
        rounds_.begin();
        return order(CheckpointOrder::kCount);
      }
      std::string why;
      if (!folder_.begin(asks_.front().path, &why)) return end(Errc::checkpoint_failed, why);
      pieces_.assign(static_cast<std::size_t>(net_.ranks()), {});
      threads_ = 0;
      order(CheckpointOrder::kWrite, folder_.part_path());
      return;
    }
    default:
      if (!good_) {
        folder_.give_up();
        return end(Errc::checkpoint_failed, why_);
      }
      try {
        publish();
      } catch (const std::exception& error) {  // of job_data
        folder_.give_up();
        end(Errc::checkpoint_failed, error.what());
      }
      return;
  }
}

void Checkpointer::publish() {
  Manifest manifest;
  facts_.describe(&manifest);
  manifest.number = folder_.number;
  manifest.ranks = net_.ranks();
  manifest.homes = net_.homes();
  manifest.threads = threads_;
  manifest.pieces = std::move(pieces_);
  std::string why;
  if (!folder_.publish(manifest, &why)) {
    folder_.give_up();
    return end(Errc::checkpoint_failed, why);
  }
  if (!keep_newest(asks_.front().path, keep_, &why)) report(why.c_str());
  end(Errc{}, "");
}

void Checkpointer::try_later(std::string why) {
  if (now_ns() - asks_.front().since_ns > wait_ns_) return end(Errc::checkpoint_failed, why);
  order(CheckpointOrder::kGo);
  pause_ns_ = std::clamp(2 * pause_ns_, kFirstPauseNs, kLongestPauseNs);
  tried_ns_ = now_ns();
  why_ = why;
}

void Checkpointer::end(Errc code, std::string why) {
  order(CheckpointOrder::kGo);
  const Ask ask = std::move(asks_.front());
  asks_.pop_front();
  if (!asks_.empty()) asks_.front().since_ns = now_ns();
  pause_ns_ = 0;
  why_.clear();
  if (ask.asker_rank < 0) {
    if (code != Errc{})
      report(text("no checkpoint in '%s': %s", ask.path.c_str(), why.c_str()).c_str());
    return;
  }
  const CheckpointDoneHead head{Kind::kCheckpointDone, code, ask.asker};
  net_.send_long(ask.asker_rank, head,
                 code == Errc{} ? std::string()
                                : text("checkpoint in '%s': %s", ask.path.c_str(), why.c_str()));
}

}  // namespace roam::runtime
