#ifndef ROAM_RUNTIME_TRACE_OBSERVER_H_
#define ROAM_RUNTIME_TRACE_OBSERVER_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "base/options.h"
#include "runtime/net/net.h"
#include "runtime/trace/progress.h"
#include "runtime/trace/watch.h"

namespace roam::runtime {

struct ProgressHead {
  Kind kind;
  std::int32_t rank;
  RankCounts counts;
};

// What ROAM_TRACE and ROAM_PROGRESS see of a rank, run by run. Context: the rank's kernel thread,
// capture off.
class Observer final : public Component {
 public:
  // `counts()`: what the rank has to say of itself, but how busy it was.
  Observer(Net& net, std::function<RankCounts()> counts) : net_(net), counts_(std::move(counts)) {}

  // Collective. What rank 0 was told holds for all: `options` are changed so.
  void start(Options* options);
  bool active() const { return watch_ != nullptr; }
  // The rank has nothing to run; see Watch.
  void idle_begins();
  void idle_goes_on();

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  void poll() override;
  void run_ended() override;
  void finish_run() override;

 private:
  Net& net_;
  std::function<RankCounts()> counts_;
  std::unique_ptr<Watch> watch_;  // null unless somebody watches the run
  int runs_ = 0;                  // of this process
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TRACE_OBSERVER_H_
