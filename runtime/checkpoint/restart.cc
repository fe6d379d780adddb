#include "runtime/checkpoint/restart.h"

#include <x86intrin.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "base/check.h"
#include "base/job_record.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/block.h"
#include "isomalloc/lease_cut.h"
#include "roam/error.h"
#include "runtime/checkpoint/checkpointer.h"
#include "runtime/checkpoint/folder.h"
#include "runtime/checkpoint/shortage.h"
#include "runtime/image/check_image.h"
#include "runtime/image/landing.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using threads::scheduler;

Restart::Restart(Mpi& mpi, const std::string& folder, bool of_others, const Manifest& mine)
    : folder_(folder), of_others_(of_others), kept_(mpi, folder) {
  std::string trouble;
  add_candidates(mpi, &trouble);
  if (candidates_.empty()) {
    throw Error(Errc::checkpoint_failed,
                text("ROAM_RESTART=%s: there is no whole checkpoint to go on from%s%s",
                     folder.c_str(), trouble.empty() ? "" : ": ", trouble.c_str()));
  }
  // What keepers have of one that was not made must not become a part of a new one.
  last_number_ = std::max(manifest().number, kept_.largest_number());
  const std::string difference = mpi.first_said(compare(manifest(), mine));
  if (!difference.empty())
    throw Error(Errc::layout_mismatch, text("ROAM_RESTART=%s: ", folder.c_str()) + difference);
}

// All ranks get the same texts.
void Restart::add_candidates(Mpi& mpi, std::string* trouble) {
  const auto add = [&](const std::string& name, const std::string& text_of_it, bool in_memory) {
    Candidate one{{}, in_memory};
    std::string why;
    if (one.manifest.parse(name, text_of_it, &why)) {
      candidates_.push_back(std::move(one));
    } else if (mpi.rank() == 0) {
      report(text("%s: it is passed over", why.c_str()).c_str());
    }
  };
  for (const std::string& manifest : kept_.manifests()) add(folder_ + " in memory", manifest, true);
  std::string texts, lacked;
  if (mpi.rank() == 0) {
    for (const std::string& name : complete_ones(folder_, trouble)) {
      Manifest m;
      std::string why;
      errno = 0;  // which read() leaves as the call that failed
      if (m.read(name, &why, of_others_)) {
        StateWriter one;
        one.put_text(name);
        one.put_text(m.text());
        texts += one.bytes();
      } else if (is_shortage(errno)) {
        lacked = why;
        break;
      } else {
        report(text("%s: it is passed over", why.c_str()).c_str());
      }
    }
  }
  lacked = mpi.broadcast_text(lacked, 0);
  if (!lacked.empty()) {
    throw Error(Errc::out_of_memory, text("ROAM_RESTART=%s: what may be the newest checkpoint is "
                                          "not passed over, and cannot be read here: %s",
                                          folder_.c_str(), lacked.c_str()));
  }
  texts = mpi.broadcast_text(texts, 0);
  *trouble = mpi.broadcast_text(*trouble, 0);
  for (StateReader in(texts); !in.at_end();) {
    const std::string name = in.get_text();
    add(name, in.get_text(), false);
  }
  std::stable_sort(
      candidates_.begin(), candidates_.end(),
      [](const Candidate& a, const Candidate& b) { return a.manifest.number > b.manifest.number; });
}

// Not by how many ranks or homes there are: a job may have got more since its arena was cut.
void Restart::cut_arena() const {
  iso::Arena& arena = iso::arena();
  const std::size_t lease_bytes = manifest().lease_bytes;
  arena.set_ranks(iso::ranks_for_leases_of(lease_bytes, arena.whole()));
  if (arena.lease_bytes() == lease_bytes) return;
  throw Error(
      Errc::layout_mismatch,
      text("ROAM_RESTART=%s: the arena was cut into leases of %zu bytes when the checkpoint "
           "was made, as this version of Roam does not cut one of %zu bytes",
           folder_.c_str(), lease_bytes, arena.whole().bytes));
}

// ---- memory ----

bool Restart::open_one(PieceReader* reader, int piece, std::string* why) const {
  const Manifest& m = manifest();
  const PieceSummary& expected = m.pieces[static_cast<std::size_t>(piece)];
  if (!candidates_.front().in_memory) {
    return reader->open(m.path_of(piece), expected, why, of_others_);
  }
  const auto opened = [this](const std::string& name) { return kept_.open(name); };
  return reader->open(opened, m.path_of(piece), expected, why);
}

bool Restart::bring_in(Trouble* trouble) {
  if (candidates_.front().in_memory &&
      !kept_.bring(*net_, manifest(), &trouble->why, &trouble->lacked))
    return false;
  try {
    return read_pieces(trouble);
  } catch (const std::bad_alloc& error) {  // for what a piece says of itself
    *trouble = {text("rank %d, for its pieces of the checkpoint: %s", net_->rank(), error.what()),
                -1, true};
    return false;
  }
}

// One after the other: each is several files.
bool Restart::read_pieces(Trouble* trouble) {
  const Manifest& m = manifest();
  for (int p = 0; p < m.ranks; ++p) {
    if (net_->home_rank(p) != net_->rank()) continue;
    pieces_.push_back({p, std::make_unique<PieceReader>()});
    PieceReader& reader = *pieces_.back().reader;
    if (!open_one(&reader, p, &trouble->why) || !place(pieces_.back(), trouble)) {
      trouble->piece = p;
      trouble->lacked = trouble->lacked || reader.lacked();
      return false;
    }
    reader.close_files();
  }
  return true;
}

bool Restart::place(Piece& piece, Trouble* trouble) {
  PieceReader& reader = *piece.reader;
  std::string* why = &trouble->why;
  for (std::size_t i = 0; i < reader.images(); ++i) {
    ImageRefusal refusal;
    bool returns = false;
    if (!claim(reader.image(i), &returns, &refusal)) {
      *why = refusal.why;
      trouble->lacked = refusal.code == Errc::out_of_memory;
      return false;
    }
    ++piece.claimed;
    if (!reader.read_pages(i, why)) return false;
    if (check_bytes(reader.head(i), reader.image(i), &refusal)) continue;
    *why = text("%s: %s", manifest().path_of(piece.number).c_str(), refusal.why.c_str());
    return false;
  }
  for (std::size_t b = 0; b < reader.blocks(); ++b) {
    const PieceReader::Block& block = reader.block(b);
    if (!iso::begin_block(block.range, why, &trouble->lacked)) return false;
    ++piece.blocks;
    if (!reader.read_block(b, why)) return false;
    if (iso::adopt_block(block.range, block.bytes)) continue;
    *why = text("%s: what belongs at 0x%zx is no block of %llu bytes",
                manifest().path_of(piece.number).c_str(), block.range.begin,
                static_cast<unsigned long long>(block.bytes));
    return false;
  }
  return true;
}

void Restart::give_up() {
  for (const Piece& piece : pieces_) {
    for (std::size_t i = 0; i < piece.claimed; ++i) runtime::give_up(piece.reader->image(i));
    for (std::size_t b = 0; b < piece.blocks; ++b) iso::give_up_block(piece.reader->block(b).range);
  }
  pieces_.clear();
}

void Restart::read(Net& net) {
  net_ = &net;
  Mpi& mpi = net.mpi();
  for (;;) {
    Trouble trouble;
    const bool good = bring_in(&trouble);
    ROAM_CHECK(good || !trouble.why.empty(), "a checkpoint cannot be read, and nobody says why");
    const bool wrong = !good && !trouble.lacked;
    const std::string why = mpi.first_said(wrong ? trouble.why : std::string());
    // What is torn for one rank is of no use to another that could not read its part. Where nothing
    // is, an older one would be gone on from, and the newest removed in the end, for want of
    // memory.
    const std::string lacked =
        why.empty() ? mpi.first_said(good ? "" : trouble.why) : std::string();
    if (why.empty() && lacked.empty()) break;
    give_up();
    if (!lacked.empty()) {
      throw Error(Errc::out_of_memory,
                  text("ROAM_RESTART=%s: checkpoint %llu is not passed over, for it may be whole, "
                       "and cannot be read here: %s",
                       folder_.c_str(), static_cast<unsigned long long>(manifest().number),
                       lacked.c_str()));
    }
    // Another keeper may have it as it should be.
    if (candidates_.front().in_memory &&
        kept_.distrust(mpi, manifest(), wrong ? trouble.piece : -1, why)) {
      if (mpi.rank() == 0) report((why + ": it is looked for elsewhere").c_str());
      mpi.barrier();  // nobody claims what another rank of the node still has
      continue;
    }
    const Candidate tried = std::move(candidates_.front());
    candidates_.erase(candidates_.begin());
    // An older one of a job that was cut otherwise cannot be read into this arena.
    while (!candidates_.empty() && (manifest().lease_bytes != tried.manifest.lease_bytes ||
                                    manifest().canary != tried.manifest.canary))
      candidates_.erase(candidates_.begin());
    mpi.barrier();  // nobody claims what another rank of the node still has
    if (candidates_.empty()) {
      throw Error(Errc::checkpoint_failed, text("ROAM_RESTART=%s: no checkpoint can be used: %s",
                                                folder_.c_str(), why.c_str()));
    }
    if (mpi.rank() != 0) continue;
    report(text("checkpoint %llu in '%s'%s cannot be used: %s. The one before it is tried.",
                static_cast<unsigned long long>(tried.manifest.number), folder_.c_str(),
                tried.in_memory ? " that is in memory" : "", why.c_str())
               .c_str());
  }
  net.set_homes(manifest().homes);
  // What rank 0 knew of leases concerns all, where there are more ranks than before.
  if (mpi.ranks() > manifest().ranks) {
    first_leases_ = mpi.broadcast_text(
        mpi.rank() == 0 ? std::string(state_of(pieces_.front(), Checkpointer::kLeasesState))
                        : std::string(),
        0);
  }
  tell();
  if (candidates_.front().in_memory) kept_.settle(mpi, manifest());
}

// Who watches the job does not know where it has found it.
void Restart::tell() const {
  const char* where = !candidates_.front().in_memory ? "disk"
                      : kept_.from_buddy()           ? "the buddy"
                                                     : "memory";
  job_record::went_on(net_->rank(), text("checkpoint %06llu, from %s\n",
                                         static_cast<unsigned long long>(manifest().number), where)
                                        .c_str());
}

// ---- what components know ----

std::string_view Restart::state_of(const Piece& piece, std::string_view name) {
  return piece.reader->state(name).value_or(std::string_view());
}

void Restart::take_over(LeaseBroker& leases) {
  std::vector<std::string_view> own;
  for (const Piece& piece : pieces_) own.push_back(state_of(piece, Checkpointer::kLeasesState));
  // What rank 0 hands out next concerns itself, and ranks beyond the pieces.
  const std::string_view first = first_leases_.empty() ? own.front() : first_leases_;
  leases.take_over(first, own, manifest().ranks);
}

void Restart::restore(const std::vector<Component*>& components) {
  for (const Piece& piece : pieces_) {
    for (std::size_t i = 0; i < components.size(); ++i) {
      const std::string_view state = state_of(piece, Checkpointer::state_name(i));
      if (state.empty()) continue;
      StateReader in(state);
      components[i]->restore(piece.number, in);
    }
  }
}

void Restart::resume(const std::vector<Component*>& components, Lifecycle& life) {
  const int rank = net_->rank(), ranks = net_->ranks();
  std::vector<Tcb*> threads;
  for (const Piece& piece : pieces_) {
    for (std::size_t i = 0; i < piece.reader->images(); ++i) {
      const ImageHead& head = piece.reader->head(i);
      // Leases that were opened meanwhile are sealed where nothing lived yet.
      for (const Mark& mark : piece.reader->image(i).marks) iso::arena().admit(mark.range);
      Tcb* t = land(head, piece.reader->image(i), rank);
      t->returns = t->brief = t->has_joiners = false;
      t->joiner = nullptr;
      t->arrived_ticks = __rdtsc();
      if (head.what == ImageOf::kRemains) {
        life.restored_leftover(t);
        continue;
      }
      if (t->move_to >= ranks) t->move_to = net_->home_rank(t->move_to);
      ++t->hops;  // whoever has heard of it has older news
      scheduler().slots().add_live(1);
      scheduler().slots().came(t);
      threads.push_back(t);
    }
  }
  life.resume(threads.size());
  for (Tcb* t : threads) {
    for (Component* c : components) c->restored(t);
    scheduler().resume_as_it_was(t);
  }
  // Who waited for this checkpoint, or for a later one, learns what has become of it.
  for (Tcb* t : threads) {
    Answer* answer = static_cast<Answer*>(t->answer);
    if (answer == nullptr || answer->done || !answer->checkpoint) continue;
    answer->resumed = true;
    give_answer({t->id.load(std::memory_order_relaxed), t}, Errc{}, "");
  }
  pieces_.clear();
}

std::uint64_t Restart::exit_code() const {
  std::uint64_t sum = 0;
  for (const Piece& piece : pieces_) {
    const std::string_view state = state_of(piece, Checkpointer::kJobState);
    if (state.size() == sizeof(Checkpointer::JobState))
      sum += runtime::read<Checkpointer::JobState>(state.data()).exit_code;
  }
  return sum;
}

}  // namespace roam::runtime
