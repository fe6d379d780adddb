#ifndef ROAM_RUNTIME_TEAMS_RESIDENTS_H_
#define ROAM_RUNTIME_TEAMS_RESIDENTS_H_

#include "runtime/teams/member.h"

namespace roam::runtime {

// The members of teams that are on this rank, the one that came last first. The list goes through
// the members' own memory, so a member is taken out before that leaves.
//
// Context: the rank's kernel thread.
class Residents {
 public:
  void add(detail::Member& m) {
    m.previous_resident = nullptr;
    m.next_resident = first_;
    if (first_ != nullptr) first_->previous_resident = &m;
    first_ = &m;
  }
  void remove(detail::Member& m) {
    (m.previous_resident != nullptr ? m.previous_resident->next_resident : first_) =
        m.next_resident;
    if (m.next_resident != nullptr) m.next_resident->previous_resident = m.previous_resident;
  }

  // Whether `is(member)` of one; later ones are not looked at. It may take that member out.
  template <class Is>
  bool any(Is is) const {
    for (detail::Member* m = first_; m != nullptr;) {
      detail::Member* next = m->next_resident;
      if (is(*m)) return true;
      m = next;
    }
    return false;
  }
  // The same of all: visit(member).
  template <class Visit>
  void for_each(Visit visit) const {
    any([&](detail::Member& m) {
      visit(m);
      return false;
    });
  }

 private:
  detail::Member* first_ = nullptr;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_RESIDENTS_H_
