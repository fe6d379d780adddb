#ifndef ROAM_RUNTIME_TEAMS_RESIDENTS_H_
#define ROAM_RUNTIME_TEAMS_RESIDENTS_H_

#include "base/hook_list.h"
#include "runtime/teams/member.h"

namespace roam::runtime {

// The members of teams that are on this rank, the one that came last first. The list goes through
// the members' own memory, so a member is taken out before that leaves.
//
// Context: the rank's kernel thread.
class Residents {
 public:
  void add(detail::Member& m) { members_.push_front(m); }
  void remove(detail::Member& m) { members_.erase(members_.iterator_to(m)); }

  // Whether `is(member)` of one; later ones are not looked at. It may take that member out.
  template <class Is>
  bool any(Is is) {
    for (auto at = members_.begin(); at != members_.end();) {
      detail::Member& m = *at++;
      if (is(m)) return true;
    }
    return false;
  }
  // The same of all: visit(member).
  template <class Visit>
  void for_each(Visit visit) {
    any([&](detail::Member& m) {
      visit(m);
      return false;
    });
  }

 private:
  using Hook = detail::ClearedHook;
  detail::HookList<detail::Member, Hook, &detail::Member::among_residents> members_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_RESIDENTS_H_
