/* The names that code written for the original isomalloc uses, for C and C++. The contract is that
 * of roam/isomalloc.h; only the types differ. */
#ifndef ROAM_CONVERSE_H_
#define ROAM_CONVERSE_H_

#include "roam/isomalloc.h"
#include "roam/pup_c.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As iso_malloc. A negative size stops the program. */
void* CmiIsomalloc(int size);
void CmiIsomallocFree(void* block);
void CmiIsomallocPup(pup_er p, void** block);
/* As iso_length. A block of more than INT_MAX bytes (made by iso_malloc) stops the program. */
int CmiIsomallocLength(void* block);
int CmiIsomallocInRange(void* address);

#ifdef __cplusplus
}
#endif

#endif /* ROAM_CONVERSE_H_ */
