// Objects of the caller that libraries of the process allocate into: patterns, tables, trees,
// attributes, and what OpenMP's allocators give. What they allocate is the caller's if the object
// is in a thread's memory; that of a static object is the process's.

#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <search.h>
#include <spawn.h>

#include "isomalloc/arena.h"
#include "isomalloc/library_slots.h"
#include "isomalloc/process_call.h"

using roam::iso::arena;
using roam::iso::LibraryGives;
using roam::iso::next;

// `type name parameters`, passed on with `arguments`, that allocates into the object that `owner`
// points to, or is part of.
#define ROAM_GIVING_CALL(type, name, parameters, arguments, owner) \
  ROAM_EXPORT type name parameters {                               \
    static const auto real = next<type parameters>(#name);         \
    const LibraryGives gives(arena().contains(owner));             \
    return real arguments;                                         \
  }

// Patterns. libc loads conversions of the locale while it compiles one, and keeps those.
ROAM_EXPORT int regcomp(regex_t* pattern, const char* text, int flags) {
  static const auto real = next<int(regex_t*, const char*, int)>("regcomp");
  roam::iso::load_conversions();
  const LibraryGives gives(arena().contains(pattern));
  return real(pattern, text, flags);
}
ROAM_EXPORT const char* re_compile_pattern(const char* text, size_t bytes,
                                           re_pattern_buffer* pattern) {
  using Compile = const char*(const char*, size_t, re_pattern_buffer*);
  static const auto real = next<Compile>("re_compile_pattern");
  roam::iso::load_conversions();
  const LibraryGives gives(arena().contains(pattern));
  return real(text, bytes, pattern);
}
ROAM_GIVING_CALL(int, re_compile_fastmap, (re_pattern_buffer * pattern), (pattern), pattern->buffer)
ROAM_GIVING_CALL(int, regexec,
                 (const regex_t* pattern, const char* text, size_t count, regmatch_t* found,
                  int flags),
                 (pattern, text, count, found, flags), pattern->buffer)
ROAM_GIVING_CALL(regoff_t, re_match,
                 (re_pattern_buffer * pattern, const char* text, regoff_t bytes, regoff_t start,
                  re_registers* found),
                 (pattern, text, bytes, start, found), pattern->buffer)
ROAM_GIVING_CALL(regoff_t, re_search,
                 (re_pattern_buffer * pattern, const char* text, regoff_t bytes, regoff_t start,
                  regoff_t range, re_registers* found),
                 (pattern, text, bytes, start, range, found), pattern->buffer)
ROAM_GIVING_CALL(regoff_t, re_match_2,
                 (re_pattern_buffer * pattern, const char* text, regoff_t bytes, const char* text_2,
                  regoff_t bytes_2, regoff_t start, re_registers* found, regoff_t stop),
                 (pattern, text, bytes, text_2, bytes_2, start, found, stop), pattern->buffer)
ROAM_GIVING_CALL(regoff_t, re_search_2,
                 (re_pattern_buffer * pattern, const char* text, regoff_t bytes, const char* text_2,
                  regoff_t bytes_2, regoff_t start, regoff_t range, re_registers* found,
                  regoff_t stop),
                 (pattern, text, bytes, text_2, bytes_2, start, range, found, stop),
                 pattern->buffer)

// Tables and trees.
ROAM_GIVING_CALL(int, hcreate_r, (size_t count, hsearch_data* table), (count, table), table)

namespace {
using Compare = int(const void*, const void*);
thread_local constinit Compare* tree_compare = nullptr;

// The comparison is the caller's code, which may let other threads run, and move. Meanwhile nothing
// is as tsearch needs it.
int compare_for_tree(const void* a, const void* b) {
  Compare* const compare = tree_compare;
  int order = 0;
  {
    const LibraryGives off(false);
    order = compare(a, b);
  }
  tree_compare = compare;
  return order;
}
}  // namespace

ROAM_EXPORT void* tsearch(const void* key, void** root, Compare* compare) {
  static const auto real = next<void*(const void*, void**, Compare*)>("tsearch");
  if (!arena().contains(root)) return real(key, root, compare);
  tree_compare = compare;
  const LibraryGives gives;
  return real(key, root, compare_for_tree);
}

// Attributes.
#define ROAM_SPAWN_ACTION(name, parameters, arguments) \
  ROAM_GIVING_CALL(int, posix_spawn_file_actions_##name, parameters, arguments, actions)
ROAM_SPAWN_ACTION(addopen,
                  (posix_spawn_file_actions_t * actions, int fd, const char* path, int flags,
                   mode_t mode),
                  (actions, fd, path, flags, mode))
ROAM_SPAWN_ACTION(addclose, (posix_spawn_file_actions_t * actions, int fd), (actions, fd))
ROAM_SPAWN_ACTION(adddup2, (posix_spawn_file_actions_t * actions, int from, int to),
                  (actions, from, to))
ROAM_SPAWN_ACTION(addchdir_np, (posix_spawn_file_actions_t * actions, const char* path),
                  (actions, path))
ROAM_SPAWN_ACTION(addfchdir_np, (posix_spawn_file_actions_t * actions, int fd), (actions, fd))
ROAM_SPAWN_ACTION(addclosefrom_np, (posix_spawn_file_actions_t * actions, int fd), (actions, fd))
ROAM_SPAWN_ACTION(addtcsetpgrp_np, (posix_spawn_file_actions_t * actions, int fd), (actions, fd))

ROAM_GIVING_CALL(int, pthread_attr_setaffinity_np,
                 (pthread_attr_t * attributes, size_t bytes, const cpu_set_t* set),
                 (attributes, bytes, set), attributes)
ROAM_GIVING_CALL(int, pthread_attr_setsigmask_np,
                 (pthread_attr_t * attributes, const sigset_t* mask), (attributes, mask),
                 attributes)
ROAM_GIVING_CALL(int, pthread_getattr_np, (pthread_t id, pthread_attr_t* attributes),
                 (id, attributes), attributes)
ROAM_GIVING_CALL(int, pthread_getattr_default_np, (pthread_attr_t * attributes), (attributes),
                 attributes)

// OpenMP's allocators.
#define ROAM_OMP_CALL(name, parameters, arguments)           \
  ROAM_EXPORT void* name parameters {                        \
    static const auto real = next<void * parameters>(#name); \
    const LibraryGives gives;                                \
    return real arguments;                                   \
  }
ROAM_OMP_CALL(omp_alloc, (size_t bytes, uintptr_t by), (bytes, by))
ROAM_OMP_CALL(omp_aligned_alloc, (size_t alignment, size_t bytes, uintptr_t by),
              (alignment, bytes, by))
ROAM_OMP_CALL(omp_calloc, (size_t count, size_t bytes, uintptr_t by), (count, bytes, by))
ROAM_OMP_CALL(omp_aligned_calloc, (size_t alignment, size_t count, size_t bytes, uintptr_t by),
              (alignment, count, bytes, by))
ROAM_OMP_CALL(omp_realloc, (void* block, size_t bytes, uintptr_t by, uintptr_t from),
              (block, bytes, by, from))
ROAM_OMP_CALL(omp_target_alloc, (size_t bytes, int device), (bytes, device))
ROAM_OMP_CALL(GOMP_alloc, (size_t alignment, size_t bytes, uintptr_t by), (alignment, bytes, by))
