// What concerns checkpoints in memory, which keepers hold.
#include <utility>

#include "base/text.h"
#include "runtime/checkpoint/checkpointer.h"
#include "runtime/keeper/keeper_wire.h"

namespace roam::runtime {
namespace {

// Of a keeper that was lost: it is gone, or answers soon.
constexpr int kAgainMs = 500;

}  // namespace

bool Checkpointer::reach(KeeperClient& keeper, std::string* why) {
  *why = no_keeper_;
  if (keeper_program_.empty()) return false;
  if (keeper.connect_or_start(keepers_, net_.node(), keeper_program_)) return true;
  *why = "the keeper of checkpoints in memory: " + keeper.error();
  return false;
}

bool Checkpointer::reach_keeper(std::string* why) {
  if (keeper_.connected()) return true;
  lose_keeper();
  return reach(keeper_, why);
}

// What it has may be the newest for long.
void Checkpointer::hold_keeper() {
  if (!keeper_.connected() && !kept_numbers_.empty()) {
    keeper_.set_patience_ms(kAgainMs);
    keeper_.connect(keepers_, net_.node());
  }
  if (keeper_.connected()) held_.push_back(std::make_shared<KeeperClient>(std::move(keeper_)));
  keeper_.set_patience_ms(KeeperClient::kPatienceMs);
}

// What it may still hold stays as it is: later pieces are copied into other memory.
void Checkpointer::lose_keeper() {
  hold_keeper();
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
  return true;
}

bool Checkpointer::settle_kept(const CheckpointOrderHead& head, std::string* why) {
  if (net_.own_node_rank() == 0 && !keeper_.settle(head.number)) {
    *why = text("rank %d: the keeper of checkpoints in memory: ", net_.rank()) + keeper_.error();
    lose_keeper();
    return false;
  }
  return true;
}

// What is older than the one that all keepers have is this rank's memory again.
void Checkpointer::free_older(const CheckpointOrderHead& head) {
  kept_numbers_ = {head.number};
  for (const BaseEntry& base : known_.bases) kept_numbers_.push_back(base.number);
  aside_.keep_only(kept_numbers_);
  aside_.give_back();
  copies_.settled(head.number);
  held_.clear();
  leave_keepers(std::exchange(earlier_keepers_, {}));
}

// What it has stays there until something newer is on disk.
void Checkpointer::leave_keeper() {
  lose_keeper();
  copies_.close();
}

// Names of keepers that have checkpoints of this job: its own, and those that it went on from. No
// others: there may be another job whose folder is the same.
std::vector<std::string> Checkpointer::own_keepers() const {
  std::vector<std::string> names;
  if (!keepers_.empty()) names.push_back(keepers_);
  if (!facts_.kept_name.empty() && keeper_id(facts_.kept_name) != keeper_id(keepers_))
    names.push_back(facts_.kept_name);
  return names;
}

// Those of this machine, of whatever topology they are.
void Checkpointer::forget_keepers(const std::string& name) {
  if (name.empty() || net_.own_node_rank() != 0) return;
  std::vector<std::string> gone;  // another rank of this machine was first
  for (const auto& [node, keeper] : reach_keepers(name, &gone)) keeper->forget();
}

// ... which end if no job is connected to them.
void Checkpointer::leave_keepers(const std::string& name) {
  if (name.empty() || net_.own_node_rank() != 0) return;
  std::vector<std::string> gone;
  bool ends = false;
  for (const auto& [node, keeper] : reach_keepers(name, &gone)) keeper->leave(&ends);
}

// There is something newer on disk. Others may still go on from what this job went on from.
void Checkpointer::forget_kept() {
  keeper_.close();
  bool ends = false;
  for (const auto& client : held_) client->leave(&ends);
  held_.clear();
  forget_keepers(keepers_);
  if (keeper_id(facts_.kept_name) != keeper_id(keepers_)) leave_keepers(facts_.kept_name);
}

// ---- on rank 0 ----

// What is asked for goes to disk; what is made from time to time to memory, if that is wanted, and
// now and then to both.
CheckpointTargets Checkpointer::choose_targets() {
  if (!memory_ || disk_next_ || asks_.front().asker_rank != kFromTimeToTime)
    return CheckpointTargets::kDisk;
  return disk_every_ != 0 && since_disk_ + 1 >= disk_every_ ? CheckpointTargets::kBoth
                                                            : CheckpointTargets::kMemory;
}

// There is no way to the disk now: it is tried again after as many as disk= says.
void Checkpointer::go_on_in_memory(const std::string& why) {
  report(text("checkpoint %llu is made in memory, and not on disk: %s",
              static_cast<unsigned long long>(number_), why.c_str())
             .c_str());
  targets_ = CheckpointTargets::kMemory;
  since_disk_ = -1;
}

// Who starts the job again looks there, if there is nothing on disk.
void Checkpointer::note_kept(bool kept) {
  const std::string name = kept ? keepers_ : std::string();
  // An earlier job may have noted what is not so any more.
  if (noted_ == name) return;
  noted_ = name;
  std::string why;
  for (const std::string& one : kept ? std::vector{name} : own_keepers()) {
    // Another job may go on from where this one has nothing newer.
    if (one != keepers_ && !same_folder(facts_.kept_in, last_dir_)) continue;
    if (!runtime::note_kept(one, kept, &why)) report(why.c_str());
  }
}

LeftKeepers Checkpointer::leave_kept() {
  copies_.close();
  leave_keepers(earlier_keepers_);
  if (keeper_.connected()) held_.push_back(std::make_shared<KeeperClient>(std::move(keeper_)));
  // A job that keeps nothing in memory itself may be started again from the same, as from a disk.
  if (!in_memory_) return {};
  return {std::move(held_), own_keepers(), net_.own_node_rank() == 0, net_.same_node(0),
          net_.rank() == 0};
}

}  // namespace roam::runtime
