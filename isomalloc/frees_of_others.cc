#include "isomalloc/frees_of_others.h"

#include <pthread.h>

#include "base/lock.h"

namespace roam::iso {

thread_local constinit bool frees_at_once = false;

namespace {

constexpr long kPauseUs = 100;

constinit Lock frees;
bool held = false;  // `frees` is for it
thread_local constinit int depth = 0;

// A child of fork has no rank thread that would end it. After leases.cc: a free may open addresses.
[[gnu::constructor(104)]] void keep_frees_over_fork() {
  keep_over_fork<frees>();
  pthread_atfork(nullptr, nullptr, [] { held = false; });
}

}  // namespace

void hold_frees_of_others(bool hold) {
  frees.lock();
  held = hold;
  frees.unlock();
}

FreeOfOther::FreeOfOther() {
  if (depth++ != 0) return;
  for (frees.lock(); held; frees.lock()) {
    frees.unlock();
    os::stop_for_us(kPauseUs);
  }
}

FreeOfOther::~FreeOfOther() {
  if (--depth == 0) frees.unlock();
}

}  // namespace roam::iso
