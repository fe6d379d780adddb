#include "runtime/checkpoint/left_keepers.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "base/job_record.h"
#include "runtime/checkpoint/folder.h"

namespace roam::runtime {
namespace {

// The end of a process does not wait long for one that hangs.
constexpr int kPatienceMs = 1'000;

LeftKeepers* left_ones = nullptr;  // no destructor may come before the last handler
pid_t process = 0;

}  // namespace

void leave_at_exit(LeftKeepers left) {
  if (left.names.empty()) return;
  left_ones = new LeftKeepers(std::move(left));
  process = getpid();
  // Else its handler calls leave_now().
  if (!job_record::wanted()) on_exit([](int, void*) { leave_now(); }, nullptr);
}

void leave_now() {
  if (left_ones == nullptr || getpid() != process || job_record::in_handler()) return;
  const LeftKeepers all = std::move(*std::exchange(left_ones, nullptr));
  bool ended = false, needed = false;
  const auto leave = [&](KeeperClient& keeper) {
    bool ends = false;
    keeper.set_patience_ms(kPatienceMs);
    if (keeper.leave(&ends)) (ends ? ended : needed) = true;
  };
  for (const auto& client : all.clients) leave(*client);
  for (const std::string& name : all.names) {
    if (!all.tells_all) break;
    std::vector<std::string> gone;
    for (const auto& [node, keeper] : reach_keepers(name, &gone)) leave(*keeper);
  }
  // Where some rank is still at work, the last one notes it. Other nodes' keepers do not know of
  // it.
  if (!all.near || (!ended && (!all.notes || needed))) return;
  std::string none;
  for (const std::string& name : all.names) note_kept(name, false, &none);
}

}  // namespace roam::runtime
