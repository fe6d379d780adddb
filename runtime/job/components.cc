#include "runtime/job/components.h"

#include <algorithm>
#include <cstdint>

#include "base/check.h"

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

void Components::begin_run(const Options& options) {
  net.begin_run();
  mover.emplace(net, *locator, open_objects, options);
  post.emplace(net, *locator, options);
  post->start();
  balancer.emplace(net, options);
  gatherings.emplace(net, *locator, *post, *balancer);
  balancer->connect(*post, *gatherings);
  members.emplace(*post, *gatherings);
  mover->set_members(&*members);
  teams->begin_run(&*members);

  all_ = list();
  idlers_.clear();
  std::fill(std::begin(by_kind_), std::end(by_kind_), nullptr);
  for (Component* c : all_) {
    if (c->heeds_idle()) idlers_.push_back(c);
    for (const Kind kind : c->kinds()) {
      Component*& owner = by_kind_[static_cast<std::size_t>(kind)];
      ROAM_CHECK(owner == nullptr, "two components have messages of kind %u",
                 static_cast<unsigned>(kind));
      owner = c;
    }
  }
}

std::vector<Component*> Components::list() {
  return {&open_objects, &*post,     &*gatherings,          &*mover,
          &*life,        &*balancer, &balancer->diffuser(), &*teams,
          &*observer,    &*locator,  &mover->migrator(),    &*leases,
          &net};
}

void Components::end_run() {
  post->finish();
  life->end_run();
  all_.clear();
  idlers_.clear();
  mover.reset();
}

void Components::handle(int from, const char* message, std::size_t bytes) {
  const auto kind = static_cast<std::uint32_t>(read<Kind>(message));
  Component* owner = kind < kKinds ? by_kind_[kind] : nullptr;
  if (owner == nullptr) fatal("a message of unknown kind %u came from rank %d", kind, from);
  owner->handle(from, message, bytes);
}

}  // namespace roam::runtime
