// What every rank does for a checkpoint.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <typeinfo>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/block.h"
#include "runtime/checkpoint/checkpointer.h"
#include "runtime/checkpoint/piece.h"
#include "runtime/image/image.h"
#include "threads/kernel_state.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::State;
using threads::scheduler;

void Checkpointer::obey(const CheckpointOrderHead& head, std::string_view path) {
  std::string said;
  CheckpointReplyHead answer{Kind::kCheckpointReply, head.order, head.round, 1, 0, 0, 0, 0, 0};
  switch (head.order) {
    case CheckpointOrder::kCount:
      answer = count(head, &said);
      break;
    case CheckpointOrder::kCheck:
      answer.good = check(&said);
      break;
    case CheckpointOrder::kScan:
      return scan(head);  // answered when the node's ranks have been heard
    case CheckpointOrder::kWrite:
      try {
        answer.good = write(head, path, &answer, &said);
      } catch (const std::exception& error) {
        answer.good = 0;
        said = error.what();
      }
      if (answer.good == 0) {
        writing_.reset();
        said = text("rank %d: ", net_.rank()) + said;
      }
      answer.threads = scheduler().slots().live_count();
      reply(answer, said);
      if (writing_) begin_writing();
      return;
    case CheckpointOrder::kCommit:
      answer.good = commit(head, path, &said);
      break;
    case CheckpointOrder::kWritten:
      return;
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
          0,
          0,
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

// Each rank writes those that were made on it, or, of ranks that are gone, the first of the node.
bool Checkpointer::write_blocks(PieceWriter& writer) {
  bool good = true;
  iso::for_each_block([&](Range range, std::size_t bytes, int maker) {
    const int writer_of_it = maker >= 0 && maker < net_.node_ranks() ? maker : 0;
    if (good && writer_of_it == net_.own_node_rank()) good = writer.add_block(range, bytes);
  });
  return good;
}

bool Checkpointer::write_states(PieceWriter& writer) {
  bool good = true;
  const std::vector<Component*>& components = facts_.components();
  for (std::size_t i = 0; good && i < components.size(); ++i) {
    StateWriter state;
    components[i]->save(state);
    if (!state.bytes().empty()) good = writer.add_state(state_name(i), state.bytes());
  }
  StateWriter addresses;
  facts_.addresses(addresses);
  const JobState job{facts_.exit_code()};
  return good && writer.add_state(kLeasesState, addresses.bytes()) &&
         writer.add_state(kJobState, {reinterpret_cast<const char*>(&job), sizeof job});
}

// ---- what has changed ----

// Where ranks share memory, each knows what it has written itself only.
void Checkpointer::scan(const CheckpointOrderHead& head) {
  if (!std::exchange(watch_tried_, true)) written_pages_.begin(iso::arena().whole());
  std::vector<Range> own;
  scanned_ = written_pages_.watches() && written_pages_.protect(&clean_, &own);
  if (scanned_) clean_ = without(clean_, own);
  scanning_ = head.round;
  scan_obeyed_ = true;
  if (head.base == 0) own.clear();  // nobody wants to know
  const CheckpointPagesHead said{Kind::kCheckpointPages, head.round, scanned_, 0};
  for (int rank = 0; rank < net_.ranks(); ++rank) {
    if (rank == net_.rank() || !net_.same_node(rank)) continue;
    net_.send_long(rank, said,
                   {reinterpret_cast<const char*>(own.data()), own.size() * sizeof(Range)});
  }
  take_pages({}, {});
}

// Those of a rank that was ordered before this one may come first.
void Checkpointer::take_pages(const CheckpointPagesHead& head, std::string_view bytes) {
  if (head.round != 0) {
    std::vector<Range> ranges(bytes.size() / sizeof(Range));
    if (!ranges.empty()) std::memcpy(ranges.data(), bytes.data(), bytes.size());
    heard_.emplace_back(head, std::move(ranges));
  }
  if (!scan_obeyed_ || heard_.size() + 1 != static_cast<std::size_t>(net_.node_ranks())) return;
  scan_obeyed_ = false;
  for (const auto& [said, ranges] : heard_) {
    ROAM_CHECK(said.round == scanning_, "pages of round %u in round %u", said.round, scanning_);
    scanned_ = scanned_ && said.known != 0;
    clean_ = without(clean_, ranges);
  }
  heard_.clear();
  reply({Kind::kCheckpointReply, CheckpointOrder::kScan, scanning_, 1, 0, 0, 0, 0, 0}, {});
}

// ---- the piece ----

bool Checkpointer::write(const CheckpointOrderHead& head, std::string_view folder,
                         CheckpointReplyHead* answer, std::string* why) {
  try {
    facts_.hooks();
  } catch (const std::exception& error) {
    *why = text("a hook of on_checkpoint threw: %s", error.what());
    return false;
  }
  writing_ = std::make_unique<Writing>();
  writing_->head = head;
  writing_->path = std::string(folder) + "/" + piece_name(net_.rank());
  PieceWriter& writer = writing_->writer;
  writer.begin(writing_->path, net_.rank(), net_.ranks(), head.number);
  const bool to_keeper = has(head.targets, CheckpointTargets::kMemory);
  if (to_keeper && !reach_keeper(why)) return false;
  if (head.base != 0 && known_.number == head.base) build_on_last(writer, head);
  bool good = write_threads(writer, why) && write_blocks(writer) && write_states(writer);
  if (good) {
    const int fd = aside_.take(writer.bytes_copied(), net_.node_ranks(), head.number);
    if (fd < 0 && to_keeper) {
      *why = text("there is not enough memory to keep %llu bytes beside the job",
                  static_cast<unsigned long long>(writer.bytes_copied()));
      return false;
    }
    writing_->fd = fd;
    if (fd >= 0) writer.put_into(fd);
    good = writer.copy();
  }
  answer->bytes = writer.bytes();
  answer->copied = writer.bytes_copied();
  if (!good && why->empty()) *why = writer.error();
  return good;
}

// Pages of it are where the new one goes too, or all are written.
void Checkpointer::build_on_last(PieceWriter& writer, const CheckpointOrderHead& head) {
  const bool disk = has(head.targets, CheckpointTargets::kDisk);
  const bool memory = has(head.targets, CheckpointTargets::kMemory);
  if ((disk && known_.folder.empty()) || (memory && !known_.kept)) return;
  const PieceWriter::Linker files = writer.links_of_files(known_);
  writer.build_on(known_, scanned_ ? &clean_ : nullptr,
                  [&](const std::string& from, const std::string& to) {
                    return (!disk || files(from, to)) &&
                           (!memory || keeper_.link(head.number, to, known_.number, from));
                  });
}

// ---- the keeper ----

bool Checkpointer::reach(KeeperClient& keeper, std::string* why) {
  const std::string program = find_keeper(keeper_program_, why);
  if (program.empty()) return false;
  const std::string name = name_for_keepers(dir_, false, why);
  if (name.empty()) return false;
  if (keeper.connect_or_start(name, net_.node(), program)) return true;
  *why = "the keeper of checkpoints in memory: " + keeper.error();
  return false;
}

bool Checkpointer::reach_keeper(std::string* why) {
  if (keeper_.connected()) return true;
  lose_keeper();
  return reach(keeper_, why);
}

// What it may still hold stays as it is: later pieces are copied into other memory.
void Checkpointer::lose_keeper() {
  keeper_.close();
  aside_.clear();
  kept_numbers_.clear();
  known_ = {};
}

bool Checkpointer::commit(const CheckpointOrderHead& head, std::string_view manifest,
                          std::string* why) {
  if (net_.own_node_rank() == 0 && !keeper_.commit(head.number, manifest)) {
    *why = text("rank %d: the keeper of checkpoints in memory: ", net_.rank()) + keeper_.error();
    lose_keeper();
    return false;
  }
  // The memory of all others is this rank's again.
  kept_numbers_ = {head.number};
  for (const BaseEntry& base : known_.bases) kept_numbers_.push_back(base.number);
  aside_.keep_only(kept_numbers_);
  aside_.give_back();
  copies_.committed(head.number);
  return true;
}

void Checkpointer::forget_kept() {
  if (keeper_.connected() && net_.own_node_rank() == 0) keeper_.forget();
  keeper_.close();
  copies_.close();
}

void Checkpointer::finish_piece(Writing& w) {
  const bool memory = has(w.head.targets, CheckpointTargets::kMemory);
  w.good = w.writer.finish(&w.summary, &w.pages);
  w.why = w.writer.error();
  if (w.good && memory) {
    // The copy is longer than the piece if it was another one's before.
    w.good = ftruncate(w.fd, static_cast<off_t>(w.summary.bytes)) == 0 &&
             keeper_.put(w.head.number, w.summary.file, w.fd);
    if (!w.good) w.why = "the keeper of checkpoints in memory: " + keeper_.error();
  }
  if (w.good && w.fd >= 0 && has(w.head.targets, CheckpointTargets::kDisk))
    w.good = write_to_file(w.fd, w.summary.bytes, w.path, &w.why);
}

// The kernel thread uses nothing of the rank but this piece, and the keeper.
void Checkpointer::begin_writing() {
  Writing* w = writing_.get();
  const auto finish = [w, this] {
    try {
      finish_piece(*w);
    } catch (const std::exception& error) {  // there is no memory for its index
      w->good = false;
      w->why = error.what();
    }
    w->done.store(true, std::memory_order_release);
  };
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    w->thread = std::thread(finish);
  } catch (const std::exception&) {
    finish();  // there is no room for a kernel thread: threads wait
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  set_due(true);
}

void Checkpointer::written() {
  const std::unique_ptr<Writing> w = std::move(writing_);
  if (w->thread.joinable()) w->thread.join();
  known_ = {};
  if (w->good) {
    known_ = std::move(w->pages);
    known_.kept = has(w->head.targets, CheckpointTargets::kMemory);
    if (has(w->head.targets, CheckpointTargets::kDisk))
      known_.folder = w->path.substr(0, w->path.rfind(".part/"));
  } else if (has(w->head.targets, CheckpointTargets::kMemory)) {
    lose_keeper();
  }
  if (!has(w->head.targets, CheckpointTargets::kMemory)) {
    aside_.keep_only(kept_numbers_);
    aside_.give_back();
  }
  written_order_ = w->head;
  written_ = w->summary;
  // Another node's keeper is to have it too.
  copying_ = w->good && has(w->head.targets, CheckpointTargets::kMemory) &&
             copies_.begin(w->fd, w->summary);
  if (!copying_) say_written(w->good, w->why);
}

void Checkpointer::say_written(bool good, std::string why) {
  if (!good) known_ = {};
  reply({Kind::kCheckpointReply, CheckpointOrder::kWritten, written_order_.round, good, 0, 0, 0, 0,
         0},
        good ? pack_summary(written_) : text("rank %d: ", net_.rank()) + why);
}

Checkpointer::~Checkpointer() {
  if (!writing_ || !writing_->thread.joinable()) return;
  if (writing_->process == getpid()) {
    writing_->thread.join();
  } else {  // a child of fork has no such kernel thread
    writing_->thread.detach();
    static_cast<void>(writing_.release());
  }
}

}  // namespace roam::runtime
