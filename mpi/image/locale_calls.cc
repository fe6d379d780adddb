// Locales: setlocale is about the virtual rank, and uselocale before it.

#include <libintl.h>
#include <locale.h>
#include <regex.h>
#include <wctype.h>

#include "mpi/image/image.h"
#include "mpi/image/libc_environment.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

Image& image() { return *Image::running(); }

char* set_locale(int category, const char* name) {
  const LibcEnvironment own(image().environment().list());  // LOCPATH
  return image().locale().set(category, name, image().environment(), &image().libc_state().texts);
}
locale_t use_locale(locale_t chosen) { return image().locale().use(chosen); }
locale_t new_locale(int categories, const char* name, locale_t base) {
  const LibcEnvironment own(image().environment().list());
  if ((categories & LC_CTYPE_MASK) != 0 && name != nullptr) {
    LocaleState::place_characters(
        *name != '\0' ? name : LocaleState::name_of_characters(image().environment()));
  }
  return ::newlocale(categories, name, base);
}
locale_t copy_locale(locale_t locale) {
  return ::duplocale(locale == LC_GLOBAL_LOCALE ? image().locale().own() : locale);
}

// ---- what points into tables ----

wctype_t find_class(const char* name) {
  image().locale().note_pointer();
  return ::wctype(name);
}
wctrans_t find_mapping(const char* name) {
  image().locale().note_pointer();
  return ::wctrans(name);
}
int compile_pattern(regex_t* pattern, const char* text, int flags) {
  const int error = ::regcomp(pattern, text, flags);
  if (error == 0) image().locale().note_pattern(pattern);
  return error;
}
void free_pattern(regex_t* pattern) {
  image().locale().forget_pattern(pattern);
  ::regfree(pattern);
}

}  // namespace

void add_locale_calls() {
  add_launcher_call("setlocale", &set_locale);
  add_launcher_call("uselocale", &use_locale);
  for (const char* name : {"newlocale", "__newlocale"}) add_launcher_call(name, &new_locale);
  for (const char* name : {"wctype", "__wctype"}) add_launcher_call(name, &find_class);
  add_launcher_call("wctrans", &find_mapping);
  add_launcher_call("regcomp", &compile_pattern);
  add_launcher_call("regfree", &free_pattern);
  for (const char* name : {"duplocale", "__duplocale"}) add_launcher_call(name, &copy_locale);
}

}  // namespace roam::mpi
