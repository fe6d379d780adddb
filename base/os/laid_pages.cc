#include "base/os/laid_pages.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>

#include "base/lock.h"

namespace roam::os {
namespace {

using Ends = std::map<Address, Address>;  // by begin

constinit Lock lock;
constinit Ends* laid = nullptr;  // made with the first; none is given back

// Before those who hold their own lock while they open memory: it is taken after theirs.
[[gnu::constructor(101)]] void keep_lock_over_fork() { keep_over_fork<lock>(); }

// The lock, without a handler of a signal on this kernel thread meanwhile: one may touch memory
// that is to be made accessible first, which comes by here.
class Hold {
 public:
  Hold() {
    constexpr std::uint64_t kAll = ~std::uint64_t{0};
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &kAll, &before_, sizeof before_);
    lock.lock();
  }
  ~Hold() {
    lock.unlock();
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  std::uint64_t before_ = 0;  // the kernel's mask
};

// Past the program's own mprotect (isomalloc/mapping_calls.cc), which takes a lock.
bool give_access(Address from, Address end) {
  return from >= end || syscall(SYS_mprotect, from, end - from, PROT_READ | PROT_WRITE) == 0;
}

}  // namespace

void note_laid_pages(Range range) {
  const Hold hold;
  if (laid == nullptr) laid = new Ends;
  (*laid)[range.begin] = range.end();
}

void forget_laid_pages(Range range) {
  const Hold hold;
  if (laid != nullptr) laid->erase(range.begin);
}

void forget_all_laid_pages() { laid = nullptr; }

bool give_access_around(Range range) {
  const Hold hold;
  Address from = range.begin;
  if (laid != nullptr) {
    auto next = laid->upper_bound(from);
    if (next != laid->begin()) from = std::max(from, std::prev(next)->second);
    for (; next != laid->end() && next->first < range.end(); ++next) {
      if (!give_access(from, next->first)) return false;
      from = next->second;
    }
  }
  return give_access(from, range.end());
}

}  // namespace roam::os
