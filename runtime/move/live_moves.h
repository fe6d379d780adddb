#ifndef ROAM_RUNTIME_MOVE_LIVE_MOVES_H_
#define ROAM_RUNTIME_MOVE_LIVE_MOVES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/options.h"
#include "runtime/move/live_reports.h"
#include "runtime/move/live_source.h"
#include "runtime/move/live_target.h"
#include "runtime/net/component.h"
#include "runtime/net/net.h"
#include "runtime/place/locator.h"

namespace roam::runtime {

// Threads whose pages go ahead of them: both sides, and what there is to say of it.
class LiveMoves final : public Component {
 public:
  LiveMoves(Net& net, Locator& locator, const Options& options);

  // As LiveSource has them.
  void ask(Tcb* t, int to, std::int64_t most_still_ns);
  void forget(std::uint64_t id) { source_.forget(id); }
  LiveSource& source() { return source_; }
  const LiveSource& source() const { return source_; }
  LiveTarget& target() { return target_; }
  // `t` goes to rank `to`: tells what is to be said of its move. After send_there().
  void tell(const Tcb* t, int to) {
    if (!reports_.empty()) [[unlikely]]
      tell_slow(t, to);
  }
  // It has come.
  void arrived(const Tcb* t, int from) {
    if (!reports_.empty()) [[unlikely]]
      arrived_slow(t, from);
  }
  // What was told of the thread `id`, which is about to come, is not so: all of its `bytes` come
  // while it stands still; or this rank does not take it.
  void comes_whole(std::uint64_t id, std::uint64_t bytes) {
    if (!reports_.empty()) [[unlikely]]
      comes_whole_slow(id, bytes);
  }
  void not_taken(std::uint64_t id) { reports_.forget(id); }
  // It could not go: whoever asked for a live move learns why.
  void refused(const Tcb* t, const std::string& why);
  // Of its last move, if that brought it here or left it here; null: nothing is known.
  const LiveReport* report_of(const Tcb* t);

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  void poll() override;
  bool quiet() const override { return !source_.busy() && !target_.busy(); }
  bool urgent() const override { return source_.busy() || target_.busy(); }
  void reclaim() override;
  void settle() override { source_.make_ordinary("a checkpoint was made meanwhile"); }
  // Of a checkpoint that was made amid a live move, or before a thread that was asked had gone.
  void restored(Tcb* t) override {
    source_.ask_again(t);
    look_whether_due();
  }
  std::string describe() const override { return source_.describe(); }

 private:
  void tell_slow(const Tcb* t, int to);
  void comes_whole_slow(std::uint64_t id, std::uint64_t bytes);
  void arrived_slow(const Tcb* t, int from);
  void on_report(const char* message, std::size_t bytes);
  void look_whether_due();

  Net& net_;
  int verbose_;
  LiveReports reports_;
  LiveSource source_;
  LiveTarget target_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_MOVE_LIVE_MOVES_H_
