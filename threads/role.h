#ifndef ROAM_THREADS_ROLE_H_
#define ROAM_THREADS_ROLE_H_

namespace roam::threads {

// What a thread is to a layer above, which derives from this and knows the type (a member of a
// team, runtime/teams/member.h). It lies in the thread's memory and travels with it. Here, and by
// who moves threads, nothing is known of it but whether there is one: Tcb::role.
class Role {
 protected:
  Role() = default;
  ~Role() = default;
};

}  // namespace roam::threads

#endif  // ROAM_THREADS_ROLE_H_
