// Locales: setlocale is about the virtual rank, and uselocale before it.

#include <libintl.h>
#include <locale.h>

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
  return ::newlocale(categories, name, base);
}
locale_t copy_locale(locale_t locale) {
  return ::duplocale(locale == LC_GLOBAL_LOCALE ? image().locale().own() : locale);
}

}  // namespace

void add_locale_calls() {
  add_launcher_call("setlocale", &set_locale);
  add_launcher_call("uselocale", &use_locale);
  for (const char* name : {"newlocale", "__newlocale"}) add_launcher_call(name, &new_locale);
  for (const char* name : {"duplocale", "__duplocale"}) add_launcher_call(name, &copy_locale);
}

}  // namespace roam::mpi
