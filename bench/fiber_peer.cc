// The work of bench/yield and bench/spawn with Boost.Fiber: its round robin, on stacks as the raw
// fibers have them, recycled.
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "bench/fibers.h"
#include "bench/peer.h"
#include "bench/slices.h"

namespace {

using boost::context::stack_context;
using boost::fibers::fiber;

class StackPool {
 public:
  explicit StackPool(std::size_t count) : stacks_(count, true) {
    for (std::size_t i = count; i-- > 0;) free_.push_back(stacks_.at(i).sctx);
  }
  stack_context take() {
    const stack_context stack = free_.back();
    free_.pop_back();
    return stack;
  }
  void give(const stack_context& stack) { free_.push_back(stack); }

 private:
  bench::Stacks stacks_;
  std::vector<stack_context> free_;
};

// What Boost.Fiber asks for stacks; it copies it.
struct PooledStack {
  StackPool* pool;
  stack_context allocate() { return pool->take(); }
  void deallocate(stack_context& stack) { pool->give(stack); }
};

template <class Body>
fiber make_fiber(StackPool& pool, Body body) {
  return fiber(std::allocator_arg, PooledStack{&pool}, body);
}

// The caller and count - 1 fibers, which yield until the end.
class Yielders {
 public:
  explicit Yielders(std::size_t count) : pool_(count) {
    for (std::size_t i = 1; i < count; ++i) {
      fibers_.push_back(make_fiber(pool_, [this] {
        while (!stop_) boost::this_fiber::yield();
      }));
    }
    boost::this_fiber::yield();  // all have begun
  }
  ~Yielders() {
    stop_ = true;
    for (fiber& f : fibers_) f.join();
  }
  double slice() {
    return bench::time_laps(fibers_.size() + 1, [](std::size_t laps) {
      for (std::size_t i = 0; i < laps; ++i) boost::this_fiber::yield();
    });
  }

 private:
  StackPool pool_;
  bool stop_ = false;
  std::vector<fiber> fibers_;
};

class Spawner {
 public:
  explicit Spawner(std::size_t alive) : pool_(alive), fibers_(alive) {}
  double slice() {
    return bench::time_batches(fibers_.size(), [this] {
      for (fiber& f : fibers_) f = make_fiber(pool_, [] {});
      for (fiber& f : fibers_) f.join();
    });
  }

 private:
  StackPool pool_;
  std::vector<fiber> fibers_;
};

}  // namespace

// Orders: yield/CONTEXTS, spawn/ALIVE. A process serves one of them.
int main() {
  std::unique_ptr<Yielders> yielders;
  std::unique_ptr<Spawner> spawner;
  bench::serve([&](const std::string& order) {
    const std::size_t count = std::stoul(order.substr(order.find('/') + 1));
    if (order.rfind("yield/", 0) == 0) {
      if (yielders == nullptr) yielders = std::make_unique<Yielders>(count);
      return yielders->slice();
    }
    if (spawner == nullptr) spawner = std::make_unique<Spawner>(count);
    return spawner->slice();
  });
}
