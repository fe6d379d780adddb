// Calls of libc that give their caller a block, to be freed with free(): texts, paths, lines,
// entries of folders. libc allocates it in the process's memory (library_slots.h); here it becomes
// the caller's.

// The C library's checked headers define some of the functions that are defined here.
#undef _FORTIFY_SOURCE
#define __NO_INLINE__ 1

#include <argz.h>
#include <dirent.h>
#include <envz.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include <cerrno>

#include "isomalloc/arena.h"
#include "isomalloc/library_slots.h"
#include "isomalloc/process_call.h"

using roam::iso::arena;
using roam::iso::CallbackPin;
using roam::iso::hand_over;
using roam::iso::handed_over;
using roam::iso::next;

namespace {

// Of a variable of the caller that held `before`: a block of the process that grew stays one.
template <class T>
bool hand_over_new(T*& now, const T* before) {
  if (now == before || (before != nullptr && !arena().contains(before))) return true;
  return hand_over(now);
}

int given_text(char** text, int count) {
  if (count < 0 || hand_over(*text)) return count;
  free(*text);
  *text = nullptr;
  return -1;
}

}  // namespace

// Copies.
#define ROAM_STRDUP(name)                             \
  ROAM_EXPORT char* name(const char* text) noexcept { \
    const size_t bytes = strlen(text) + 1;            \
    void* copy = malloc(bytes);                       \
    if (copy != nullptr) memcpy(copy, text, bytes);   \
    return static_cast<char*>(copy);                  \
  }
ROAM_STRDUP(strdup)
ROAM_STRDUP(__strdup)

#define ROAM_STRNDUP(name)                                         \
  ROAM_EXPORT char* name(const char* text, size_t most) noexcept { \
    const size_t bytes = strnlen(text, most);                      \
    char* copy = static_cast<char*>(malloc(bytes + 1));            \
    if (copy == nullptr) return nullptr;                           \
    memcpy(copy, text, bytes);                                     \
    copy[bytes] = '\0';                                            \
    return copy;                                                   \
  }
ROAM_STRNDUP(strndup)
ROAM_STRNDUP(__strndup)

ROAM_EXPORT wchar_t* wcsdup(const wchar_t* text) noexcept {
  const size_t count = wcslen(text) + 1;
  auto* copy = static_cast<wchar_t*>(malloc(count * sizeof(wchar_t)));
  return copy != nullptr ? wmemcpy(copy, text, count) : nullptr;
}

ROAM_EXPORT cpu_set_t* __sched_cpualloc(size_t count) noexcept {
  return static_cast<cpu_set_t*>(malloc(CPU_ALLOC_SIZE(count)));
}

// Printed texts.
ROAM_EXPORT int vasprintf(char** text, const char* format, va_list arguments) noexcept {
  static const auto real = next<int(char**, const char*, va_list)>("vasprintf");
  return given_text(text, real(text, format, arguments));
}
ROAM_EXPORT int __vasprintf_chk(char** text, int flag, const char* format,
                                va_list arguments) noexcept {
  static const auto real = next<int(char**, int, const char*, va_list)>("__vasprintf_chk");
  return given_text(text, real(text, flag, format, arguments));
}
#define ROAM_PRINT_TEXT(name)                                           \
  ROAM_EXPORT int name(char** text, const char* format, ...) noexcept { \
    va_list arguments;                                                  \
    va_start(arguments, format);                                        \
    const int count = vasprintf(text, format, arguments);               \
    va_end(arguments);                                                  \
    return count;                                                       \
  }
ROAM_PRINT_TEXT(asprintf)
ROAM_PRINT_TEXT(__asprintf)
ROAM_EXPORT int __asprintf_chk(char** text, int flag, const char* format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  const int count = __vasprintf_chk(text, flag, format, arguments);
  va_end(arguments);
  return count;
}

// Lines.
namespace {
using Getdelim = ssize_t(char**, size_t*, int, FILE*);
ssize_t given_line(Getdelim* real, char** line, size_t* room, int end, FILE* file) {
  const char* before = line != nullptr ? *line : nullptr;
  const ssize_t bytes = real(line, room, end, file);
  if (line == nullptr || hand_over_new(*line, before)) return bytes;
  free(*line);
  *line = nullptr;
  *room = 0;
  return -1;
}
}  // namespace
#define ROAM_GETDELIM(name)                                                  \
  ROAM_EXPORT ssize_t name(char** line, size_t* room, int end, FILE* file) { \
    static const auto real = next<Getdelim>(#name);                          \
    return given_line(real, line, room, end, file);                          \
  }
ROAM_GETDELIM(getdelim)
ROAM_GETDELIM(__getdelim)
ROAM_EXPORT ssize_t getline(char** line, size_t* room, FILE* file) {
  return getdelim(line, room, '\n', file);
}

// Paths.
ROAM_EXPORT char* realpath(const char* path, char* room) noexcept {
  static const auto real = next<char*(const char*, char*)>("realpath");
  char* result = real(path, room);
  return room != nullptr ? result : static_cast<char*>(handed_over(result));
}
ROAM_EXPORT char* __realpath_chk(const char* path, char* room, size_t bytes) noexcept {
  static const auto real = next<char*(const char*, char*, size_t)>("__realpath_chk");
  char* result = real(path, room, bytes);
  return room != nullptr ? result : static_cast<char*>(handed_over(result));
}
ROAM_EXPORT char* canonicalize_file_name(const char* path) noexcept {
  return realpath(path, nullptr);
}
ROAM_EXPORT char* getcwd(char* room, size_t bytes) noexcept {
  static const auto real = next<char*(char*, size_t)>("getcwd");
  char* result = real(room, bytes);
  return room != nullptr ? result : static_cast<char*>(handed_over(result));
}
ROAM_EXPORT char* get_current_dir_name() noexcept {
  static const auto real = next<char*()>("get_current_dir_name");
  return static_cast<char*>(handed_over(real()));
}
ROAM_EXPORT char* tempnam(const char* folder, const char* start) noexcept {
  static const auto real = next<char*(const char*, const char*)>("tempnam");
  return static_cast<char*>(handed_over(real(folder, start)));
}

// Entries of a folder: a list, and each one of it.
namespace {
template <class Entry>
int given_entries(Entry*** list, int count) {
  if (count < 0) return count;
  bool room = hand_over(*list);
  for (int i = 0; room && i < count; ++i) room = hand_over((*list)[i]);
  if (room) return count;
  for (int i = 0; i < count; ++i) free((*list)[i]);
  free(*list);
  *list = nullptr;
  return -1;
}
}  // namespace
#define ROAM_SCANDIR(suffix)                                                                      \
  ROAM_EXPORT int scandir##suffix(                                                                \
      const char* path, dirent##suffix*** list, int (*filter)(const dirent##suffix*),             \
      int (*compare)(const dirent##suffix**, const dirent##suffix**)) {                           \
    using Scan = int(const char*, dirent##suffix***, int (*)(const dirent##suffix*),              \
                     int (*)(const dirent##suffix**, const dirent##suffix**));                    \
    static const auto real = next<Scan>("scandir" #suffix);                                       \
    const CallbackPin pin("scandir" #suffix, filter != nullptr || compare != nullptr);            \
    return given_entries(list, real(path, list, filter, compare));                                \
  }                                                                                               \
  ROAM_EXPORT int scandirat##suffix(                                                              \
      int folder, const char* path, dirent##suffix*** list, int (*filter)(const dirent##suffix*), \
      int (*compare)(const dirent##suffix**, const dirent##suffix**)) {                           \
    using Scan = int(int, const char*, dirent##suffix***, int (*)(const dirent##suffix*),         \
                     int (*)(const dirent##suffix**, const dirent##suffix**));                    \
    static const auto real = next<Scan>("scandirat" #suffix);                                     \
    const CallbackPin pin("scandirat" #suffix, filter != nullptr || compare != nullptr);          \
    return given_entries(list, real(folder, path, list, filter, compare));                        \
  }
ROAM_SCANDIR()
ROAM_SCANDIR(64)

// Vectors of texts, that grow.
namespace {
error_t given_vector(char** vector, size_t* bytes, const char* before, error_t error) {
  if (error != 0 || hand_over_new(*vector, before)) return error;
  free(*vector);
  *vector = nullptr;
  *bytes = 0;
  return ENOMEM;
}
}  // namespace
// `throws` is what the header says.
#define ROAM_VECTOR_CALL(name, before, parameters, arguments, throws) \
  ROAM_EXPORT error_t name parameters throws {                        \
    static const auto real = next<error_t parameters>(#name);         \
    const char* held = before;                                        \
    return given_vector(vector, bytes, held, real arguments);         \
  }
ROAM_VECTOR_CALL(argz_create, nullptr, (char* const list[], char** vector, size_t* bytes),
                 (list, vector, bytes), noexcept)
ROAM_VECTOR_CALL(argz_create_sep, nullptr,
                 (const char* text, int separator, char** vector, size_t* bytes),
                 (text, separator, vector, bytes), noexcept)
ROAM_VECTOR_CALL(argz_append, *vector,
                 (char** vector, size_t* bytes, const char* more, size_t more_bytes),
                 (vector, bytes, more, more_bytes), noexcept)
ROAM_VECTOR_CALL(argz_add, *vector, (char** vector, size_t* bytes, const char* text),
                 (vector, bytes, text), noexcept)
ROAM_VECTOR_CALL(argz_add_sep, *vector,
                 (char** vector, size_t* bytes, const char* text, int separator),
                 (vector, bytes, text, separator), noexcept)
ROAM_VECTOR_CALL(argz_insert, *vector,
                 (char** vector, size_t* bytes, char* place, const char* text),
                 (vector, bytes, place, text), noexcept)
ROAM_VECTOR_CALL(argz_replace, *vector,
                 (char** vector, size_t* bytes, const char* from, const char* to, unsigned* count),
                 (vector, bytes, from, to, count), )
ROAM_VECTOR_CALL(envz_add, *vector,
                 (char** vector, size_t* bytes, const char* name, const char* value),
                 (vector, bytes, name, value), noexcept)
ROAM_VECTOR_CALL(envz_merge, *vector,
                 (char** vector, size_t* bytes, const char* more, size_t more_bytes, int replace),
                 (vector, bytes, more, more_bytes, replace), noexcept)
