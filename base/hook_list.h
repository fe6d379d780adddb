#ifndef ROAM_BASE_HOOK_LIST_H_
#define ROAM_BASE_HOOK_LIST_H_

#include <boost/intrusive/list.hpp>

namespace roam::detail {

// A doubly linked list that goes through the objects themselves: its place in one is a hook. Of a
// KeptHook, who is taken out keeps what was in it, which costs least; a ClearedHook is empty then,
// so that it travels without an address of a process.
using KeptHook =
    boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::normal_link>>;
using ClearedHook =
    boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::safe_link>>;

template <class Object, class Hook, Hook Object::*kHook>
using HookList = boost::intrusive::list<Object, boost::intrusive::member_hook<Object, Hook, kHook>,
                                        boost::intrusive::constant_time_size<false>>;

}  // namespace roam::detail

#endif  // ROAM_BASE_HOOK_LIST_H_
