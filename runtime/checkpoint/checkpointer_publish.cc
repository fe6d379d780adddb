// How a checkpoint that is written comes to be there: rank 0's.
#include <algorithm>
#include <exception>
#include <utility>

#include "runtime/checkpoint/checkpointer.h"

namespace roam::runtime {
// All pieces have come to an end.
void Checkpointer::publish() {
  manifest_.number = number_;
  manifest_.ranks = net_.ranks();
  manifest_.homes = net_.homes();
  manifest_.threads = threads_;
  manifest_.pieces = std::move(pieces_);
  complete(&manifest_);
  last_ = 0;
  if (!written_well_) return end(Errc::checkpoint_failed, why_);
  begin_publishing(asks_.front().path);
}

// To disk, unless a rank has failed there before.
void Checkpointer::begin_publishing(const std::string& dir) {
  publishing_ = std::make_unique<Publishing>();
  Publishing* p = publishing_.get();
  p->manifest = std::move(manifest_);
  p->dir = dir;
  p->keep = keep_;
  p->own.canary = p->manifest.canary;
  p->to_keepers = has(targets_, CheckpointTargets::kMemory);
  p->to_disk = has(targets_, CheckpointTargets::kDisk) && failed_at_ == CheckpointTargets::kNone;
  p->why = why_;
  if (first_new_ != 0 && same_folder(dir, facts_.went_on_in)) {
    p->own.went_on_from = facts_.went_on_from;
    p->own.first_new = first_new_;
  }
  const auto work = [this, p] {
    try {
      publish_in(folder_, *p);
    } catch (const std::exception& error) {  // there is no memory
      (p->good ? p->stays : p->why) = error.what();
    }
    p->done.store(true, std::memory_order_release);
  };
  if (!p->thread.begin(work)) work();  // there is no room for a kernel thread
}

// On a kernel thread, which uses nothing else of the rank.
void Checkpointer::publish_in(NewCheckpoint& folder, Publishing& p) {
  if (p.to_keepers) {
    std::string text = p.manifest.text();
    if (!Manifest::fits(text.size(), &p.why)) return;
    p.text = std::move(text);
  }
  p.good = !p.to_disk || folder.publish(std::move(p.manifest), &p.why);
  if (p.good && p.to_disk) keep_newest(p.dir, p.keep, p.own, &p.foreign, &p.stays);
}

void Checkpointer::look_at_publishing() {
  if (!publishing_->done.load(std::memory_order_acquire)) return;
  const std::unique_ptr<Publishing> p = std::move(publishing_);
  p->thread.end();
  if (!p->stays.empty()) report(p->stays.c_str());
  if (!p->foreign.empty() && !std::exchange(told_of_foreign_, true)) {
    report((p->foreign + ": it is another job's; those do not count for keep=, and stay").c_str());
  }
  published(*p);
}

// On disk, unless that failed, or is not wanted, or a rank has failed there before.
void Checkpointer::published(const Publishing& p) {
  if (p.to_keepers && p.text.empty()) {
    failed_at_ = failed_at_ | CheckpointTargets::kMemory;  // keepers have pieces of it
    return end(Errc::checkpoint_failed, p.why);
  }
  if (!p.good) {
    failed_at_ = CheckpointTargets::kDisk;
    if (!p.to_keepers) return end(Errc::checkpoint_failed, p.why);
  }
  if (failed_at_ == CheckpointTargets::kDisk) go_on_in_memory(p.why);
  last_dir_ = asks_.front().path;
  if (!p.to_keepers) return made();
  order(CheckpointOrder::kCommit, p.text);
}

void Checkpointer::made() {
  last_ = watch_ ? number_ : 0;  // what was written since is not known
  last_targets_ = targets_;
  if (has(targets_, CheckpointTargets::kDisk) && last_dir_ == dir_) disk_next_ = false;
  since_full_ = base_ == 0 ? 0 : since_full_ + 1;
  if ((left_memory_ || leaves_held_) && (last_dir_ == dir_ || dir_.empty())) {
    left_memory_ = leaves_held_ = false;
    order(CheckpointOrder::kForget);
    at_ = {};
    note_kept(false);
  }
  if (has(targets_, CheckpointTargets::kMemory)) {
    memory_failures_ = 0;
    since_disk_ = has(targets_, CheckpointTargets::kDisk) ? 0 : since_disk_ + 1;
  }
  // To watch pages costs a fault of each that changes, which pays if few do. Where it never does,
  // that is tried ever less often.
  if (base_ != 0) {
    if (copied_bytes_ > all_bytes_ / 2) {
      not_tracked_ = next_rest_;
      next_rest_ = std::min(2 * next_rest_, kLongestRest);
      last_ = 0;
    } else {
      next_rest_ = kFirstRest;
    }
  }
  end(Errc{}, "");
}

}  // namespace roam::runtime
