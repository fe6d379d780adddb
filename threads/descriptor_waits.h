#ifndef ROAM_THREADS_DESCRIPTOR_WAITS_H_
#define ROAM_THREADS_DESCRIPTOR_WAITS_H_

#include <poll.h>

#include <cstdint>

#include "threads/outside_waits.h"

namespace roam::threads::wait_calls {

// Whether a call on `descriptor` for `events` (POLLIN, POLLOUT) would return, as libc's poll says
// it; with an error too.
bool is_ready(int descriptor, short events);

// Until when a call may wait that finds nothing there: for ever, until the socket's time is over,
// kAtOnce for what is open without waiting, kByLibc where it would fail.
std::int64_t read_deadline(int descriptor);
std::int64_t accept_deadline(int descriptor);
std::int64_t write_deadline(int descriptor);

// A question of `self`, which did not wait, said EAGAIN if `vain`: asked in a loop, it lets others
// run. Null: it does not.
void note_vain(Tcb* self, bool vain);

}  // namespace roam::threads::wait_calls

#endif  // ROAM_THREADS_DESCRIPTOR_WAITS_H_
