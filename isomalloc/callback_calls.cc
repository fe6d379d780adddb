// Calls of libc that call back into the program, and hold folders, locks or memory of the process
// meanwhile: their caller cannot move in the callback.

#include <argp.h>
#include <ftw.h>
#include <link.h>

#include "isomalloc/process_call.h"

using roam::iso::CallbackPin;
using roam::iso::next;

#define ROAM_CALLING_BACK(type, name, parameters, arguments) \
  ROAM_EXPORT type name parameters {                         \
    static const auto real = next<type parameters>(#name);   \
    const CallbackPin pin(#name);                            \
    return real arguments;                                   \
  }

#define ROAM_WALKS(suffix)                                                                      \
  ROAM_CALLING_BACK(int, ftw##suffix, (const char* path, __ftw##suffix##_func_t call, int fds), \
                    (path, call, fds))                                                          \
  ROAM_CALLING_BACK(int, nftw##suffix,                                                          \
                    (const char* path, __nftw##suffix##_func_t call, int fds, int flags),       \
                    (path, call, fds, flags))
ROAM_WALKS()
ROAM_WALKS(64)

ROAM_CALLING_BACK(int, dl_iterate_phdr, (int (*call)(dl_phdr_info*, size_t, void*), void* argument),
                  (call, argument))
ROAM_CALLING_BACK(error_t, argp_parse,
                  (const argp* parser, int count, char** words, unsigned flags, int* rest,
                   void* input),
                  (parser, count, words, flags, rest, input))
