#ifndef ROAM_ISOMALLOC_SEALS_H_
#define ROAM_ISOMALLOC_SEALS_H_

#include <cstddef>

#include "base/range.h"
#include "isomalloc/guards.h"
#include "isomalloc/layout.h"
#include "isomalloc/table.h"
#include "isomalloc/unit_map.h"

namespace roam::iso {

// What is not on this node and faults in this rank's mapping, though its lease is open: a pointer
// to a thread that has left is noticed so. Does nothing where guards are not cheap. Context: the
// rank's kernel thread, and who opens leases.
class Seals {
 public:
  // Errors: Error(out_of_memory).
  void start(const Layout& layout, const UnitMap* units, Guards* guards);
  void release() { sealed_.unmap(); }
  // Forgets all. Allocates nothing.
  void wipe();

  void seal(Range range);         // its pages, where their units are kept
  void seal_absent(Range range);  // whole units, where nothing that is here lives in them
  // Makes memory that is in use again usable: a comparison while nothing is sealed here.
  void unseal(Range range) {
    if (any()) [[unlikely]]
      unseal_slow(range);
  }
  // From the fault handler: the unit of `a`, if it is sealed but holds something that lives.
  bool unseal_for_fault(Address a);

  // Whether memory that another rank of the node has may have to be admitted here.
  bool any() const { return __atomic_load_n(&count_, __ATOMIC_RELAXED) != 0; }
  // From now on, whatever is sealed: other ranks may open what is sealed or closed here.
  void expect_always() { add(1); }
  bool sealed(Address a) const { return sealed_.test((a - begin_) / kUnitBytes); }

 private:
  void unseal_slow(Range range);
  void note(Range run);
  void add(int n) { __atomic_fetch_add(&count_, n, __ATOMIC_RELAXED); }

  const UnitMap* units_ = nullptr;
  Guards* guards_ = nullptr;
  Address begin_ = 0;
  std::size_t count_ = 0;  // of sealed units, and one if it is to be expected always
  BitTable sealed_;        // of each unit of the arena
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_SEALS_H_
