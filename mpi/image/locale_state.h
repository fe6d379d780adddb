#ifndef ROAM_MPI_IMAGE_LOCALE_STATE_H_
#define ROAM_MPI_IMAGE_LOCALE_STATE_H_

#include <locale.h>
#include <wctype.h>

#include <array>
#include <set>
#include <string>

#include "mpi/image/environment.h"

namespace roam::mpi {

// The locale of a virtual rank: names, which travel, of which each process makes libc's tables
// once. While the virtual rank runs its locale is that of the kernel thread, by which all of libc
// goes; the process's own is never changed.
//
// Context: the virtual rank's thread, but for enter and depart, which are as Guest's.
class LocaleState {
 public:
  // As setlocale; names that are empty are `environment`'s. What it returns is in another's
  // keeping: `texts` of KeptTexts.
  template <class Texts>
  char* set(int category, const char* name, Environment& environment, Texts* texts) {
    if (name != nullptr && !choose(category, name, environment)) return nullptr;
    return texts->keep(name_of(category).c_str());
  }
  // The virtual rank has what points into the tables of characters: a wctype_t, or a pattern, until
  // that is given back.
  void note_pointer() { has_pointers_ = has_pointers_ || letters_ != 0; }
  void note_pattern(const void* pattern) {
    if (letters_ != 0) patterns_.insert(pattern);
  }
  void forget_pattern(const void* pattern) { patterns_.erase(pattern); }
  // `names` is of setlocale. Its tables of characters lie where they do in every process from now
  // on, if nothing of the name has been loaded yet.
  static void place_characters(const std::string& names);
  // What "" means for them.
  static std::string name_of_characters(Environment& environment);

  // As uselocale: before what it has set, until LC_GLOBAL_LOCALE is chosen.
  locale_t use(locale_t chosen);
  // That of setlocale; LC_GLOBAL_LOCALE: the classic one.
  locale_t own() const { return own_; }

  // The kernel thread has this one's from here on.
  void enter() {
    if (in_place != current()) [[unlikely]]
      put_in_place(current());
  }
  // The process is another one.
  void arrive();
  // The kernel thread has the process's own.
  static void leave() { put_in_place(LC_GLOBAL_LOCALE); }

 private:
  static constexpr int kCategories = LC_IDENTIFICATION + 1;
  using Names = std::array<std::string, kCategories>;  // empty: "C"

  locale_t current() const { return chosen_ != LC_GLOBAL_LOCALE ? chosen_ : own_; }
  bool choose(int category, const std::string& name, Environment& environment);
  std::string name_of(int category) const;
  static locale_t tables_of(const Names& names);
  static void put_in_place(locale_t locale);

  static locale_t in_place;
  Names names_;
  locale_t own_ = LC_GLOBAL_LOCALE;     // of this process
  locale_t chosen_ = LC_GLOBAL_LOCALE;  // its thread stays while this is another
  bool has_pointers_ = false;
  std::set<const void*> patterns_;
  wctype_t letters_ = 0;  // where own_ has those, if it is not the classic one
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_LOCALE_STATE_H_
