#include "runtime/job/components.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "runtime/check/pointer_check.h"
#include "runtime/teams/flow_control.h"
#include "runtime/teams/open_parcels.h"
#include "runtime/teams/pulls.h"
#include "runtime/trace/trace.h"

namespace roam::runtime {

void Components::make(std::function<void(int, const char*, std::size_t)> deliver,
                      std::function<RankCounts()> counts) {
  net.deliver = std::move(deliver);
  locator.emplace(net);
  leases.emplace(net);
  life.emplace(net, *locator, open_objects);
  teams.emplace(net, *life);
  observer.emplace(net, std::move(counts));
}

void Components::begin_run(const Options& options, Checkpointer::Facts facts) {
  net.begin_run();
  mover.emplace(net, *locator, open_objects, options);
  residents.emplace();
  whereabouts.emplace(net, *locator);
  parcels.emplace(net.rank());
  parcels->start();
  owned_.clear();
  auto& open_parcels =
      own<OpenParcels>(net, *locator, *parcels, *residents, options.unreceived_bytes);
  auto& pulls = own<Pulls>(net, *parcels, open_parcels);
  auto& flow = own<FlowControl>(net, *whereabouts);
  post.emplace(net, *whereabouts, *parcels, open_parcels, pulls, flow, options.seed);
  balancer.emplace(net, *residents, options);
  gatherings.emplace(net, *locator, *residents, *balancer);
  balancer->connect(*gatherings);
  members.emplace(net, *whereabouts, *residents, *parcels, open_parcels, pulls, flow, *gatherings,
                  options.unreceived_bytes);
  facts.components = [this]() -> const std::vector<Component*>& { return all_; };
  facts.addresses = [this](StateWriter& out) { leases->save_addresses(out); };
  checkpointer.emplace(net, *life, open_objects, options, std::move(facts));
  mover->set_members(&*members);
  teams->begin_run(&*members);

  clear_list();
  std::fill(std::begin(by_kind_), std::end(by_kind_), nullptr);
  // The list, in the order in which they are polled and in which a checkpoint has what they know. A
  // new one that nobody names is made in it: add(own<Sampler>(net)).
  add(open_objects);
  add(pulls);
  add(flow);
  add(open_parcels);
  add(*post);
  add(*gatherings);
  add(*mover);
  add(*life);
  add(*balancer);
  add(balancer->diffuser());
  add(*teams);
  add(*observer);
  add(*locator);
  add(*whereabouts);
  add(*parcels);
  add(mover->migrator());
  add(mover->live());
  add(*leases);
  add(net);
  add(*members);
  add(*checkpointer);
}

void Components::watch_run(Options* options) {
  observer->start(options);
  life->begin_run(&*mover, the_trace != nullptr || the_check != nullptr);
}

void Components::add(Component& component) {
  all_.push_back(&component);
  if (component.polls()) polled_.push_back(&component);
  if (component.heeds_idle()) idlers_.push_back(&component);
  for (const Kind kind : component.kinds()) {
    Component*& owner = by_kind_[static_cast<std::size_t>(kind)];
    ROAM_CHECK(owner == nullptr, "two components have messages of kind %u",
               static_cast<unsigned>(kind));
    owner = &component;
  }
}

void Components::clear_list() {
  all_.clear();
  polled_.clear();
  idlers_.clear();
}

void Components::end_run() {
  clear_list();
  mover.reset();
}

void Components::handle(int from, const char* message, std::size_t bytes) {
  const auto kind = static_cast<std::uint32_t>(read<Kind>(message));
  Component* owner = kind < kKinds ? by_kind_[kind] : nullptr;
  if (owner == nullptr) fatal("a message of unknown kind %u came from rank %d", kind, from);
  owner->handle(from, message, bytes);
}

}  // namespace roam::runtime
