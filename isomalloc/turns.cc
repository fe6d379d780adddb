#include "isomalloc/turns.h"

#include "base/lock.h"

namespace roam::iso {
namespace {

constinit Lock turn;
thread_local constinit int turns_here = 0;

}  // namespace

Turn (*leave_to_rank)(const char* what, void (*call)(void*), void* argument) = nullptr;

OwnTurn::OwnTurn() {
  if (turns_here++ == 0) turn.lock();
}

OwnTurn::~OwnTurn() {
  if (--turns_here == 0) turn.unlock();
}

}  // namespace roam::iso
