#ifndef ROAM_ISOMALLOC_PROCESS_CALL_H_
#define ROAM_ISOMALLOC_PROCESS_CALL_H_

#include <dlfcn.h>

#include "isomalloc/capture.h"
#include "isomalloc/helper_threads.h"

// How calls of libc are passed on whose memory belongs to the process although a thread makes them:
// what they allocate must not be in the thread's heap, since it would leave with the thread.
namespace roam::iso {

// The next definition of the symbol after ours: libc's.
template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

// `object` was opened: it pins the thread whose heap `caller` is until it is closed. That is not
// always the thread that runs: what a new thread is given is copied, and what others wait for is
// made, where the capture is for its heap.
template <class T>
T* opened(T* object, const char* what, Heap* caller) {
  if (object != nullptr && caller != nullptr && process_hooks.opened != nullptr) {
    process_hooks.opened(caller, object, what, false);
  }
  return object;
}

inline void closed(const void* object) {
  if (object == nullptr || process_object_closed == nullptr) return;
  HelperScope own;
  process_object_closed(object);
}

// While libc calls back into the program and holds folders, locks or memory of the process
// meanwhile: its caller stays. Nothing if `on` is false.
class CallbackPin {
 public:
  explicit CallbackPin(const char* call, bool on = true) : on_(on && current_heap != nullptr) {
    Heap* caller = current_heap;
    HeapScope process;
    if (on_) opened(this, call, caller);
  }
  ~CallbackPin() {
    HeapScope process;
    if (on_) closed(this);
  }
  CallbackPin(const CallbackPin&) = delete;
  CallbackPin& operator=(const CallbackPin&) = delete;

 private:
  bool on_;
};

// The conversions of wide characters of the calling kernel thread's locale are loaded at their
// first use, wherever that is: now.
void load_conversions();

}  // namespace roam::iso

#define ROAM_EXPORT extern "C" __attribute__((visibility("default")))

// `type name parameters` that is passed on with `arguments`, with the capture off.
#define ROAM_PROCESS_CALL(type, name, parameters, arguments)          \
  ROAM_EXPORT type name parameters {                                  \
    static const auto real = roam::iso::next<type parameters>(#name); \
    roam::iso::HeapScope process;                                     \
    return real arguments;                                            \
  }

// The same, of a call that opens an object which pins.
#define ROAM_OPENING_CALL(type, name, parameters, arguments, what, prepare) \
  ROAM_EXPORT type* name parameters {                                       \
    static const auto real = roam::iso::next<type * parameters>(#name);     \
    roam::iso::Heap* caller = roam::iso::current_heap;                      \
    roam::iso::HeapScope process;                                           \
    return roam::iso::opened(prepare(real arguments), what, caller);        \
  }

#define ROAM_CLOSING_CALL(type, name, object_type)                      \
  ROAM_EXPORT type name(object_type object) {                           \
    static const auto real = roam::iso::next<type(object_type)>(#name); \
    roam::iso::HeapScope process;                                       \
    roam::iso::closed(object);                                          \
    return real(object);                                                \
  }

#endif  // ROAM_ISOMALLOC_PROCESS_CALL_H_
