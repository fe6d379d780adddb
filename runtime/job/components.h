#ifndef ROAM_RUNTIME_JOB_COMPONENTS_H_
#define ROAM_RUNTIME_JOB_COMPONENTS_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/options.h"
#include "runtime/balancing/balancer.h"
#include "runtime/checkpoint/checkpointer.h"
#include "runtime/life/lifecycle.h"
#include "runtime/move/lease_broker.h"
#include "runtime/move/mover.h"
#include "runtime/move/open_objects.h"
#include "runtime/net/net.h"
#include "runtime/place/locator.h"
#include "runtime/teams/gathering.h"
#include "runtime/teams/members.h"
#include "runtime/teams/parcel_store.h"
#include "runtime/teams/post.h"
#include "runtime/teams/residents.h"
#include "runtime/teams/teams.h"
#include "runtime/teams/whereabouts.h"
#include "runtime/trace/observer.h"

namespace roam::runtime {

// The parts of the runtime on one rank: begin_run() has their one list. Only those have members
// here that the job or the public calls name; the others are made there.
class Components {
 public:
  // Once a process, when MPI runs and the nodes are made. `deliver`: what is done with messages;
  // `counts`: what ROAM_PROGRESS says of this rank.
  void make(std::function<void(int, const char*, std::size_t)> deliver,
            std::function<RankCounts()> counts);
  bool made() const { return locator.has_value(); }
  // What belongs to one run is made anew. `facts`: of the job, but for the components.
  void begin_run(const Options& options, Checkpointer::Facts facts);
  // Collective, once all ranks are there. What rank 0 says of how the run is watched holds for all:
  // `options` are changed so.
  void watch_run(Options* options);
  // No message comes any more.
  void end_run();

  const std::vector<Component*>& all() const { return all_; }
  // Those that may be due, in the order in which they are polled.
  const std::vector<Component*>& polled() const { return polled_; }
  // Those that heed that the rank is idle.
  const std::vector<Component*>& idlers() const { return idlers_; }
  // Whose kind a message is. Ends the job if it is nobody's.
  void handle(int from, const char* message, std::size_t bytes);

  // Of the process.
  Net net;
  OpenObjects open_objects;
  std::optional<Locator> locator;
  std::optional<LeaseBroker> leases;
  std::optional<Lifecycle> life;
  std::optional<Teams> teams;
  std::optional<Observer> observer;
  // Of a run.
  std::optional<Mover> mover;
  std::optional<Residents> residents;
  std::optional<Whereabouts> whereabouts;
  std::optional<ParcelStore> parcels;
  std::optional<Post> post;
  std::optional<Balancer> balancer;
  std::optional<Gatherings> gatherings;
  std::optional<Members> members;
  std::optional<Checkpointer> checkpointer;

 private:
  // Makes one that lives until the next run begins.
  template <typename T, typename... Arguments>
  T& own(Arguments&&... arguments) {
    auto made = std::make_unique<T>(std::forward<Arguments>(arguments)...);
    T& component = *made;
    owned_.push_back(std::move(made));
    return component;
  }
  // At the end of the list.
  void add(Component& component);
  // What is polled and asked; whose a message is stays known.
  void clear_list();

  std::vector<std::unique_ptr<Component>> owned_;
  std::vector<Component*> all_, polled_, idlers_;
  Component* by_kind_[kKinds] = {};
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_JOB_COMPONENTS_H_
