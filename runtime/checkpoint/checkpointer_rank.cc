// What every rank does for a checkpoint.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <typeinfo>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/ranges.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/block.h"
#include "isomalloc/frees_of_others.h"
#include "runtime/checkpoint/checkpointer.h"
#include "runtime/checkpoint/piece.h"
#include "runtime/image/image.h"
#include "runtime/life/failures.h"
#include "threads/kernel_state.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::State;
using threads::scheduler;

namespace {

// Of a failure that nobody can put down to one of them: the next one goes elsewhere.
CheckpointTargets where_asked(const CheckpointOrderHead& head) {
  return has(head.targets, CheckpointTargets::kMemory) ? CheckpointTargets::kMemory
                                                       : CheckpointTargets::kDisk;
}

}  // namespace

void Checkpointer::obey(const CheckpointOrderHead& head, std::string_view path) {
  std::string said;
  CheckpointReplyHead answer = reply_to(head.order, head.round);
  answer.good = 1;
  switch (head.order) {
    case CheckpointOrder::kCount:
      count(head, &answer, &said);
      break;
    case CheckpointOrder::kCheck:
      answer.good = check(&said);
      break;
    case CheckpointOrder::kWrite:
      return begin_piece(head, path);  // answered when its memory is copied
    case CheckpointOrder::kHooks:
      answer.good = run_hooks(&said);
      if (std::string why; answer.good != 0 && !count_messages(&answer, &why))
        answer.found = CheckpointFound::kUnderWay;
      break;
    case CheckpointOrder::kCommit:
      answer.good = commit(head, path, &said);
      break;
    case CheckpointOrder::kSettle:
      answer.good = settle_kept(head, &said);
      break;
    case CheckpointOrder::kFree:
      free_older(head);
      break;
    case CheckpointOrder::kLeave:
      leave_keeper();
      break;
    case CheckpointOrder::kForget:
      forget_kept();
      break;
    case CheckpointOrder::kWritten:
      return;
    case CheckpointOrder::kGo:
      still_ = false;
      iso::hold_frees_of_others(false);
      scheduler().stand_still(false);
      if (next_ns_ != 0 && net_.rank() != 0) wind_up();
      // Not before: others of this machine would have had to wait for their copies.
      if (writing_ && !writing_->begun) begin_writing();
      return;
  }
  reply(answer, said);
}

// Rank 0's own takes the same way, between two looks at what else has come.
void Checkpointer::reply(const CheckpointReplyHead& head, std::string_view said) {
  net_.send_long(0, head, said);
}

void Checkpointer::count(const CheckpointOrderHead& head, CheckpointReplyHead* answer,
                         std::string* why) {
  still_ = true;
  iso::hold_frees_of_others(false);  // since a round that was not the last one
  scheduler().stand_still(true);
  answer->good = count_messages(answer, why);
  if (head.looks == CheckpointLooks::kNot || answer->good == 0) return;
  if (!check(why))
    answer->found = CheckpointFound::kObstacle;
  else if (head.looks == CheckpointLooks::kFirst && facts_.has_hooks())
    answer->found = CheckpointFound::kHooks;
  else
    iso::hold_frees_of_others(true);
}

// Whether all is quiet here; `why` not.
bool Checkpointer::count_messages(CheckpointReplyHead* answer, std::string* why) {
  bool quiet = !scheduler().any_departing();
  for (Component* c : facts_.components()) {
    if (c == this) continue;
    c->settle();
    if (c == &net_ ? net_.nothing_waits() : c->quiet()) continue;
    quiet = false;
    *why += text("rank %d: %s is not quiet; ", net_.rank(), typeid(*c).name());
  }
  const Mpi& mpi = net_.mpi();
  answer->sent = mpi.sent() + net_.handed_off();
  answer->received = mpi.received() + net_.taken_over();
  return quiet;
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

// They may write whatever they reach, of other ranks' threads too, and wait for kernel threads of
// the program, which may free.
bool Checkpointer::run_hooks(std::string* why) {
  iso::hold_frees_of_others(false);
  try {
    facts_.hooks();
  } catch (...) {  // whatever the program throws
    *why = text("rank %d: a hook of on_checkpoint threw ", net_.rank()) +
           describe_exception(std::current_exception());
    return false;
  }
  iso::hold_frees_of_others(true);
  return true;
}

// Threads that are ready come first, in the order in which they would run. All that is written to
// their memory for the image is written here.
bool Checkpointer::prepare_threads(Writing& w) {
  std::vector<Tcb*> all;
  scheduler().slots().for_each([&](const Tcb* t) { all.push_back(const_cast<Tcb*>(t)); });
  // None may be missing, whatever the reason.
  if (all.size() != scheduler().slots().live_count()) {
    w.why = text("%zu threads are on the rank, and %zu were found",
                 scheduler().slots().live_count(), all.size());
    return false;
  }
  std::stable_sort(all.begin(), all.end(), [](const Tcb* a, const Tcb* b) {
    const bool a_ready = a->state == State::kReady, b_ready = b->state == State::kReady;
    return a_ready != b_ready ? a_ready : a_ready && a->ring_position < b->ring_position;
  });
  const auto prepare = [&](Tcb* t, ImageOf what) {
    threads::KernelState::departs(t);  // what is the process's is no part of the image
    tidy_for_image(t);
    w.images.emplace_back(t, what);
  };
  for (Tcb* t : all) prepare(t, ImageOf::kThread);
  life_.for_each_leftover([&](Tcb* t) { prepare(t, ImageOf::kRemains); });
  return true;
}

bool Checkpointer::add_threads(Writing& w, const std::vector<Range>* mapped) {
  Image image;
  return std::all_of(w.images.begin(), w.images.end(), [&](const auto& one) {
    const auto [t, what] = one;
    plan_image(*t, what, &image, mapped);
    return w.writer.add_image(head_of(*t, what, image), image);
  });
}

// Each rank writes those that were made on it, or, of ranks that are gone, the first of the node.
bool Checkpointer::add_blocks(PieceWriter& writer, const std::vector<Range>* mapped) {
  bool good = true;
  iso::for_each_block([&](Range range, std::size_t bytes, int maker) {
    const int writer_of_it = maker >= 0 && maker < net_.node_ranks() ? maker : 0;
    if (good && writer_of_it == net_.own_node_rank()) good = writer.add_block(range, bytes, mapped);
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

// ---- the piece ----

// Whatever is written for it comes first; then which pages have been written since the last one, of
// which those of the node tell each other; then what is part of it is found; and when all ranks of
// the node have looked, pages are copied.
void Checkpointer::begin_piece(const CheckpointOrderHead& head, std::string_view said) {
  const std::size_t zero = std::min(said.find('\0'), said.size());
  writing_ = std::make_unique<Writing>();
  Writing& w = *writing_;
  w.head = head;
  w.path = std::string(said.substr(0, zero)) + "/" + piece_name(net_.rank());
  if (zero != said.size()) {
    const std::string_view names = said.substr(zero + 1);
    keepers_ = names.substr(0, names.find('\0'));
    earlier_keepers_ = names.substr(keepers_.size() + 1);
  }
  try {
    w.good = gather(w);
  } catch (const std::exception& error) {  // there is no memory for its lists
    w.why = error.what();
    w.failed = where_asked(head);
  }
  scan(head);
}

bool Checkpointer::gather(Writing& w) {
  w.writer.begin(w.path, net_.rank(), net_.ranks(), w.head.number);
  if (has(w.head.targets, CheckpointTargets::kMemory) && !reach_keeper(&w.why)) {
    w.failed = CheckpointTargets::kMemory;
    return false;
  }
  const bool good = prepare_threads(w) && write_states(w.writer);
  if (!good && w.why.empty()) w.why = w.writer.error();
  return good;
}

// Changes no memory of threads: others of the node may copy theirs already.
void Checkpointer::plan(Writing& w) {
  try {
    w.good = add_threads(w, mapped_) && add_blocks(w.writer, mapped_);
    if (!w.good) w.why = w.writer.error();
  } catch (const std::exception& error) {  // there is no memory for its lists
    w.good = false;
    w.why = error.what();
    w.failed = where_asked(w.head);
  }
}

bool Checkpointer::look_at_pages(const CheckpointOrderHead& head, std::vector<Range>* own) {
  if (!worth_.looks()) {
    protected_at_ = 0;
    return false;
  }
  if (!written_pages_.watches()) written_pages_.begin(iso::arena().whole(), net_.node_ranks() > 1);
  const std::int64_t begin_ns = now_ns();
  if (head.base == 0) written_pages_.look_at_all();  // nobody tells what was thrown away
  const bool known = written_pages_.watches() && written_pages_.protect(&clean_, own);
  if (known) mapped_ = &written_pages_.present();
  if (known && !worth_.looked(now_ns() - begin_ns, bytes_of(*mapped_))) written_pages_.end();
  const std::uint64_t since =
      std::exchange(protected_at_, written_pages_.knows_since() ? head.number : 0);
  if (!known || head.base == 0 || since != head.base) return false;
  clean_ = without(clean_, *own);
  return true;
}

// Where ranks share memory, each knows what it has written itself only. They hear of each other
// whatever went wrong.
void Checkpointer::scan(const CheckpointOrderHead& head) {
  std::vector<Range> own;
  mapped_ = nullptr;
  try {
    scanned_ = head.watch != 0 && look_at_pages(head, &own);
  } catch (const std::bad_alloc&) {
    scanned_ = false;
    protected_at_ = 0;
  }
  if (!scanned_) own = {};  // nobody wants to know
  scanning_ = true;
  const CheckpointPagesHead said{Kind::kCheckpointPages, head.round, scanned_, 0};
  for (int rank = 0; rank < net_.ranks(); ++rank) {
    if (rank == net_.rank() || !net_.same_node(rank)) continue;
    net_.send_long(rank, said,
                   {reinterpret_cast<const char*>(own.data()), own.size() * sizeof(Range)});
  }
  if (writing_->good) plan(*writing_);
  take_pages({}, {});
}

void Checkpointer::take_pages(const CheckpointPagesHead& head, std::string_view bytes) {
  if (head.round != 0) {
    heard_.emplace_back(head, std::vector<Range>());
    try {
      std::vector<Range>& ranges = heard_.back().second;
      ranges.resize(bytes.size() / sizeof(Range));
      if (!ranges.empty()) std::memcpy(ranges.data(), bytes.data(), bytes.size());
    } catch (const std::bad_alloc&) {
      heard_.back().first.known = 0;
    }
  }
  if (!scanning_ || heard_.size() + 1 != static_cast<std::size_t>(net_.node_ranks())) return;
  scanning_ = false;
  try {
    for (const auto& [said, ranges] : heard_) {
      ROAM_CHECK(said.round == writing_->head.round, "pages of round %u in round %u", said.round,
                 writing_->head.round);
      scanned_ = scanned_ && said.known != 0;
      if (scanned_) clean_ = without(clean_, ranges);
      written_pages_.others_wrote(ranges);
    }
  } catch (const std::bad_alloc&) {
    scanned_ = false;
    written_pages_.look_at_all();  // it has heard a part
  }
  if (!scanned_ && writing_->head.base != 0) written_pages_.look_at_all();
  heard_.clear();
  copy_piece();
}

void Checkpointer::copy_piece() {
  Writing& w = *writing_;
  CheckpointReplyHead answer = reply_to(CheckpointOrder::kWrite, w.head.round);
  std::string why;
  try {
    w.good = w.good && copy(w, &answer);
    if (!w.good) why = text("rank %d: ", net_.rank()) + w.why;
  } catch (const std::exception& error) {
    w.good = false;
    w.failed = where_asked(w.head);
    why = text("rank %d: %s", net_.rank(), error.what());
  }
  answer.good = w.good;
  answer.failed = w.failed;
  answer.threads = scheduler().slots().live_count();
  if (!w.good) {
    if (has(w.head.targets, CheckpointTargets::kMemory))
      std::erase(kept_numbers_, w.head.number);  // the keeper did not get it
    writing_.reset();
    aside_.keep_only(kept_numbers_);
  }
  reply(answer, why);
}

bool Checkpointer::copy(Writing& w, CheckpointReplyHead* answer) {
  PieceWriter& writer = w.writer;
  const bool to_keeper = has(w.head.targets, CheckpointTargets::kMemory);
  if (w.head.base != 0 && known_.number == w.head.base && !worth_.rests())
    build_on_last(writer, w.head);
  bool good = writer.arrange();
  if (good) {
    const std::uint64_t bytes = sizeof(PieceHead) + writer.bytes_copied();
    w.fd = aside_.take(bytes, net_.mpi().host_ranks(), w.head.number);
    if (w.fd < 0 && to_keeper) {
      w.failed = CheckpointTargets::kMemory;
      w.why = text("there is not enough memory to keep %llu bytes beside the job",
                   static_cast<unsigned long long>(writer.bytes_copied()));
      return false;
    }
    if (to_keeper) kept_numbers_.push_back(w.head.number);
    if (w.fd >= 0) {
      const Aside::Mapped mapped = aside_.map(w.fd, bytes);
      if (has(w.head.targets, CheckpointTargets::kDisk)) {
        w.file.begin(w.path, w.fd, mapped.memory, mapped.bytes);
        w.file.compress(compression_, bytes);
      }
      writer.put_into(w.fd, mapped, [&w](std::uint64_t there) { w.file.grew_to(there); });
    }
    const std::int64_t begin_ns = now_ns();
    good = writer.copy();
    worth_.copied(now_ns() - begin_ns, writer.bytes_copied());
  }
  answer->bytes = writer.bytes();
  answer->copied = writer.bytes_copied();
  if (!good) {
    w.why = writer.error();
    w.failed = to_keeper ? CheckpointTargets::kMemory : CheckpointTargets::kDisk;
  }
  return good;
}

// Pages of it are where the new one goes too, or all are written.
void Checkpointer::build_on_last(PieceWriter& writer, const CheckpointOrderHead& head) {
  const bool disk = has(head.targets, CheckpointTargets::kDisk);
  const bool memory = has(head.targets, CheckpointTargets::kMemory);
  if ((disk && known_.folder.empty()) || (memory && !known_.kept)) return;
  writer.build_on(known_, scanned_ ? &clean_ : nullptr,
                  [this, disk, memory, number = head.number, files = writer.links_of_files(known_)](
                      const std::string& from, const std::string& to) {
                    return (!disk || files(from, to)) &&
                           (!memory || keeper_.link(number, to, known_.number, from));
                  });
}

// A child of fork has no kernel threads that write, and no file to give up.
Checkpointer::~Checkpointer() {
  if (writing_ && writing_->process != getpid()) static_cast<void>(writing_.release());
  if (publishing_ && publishing_->process != getpid()) static_cast<void>(publishing_.release());
  publishing_.reset();
  writing_.reset();  // its kernel thread uses the keeper
  if (still_) iso::hold_frees_of_others(false);
}

}  // namespace roam::runtime
