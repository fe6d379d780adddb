#ifndef ROAM_ISOMALLOC_LOAD_CALLS_H_
#define ROAM_ISOMALLOC_LOAD_CALLS_H_

// Ours, which the dynamic linker does not find: UCX, below MPI, puts its own into the slots of all
// modules, and calls libc's from there.
extern "C" [[gnu::visibility("hidden"), gnu::nothrow]] void* roam_dlopen(const char* path,
                                                                         int flags);

#endif  // ROAM_ISOMALLOC_LOAD_CALLS_H_
