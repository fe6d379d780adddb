// A rank's piece, which kernel threads finish while threads go on.
#include <unistd.h>

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "runtime/checkpoint/checkpointer.h"

namespace roam::runtime {

void Checkpointer::finish_piece(Writing& w) {
  const bool memory = has(w.head.targets, CheckpointTargets::kMemory);
  w.good = w.writer.finish(&w.summary, &w.pages);
  w.why = w.writer.error();
  if (!w.good) w.failed = memory ? CheckpointTargets::kMemory : CheckpointTargets::kDisk;
  if (w.good && memory) {
    // The copy is longer than the piece if it was another one's before.
    w.good = ftruncate(w.fd, static_cast<off_t>(w.summary.bytes)) == 0 &&
             keeper_.put(w.head.number, w.summary.file, w.fd);
    if (!w.good) {
      w.why = "the keeper of checkpoints in memory: " + keeper_.error();
      w.failed = CheckpointTargets::kMemory;
    }
  }
  if (w.good && w.fd >= 0 && has(w.head.targets, CheckpointTargets::kDisk)) {
    if (!w.file.end(w.summary.bytes, &w.why)) {
      w.failed = CheckpointTargets::kDisk;
      w.good = memory;  // where it is whole
    } else if (w.file.compressed_bytes() != 0) {
      w.summary.stored = w.file.compressed_bytes();
      w.pages.compressed = true;
    }
  }
  if (w.failed != CheckpointTargets::kNone) w.file.give_up();
}

// The kernel thread uses nothing of the rank but this piece, and the keeper.
void Checkpointer::begin_writing() {
  Writing* w = writing_.get();
  w->begun = true;
  w->file.begin_to_compress();
  const auto finish = [w, this] {
    try {
      finish_piece(*w);
    } catch (const std::exception& error) {  // there is no memory for its index
      w->good = false;
      w->why = error.what();
      w->failed = w->head.targets;
      w->file.give_up();
    }
    w->done.store(true, std::memory_order_release);
  };
  if (!w->thread.begin(finish)) finish();  // there is no room for a kernel thread: threads wait
  set_due(true);
}

void Checkpointer::written() {
  const std::unique_ptr<Writing> w = std::move(writing_);
  w->thread.end();
  known_ = {};
  if (w->good) {
    known_ = std::move(w->pages);
    known_.kept = has(w->head.targets, CheckpointTargets::kMemory);
    if (has(w->head.targets, CheckpointTargets::kDisk) && w->failed == CheckpointTargets::kNone)
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
  failed_ = w->failed;
  why_not_ = w->why;
  // Another node's keeper is to have it too.
  copying_ = w->good && has(w->head.targets, CheckpointTargets::kMemory) &&
             copies_.begin(w->fd, w->summary, w->head.base);
  if (!copying_) say_written(w->good);
}

void Checkpointer::say_written(bool good) {
  CheckpointReplyHead answer = reply_to(CheckpointOrder::kWritten, written_order_.round);
  answer.good = good;
  answer.failed = failed_;
  if (!good) known_ = {};
  std::string said = good ? pack_summary(written_) : std::string();
  if (!good || failed_ != CheckpointTargets::kNone)
    said += (good ? std::string(1, '\0') : "") + text("rank %d: ", net_.rank()) + why_not_;
  reply(answer, said);
}

}  // namespace roam::runtime
