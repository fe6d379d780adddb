#ifndef ROAM_THREADS_REAL_CALL_H_
#define ROAM_THREADS_REAL_CALL_H_

#include <dlfcn.h>

#include <atomic>

#include "isomalloc/heap.h"

namespace roam::threads {

// libc's own. No function-local static: its guard would be on the path of every lock.
template <class F>
class Real {
 public:
  constexpr Real(const char* name, const char* version) : name_(name), version_(version) {}
  template <class... Arguments>
  auto operator()(Arguments... arguments) {
    F* f = f_.load(std::memory_order_relaxed);
    if (f == nullptr) [[unlikely]]
      f = find();
    return f(arguments...);
  }
  // Looks it up now: what may be called in a handler, or in a child of fork, must not later.
  void prepare() { find(); }

 private:
  // Of condition variables libc has two versions, and dlsym may give the old one.
  F* find() {
    roam::iso::HeapScope process;
    void* f = version_ != nullptr ? dlvsym(RTLD_NEXT, name_, version_) : nullptr;
    if (f == nullptr) f = dlsym(RTLD_NEXT, name_);
    f_.store(reinterpret_cast<F*>(f), std::memory_order_relaxed);
    return reinterpret_cast<F*>(f);
  }
  const char* name_;
  const char* version_;
  std::atomic<F*> f_ = nullptr;
};

}  // namespace roam::threads

#endif  // ROAM_THREADS_REAL_CALL_H_
