// scanf and its kin, of which "%ms" gives the caller a text (given_calls.cc). Each has three names:
// by the C standard that the caller was compiled for, the header calls another.

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "isomalloc/library_slots.h"
#include "isomalloc/process_call.h"

namespace {

using roam::iso::LibraryGives;
using roam::iso::next;

bool gives(const char* format) { return strchr(format, 'm') != nullptr; }
bool gives(const wchar_t* format) { return wcschr(format, L'm') != nullptr; }

// The stream's buffer is its own, so it is there before anything is given.
void make_buffer(FILE* file, const char*) {
  if (const int c = getc(file); c != EOF) ungetc(c, file);
}
void make_buffer(FILE* file, const wchar_t*) {
  if (const wint_t c = getwc(file); c != WEOF) ungetwc(c, file);
}

template <class Character, class Scan>
int scan_file(FILE* file, const Character* format, Scan scan) {
  const bool given = gives(format);
  if (given) make_buffer(file, format);
  const LibraryGives scope(given);
  return scan();
}

}  // namespace

#define ROAM_NAMED(type, name, parameters, symbol) \
  ROAM_EXPORT type name parameters asm(symbol);    \
  type name parameters

#define ROAM_SCAN_VARIADIC(name, parameters, symbol, call) \
  ROAM_NAMED(int, name, parameters, symbol) {              \
    va_list rest;                                          \
    va_start(rest, format);                                \
    const int count = call;                                \
    va_end(rest);                                          \
    return count;                                          \
  }

// `id` tells our names apart; the symbols are `start`, then f, s, v or nothing, then `scanf`.
#define ROAM_SCAN_CALLS(id, Character, start, scanf)                                        \
  ROAM_NAMED(int, id##_vf, (FILE * file, const Character* format, va_list rest),            \
             start "vf" scanf) {                                                            \
    static const auto real = next<int(FILE*, const Character*, va_list)>(start "vf" scanf); \
    return scan_file(file, format, [&] { return real(file, format, rest); });               \
  }                                                                                         \
  ROAM_NAMED(int, id##_vs, (const Character* text, const Character* format, va_list rest),  \
             start "vs" scanf) {                                                            \
    static const auto real =                                                                \
        next<int(const Character*, const Character*, va_list)>(start "vs" scanf);           \
    const LibraryGives scope(gives(format));                                                \
    return real(text, format, rest);                                                        \
  }                                                                                         \
  ROAM_NAMED(int, id##_v, (const Character* format, va_list rest), start "v" scanf) {       \
    return id##_vf(stdin, format, rest);                                                    \
  }                                                                                         \
  ROAM_SCAN_VARIADIC(id##_f, (FILE * file, const Character* format, ...), start "f" scanf,  \
                     id##_vf(file, format, rest))                                           \
  ROAM_SCAN_VARIADIC(id##_s, (const Character* text, const Character* format, ...),         \
                     start "s" scanf, id##_vs(text, format, rest))                          \
  ROAM_SCAN_VARIADIC(id##_plain, (const Character* format, ...), start scanf,               \
                     id##_vf(stdin, format, rest))

ROAM_SCAN_CALLS(roam_scan, char, "", "scanf")
ROAM_SCAN_CALLS(roam_scan_c99, char, "__isoc99_", "scanf")
ROAM_SCAN_CALLS(roam_scan_c23, char, "__isoc23_", "scanf")
ROAM_SCAN_CALLS(roam_wide_scan, wchar_t, "", "wscanf")
ROAM_SCAN_CALLS(roam_wide_scan_c99, wchar_t, "__isoc99_", "wscanf")
ROAM_SCAN_CALLS(roam_wide_scan_c23, wchar_t, "__isoc23_", "wscanf")
