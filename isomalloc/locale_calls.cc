// Locales, conversions between character sets, translations, and wide stdio: tables and buffers of
// the process.

// The C library's checked headers define some of the functions that are defined here.
#undef _FORTIFY_SOURCE

#include <libintl.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>

#include <cstdint>
#include <ios>
#include <locale>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/lock.h"
#include "isomalloc/in_process.h"
#include "isomalloc/locale_objects.h"
#include "isomalloc/process_call.h"

using roam::iso::closed;
using roam::iso::current_heap;
using roam::iso::Heap;
using roam::iso::HeapScope;
using roam::iso::next;
using roam::iso::opened;

namespace roam::iso {

void load_conversions() {
  wchar_t wide;
  mbstate_t state{};
  static_cast<void>(mbrtowc(&wide, "a", 1, &state));
}

}  // namespace roam::iso

ROAM_EXPORT char* setlocale(int category, const char* name) {
  static const auto real = next<char*(int, const char*)>("setlocale");
  HeapScope process;
  char* result = real(category, name);
  if (result != nullptr && name != nullptr) roam::iso::load_conversions();
  return result;
}

// A locale is tables of the process. libc's own "C" locale is the exception: it lies at the same
// address everywhere.
namespace {
locale_t pinned_locale(locale_t made, Heap* caller) {
  static const auto real = next<locale_t(int, const char*, locale_t)>("newlocale");
  static const locale_t c_locale = real(LC_ALL_MASK, "C", nullptr);
  const char* what =
      roam::iso::locale_being_made != nullptr ? roam::iso::locale_being_made : "locale";
  return made == c_locale ? made : opened(made, what, caller);
}

// The conversions of a locale are shared by all that have its name.
locale_t ready_to_convert(locale_t made) {
  if (made == nullptr) return made;
  const locale_t before = uselocale(made);
  roam::iso::load_conversions();
  uselocale(before);
  return made;
}
}  // namespace

#define ROAM_LOCALE_CALLS(prefix)                                                             \
  ROAM_EXPORT locale_t prefix##newlocale(int categories, const char* name, locale_t base) {   \
    static const auto real = next<locale_t(int, const char*, locale_t)>(#prefix "newlocale"); \
    Heap* caller = current_heap;                                                              \
    HeapScope process;                                                                        \
    const locale_t made = real(categories, name, base);                                       \
    if (made != nullptr && base != nullptr) closed(base);                                     \
    return pinned_locale(ready_to_convert(made), caller);                                     \
  }                                                                                           \
  ROAM_EXPORT locale_t prefix##duplocale(locale_t base) {                                     \
    static const auto real = next<locale_t(locale_t)>(#prefix "duplocale");                   \
    Heap* caller = current_heap;                                                              \
    HeapScope process;                                                                        \
    return pinned_locale(ready_to_convert(real(base)), caller);                               \
  }                                                                                           \
  ROAM_EXPORT void prefix##freelocale(locale_t old) {                                         \
    static const auto real = next<void(locale_t)>(#prefix "freelocale");                      \
    HeapScope process;                                                                        \
    closed(old);                                                                              \
    real(old);                                                                                \
  }
ROAM_LOCALE_CALLS()
ROAM_LOCALE_CALLS(__)

// The locale that a thread sets is the kernel thread's: the thread stays until it has set back what
// was before.
namespace {
struct Use {
  std::uint64_t thread;  // another may have its heap's place when it has ended
  locale_t before;
};
struct Uses {
  roam::Lock lock;
  std::unordered_map<const Heap*, Use> of;
};
Uses& uses() {
  static Uses& made = *new Uses;
  return made;
}

void note_use(Heap* thread, locale_t before, locale_t chosen) {
  HeapScope process;
  const auto thread_number = roam::iso::process_hooks.thread_number;
  const std::uint64_t number = thread_number != nullptr ? thread_number() : 0;
  bool begins = false, ends = false;
  {
    const std::lock_guard hold(uses().lock);
    const auto it = uses().of.find(thread);
    const bool known = it != uses().of.end();
    begins = !known || it->second.thread != number;
    ends = known && (begins || it->second.before == chosen);
    if (begins) {
      uses().of[thread] = {number, before};
    } else if (ends) {
      uses().of.erase(it);
    }
  }
  if (ends) closed(thread);
  if (begins) opened(thread, "a locale that it set with uselocale", thread);
}
}  // namespace

ROAM_EXPORT locale_t uselocale(locale_t chosen) {
  static const auto real = next<locale_t(locale_t)>("uselocale");
  const locale_t before = real(chosen);
  if (current_heap != nullptr && chosen != nullptr && chosen != before &&
      roam::iso::process_hooks.thread_heap != nullptr) {
    if (Heap* thread = roam::iso::process_hooks.thread_heap(); thread != nullptr)
      note_use(thread, before, chosen);
  }
  return before;
}

namespace std {
// The global locale outlives the thread that sets it: its tables are made anew in the process's
// memory.
__attribute__((visibility("default"))) locale locale::global(const locale& chosen) {
  static const auto real = ::roam::iso::next<locale(const locale&)>("_ZNSt6locale6globalERKS_");
  if (current_heap == nullptr) return real(chosen);
  const string name = chosen.name();
  const locale before = roam::iso::in_process([&] {
    if (name == "*") {
      throw roam::Error(roam::Errc::pinned,
                        "std::locale::global: this locale has no name, so it cannot be made anew "
                        "outside the thread that made it. Make it, and set it, in plain code or "
                        "inside a roam::SystemHeap.");
    }
    return real(locale(name));
  });
  return locale(before);
}

__attribute__((visibility("default"))) bool ios_base::sync_with_stdio(bool sync) {
  static const auto real = ::roam::iso::next<bool(bool)>("_ZNSt8ios_base15sync_with_stdioEb");
  HeapScope process;  // the standard streams get buffers
  return real(sync);
}
}  // namespace std

// Translations.
ROAM_PROCESS_CALL(char*, textdomain, (const char* domain), (domain))
ROAM_PROCESS_CALL(char*, bindtextdomain, (const char* domain, const char* folder), (domain, folder))
ROAM_PROCESS_CALL(char*, bind_textdomain_codeset, (const char* domain, const char* codeset),
                  (domain, codeset))
ROAM_PROCESS_CALL(char*, gettext, (const char* text), (text))
ROAM_PROCESS_CALL(char*, dgettext, (const char* domain, const char* text), (domain, text))
ROAM_PROCESS_CALL(char*, dcgettext, (const char* domain, const char* text, int category),
                  (domain, text, category))
ROAM_PROCESS_CALL(char*, ngettext, (const char* one, const char* many, unsigned long n),
                  (one, many, n))
ROAM_PROCESS_CALL(char*, dngettext,
                  (const char* domain, const char* one, const char* many, unsigned long n),
                  (domain, one, many, n))
ROAM_PROCESS_CALL(char*, dcngettext,
                  (const char* domain, const char* one, const char* many, unsigned long n,
                   int category),
                  (domain, one, many, n, category))

// Wide stdio: a stream's buffer of wide characters is made at its first use.
ROAM_PROCESS_CALL(int, fwide, (FILE * file, int mode), (file, mode))
ROAM_PROCESS_CALL(wint_t, fgetwc, (FILE * file), (file))
ROAM_PROCESS_CALL(wint_t, getwc, (FILE * file), (file))
ROAM_PROCESS_CALL(wint_t, fgetwc_unlocked, (FILE * file), (file))
ROAM_PROCESS_CALL(wint_t, getwc_unlocked, (FILE * file), (file))
ROAM_PROCESS_CALL(wint_t, getwchar, (), ())
ROAM_PROCESS_CALL(wint_t, ungetwc, (wint_t c, FILE* file), (c, file))
ROAM_PROCESS_CALL(wint_t, fputwc, (wchar_t c, FILE* file), (c, file))
ROAM_PROCESS_CALL(wint_t, putwc, (wchar_t c, FILE* file), (c, file))
ROAM_PROCESS_CALL(wint_t, fputwc_unlocked, (wchar_t c, FILE* file), (c, file))
ROAM_PROCESS_CALL(wint_t, putwc_unlocked, (wchar_t c, FILE* file), (c, file))
ROAM_PROCESS_CALL(wint_t, putwchar, (wchar_t c), (c))
ROAM_PROCESS_CALL(wchar_t*, fgetws, (wchar_t * text, int count, FILE* file), (text, count, file))
ROAM_PROCESS_CALL(int, fputws, (const wchar_t* text, FILE* file), (text, file))
ROAM_PROCESS_CALL(int, vfwprintf, (FILE * file, const wchar_t* format, va_list arguments),
                  (file, format, arguments))
ROAM_PROCESS_CALL(int, vwprintf, (const wchar_t* format, va_list arguments), (format, arguments))
ROAM_PROCESS_CALL(int, __vfwprintf_chk,
                  (FILE * file, int flag, const wchar_t* format, va_list arguments),
                  (file, flag, format, arguments))
ROAM_PROCESS_CALL(int, __vwprintf_chk, (int flag, const wchar_t* format, va_list arguments),
                  (flag, format, arguments))

#define ROAM_WIDE_PRINT(name, vname, parameters, ...) \
  ROAM_EXPORT int name parameters {                   \
    va_list arguments;                                \
    va_start(arguments, format);                      \
    const int count = vname(__VA_ARGS__, arguments);  \
    va_end(arguments);                                \
    return count;                                     \
  }
ROAM_WIDE_PRINT(fwprintf, vfwprintf, (FILE * file, const wchar_t* format, ...), file, format)
ROAM_WIDE_PRINT(wprintf, vwprintf, (const wchar_t* format, ...), format)
ROAM_WIDE_PRINT(__fwprintf_chk, __vfwprintf_chk,
                (FILE * file, int flag, const wchar_t* format, ...), file, flag, format)
ROAM_WIDE_PRINT(__wprintf_chk, __vwprintf_chk, (int flag, const wchar_t* format, ...), flag, format)
