// The loops of bench/heap over whatever malloc this process has: glibc's, or one that LD_PRELOAD
// names.
#include <dlfcn.h>

#include <cstdlib>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>

#include "bench/heap_loops.h"
#include "bench/peer.h"

namespace {

// Two kernel threads of this process: one allocates, the other frees. What handing over takes is
// not counted.
class Pass {
 public:
  explicit Pass(std::size_t bytes)
      : blocks_(bytes), consumer_([this] {
          for (;;) {
            full_.acquire();
            if (end_) return;
            release_ns_ += blocks_.release();
            empty_.release();
          }
        }) {}
  ~Pass() {
    end_ = true;
    full_.release();
    consumer_.join();
  }
  double slice() {
    double allocate_ns = 0;
    release_ns_ = 0;
    for (std::size_t i = 0; i < bench::PassedBlocks::kBatches; ++i) {
      allocate_ns += blocks_.allocate();
      full_.release();
      empty_.acquire();
    }
    return (allocate_ns + release_ns_) / bench::PassedBlocks::kBatches;
  }

 private:
  bench::PassedBlocks blocks_;
  double release_ns_ = 0;
  bool end_ = false;
  std::binary_semaphore full_{0};
  std::binary_semaphore empty_{0};
  std::thread consumer_;
};

// Whether malloc comes from a shared object with that name; LD_PRELOAD is only a wish.
bool malloc_is_of(const std::string& library) {
  Dl_info info;
  return dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info) != 0 &&
         std::string(info.dli_fname).find(library) != std::string::npos;
}

}  // namespace

int main() {
  std::unique_ptr<bench::HeapLoops> loops;
  std::unique_ptr<Pass> pass;
  bench::serve([&](const std::string& order) -> double {
    if (order.rfind("is/", 0) == 0) return malloc_is_of(order.substr(3));
    if (order == "resident_over_live") return bench::HeapLoops::resident_over_live();
    if (order == "end") {
      loops.reset();
      pass.reset();
      return 0;
    }
    if (order.rfind("pass/", 0) == 0) {
      if (pass == nullptr) pass = std::make_unique<Pass>(std::stoul(order.substr(5)));
      return pass->slice();
    }
    if (loops == nullptr) loops = std::make_unique<bench::HeapLoops>();
    return loops->time(order);
  });
}
