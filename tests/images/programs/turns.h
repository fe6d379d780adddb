/* Who am I, and when may others run: for programs that are run as processes and as virtual ranks.
 */
#ifndef ROAM_TESTS_IMAGES_TURNS_H_
#define ROAM_TESTS_IMAGES_TURNS_H_

#include <sched.h>
#include <stdlib.h>

static inline int my_number(void) { return atoi(getenv("ROAM_VIRTUAL_RANK")); }
static inline int my_count(void) { return atoi(getenv("ROAM_VIRTUAL_RANKS")); }
static inline void take_turn(void) { sched_yield(); }

#endif
