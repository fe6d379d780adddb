#include "mpi/image/locale_state.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <map>
#include <optional>

#include "base/check.h"
#include "base/os/mappings.h"
#include "base/range.h"
#include "isomalloc/library_window.h"
#include "isomalloc/process_call.h"
#include "mpi/image/of_process.h"

namespace roam::mpi {
namespace {

constexpr const char* kNames[] = {
    "LC_CTYPE",     "LC_NUMERIC",     "LC_TIME",          "LC_COLLATE", "LC_MONETARY",
    "LC_MESSAGES",  "LC_ALL",         "LC_PAPER",         "LC_NAME",    "LC_ADDRESS",
    "LC_TELEPHONE", "LC_MEASUREMENT", "LC_IDENTIFICATION"};

bool is_classic(const std::string& name) { return name.empty() || name == "C" || name == "POSIX"; }

// What the environment says of a category.
std::string name_in(Environment& environment, int category) {
  for (const char* variable : {"LC_ALL", kNames[category], "LANG"}) {
    const char* name = environment.get(variable);
    if (name != nullptr && *name != '\0') return name;
  }
  return {};
}

// Those of "C.UTF-8", however it is spelled, lie in a folder; all others in one archive, which is
// mapped when the first of them is asked for, where there is one.
std::string place_of(const std::string& name) {
  if (name.starts_with("C.")) return "locale C";
  const bool archive =
      std::getenv("LOCPATH") == nullptr && ::access("/usr/lib/locale/locale-archive", R_OK) == 0;
  return archive ? "locale archive" : "locale " + name;
}
// Of "LC_CTYPE=NAME;LC_NUMERIC=NAME;..." that of the category; nothing: it has none.
std::optional<std::string> part_of(const std::string& names, int category) {
  const std::string begin = std::string(kNames[category]) + "=";
  const std::size_t at = (";" + names).find(";" + begin);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t value = at + begin.size();
  return names.substr(value, names.find(';', value) - value);
}
bool has_parts(const std::string& names) { return names.find(';') != std::string::npos; }

wctype_t letters_of(locale_t tables) {
  return tables == LC_GLOBAL_LOCALE ? 0 : wctype_l("alpha", tables);
}

// The tables of characters of a locale: with what else of their file lies right above them.
Range characters_of(locale_t locale) {
  Range tables;
  std::string file;
  for (const os::Mapping& mapping : os::mappings()) {
    if (mapping.range.contains(letters_of(locale))) file = mapping.name;
    if (file.empty()) continue;
    if (tables.bytes != 0 && (mapping.name != file || mapping.range.begin != tables.end())) break;
    if (tables.bytes == 0) tables.begin = mapping.range.begin;
    tables.bytes = mapping.range.end() - tables.begin;
  }
  return tables;
}

}  // namespace

locale_t LocaleState::in_place = LC_GLOBAL_LOCALE;

// "NAME", or "LC_CTYPE=NAME;LC_NUMERIC=NAME;..." for all at once.
bool LocaleState::choose(int category, const std::string& name, Environment& environment) {
  if (category < 0 || category >= kCategories) {
    errno = EINVAL;
    return false;
  }
  Names names = names_;
  for (int i = 0; i < kCategories; ++i) {
    if (i == LC_ALL || (category != LC_ALL && category != i)) continue;
    std::string mine = name.empty() ? name_in(environment, i) : name;
    if (category == LC_ALL && has_parts(name)) {
      const std::optional<std::string> part = part_of(name, i);
      if (!part.has_value()) return false;
      mine = *part;
    }
    names[static_cast<std::size_t>(i)] = is_classic(mine) ? std::string() : mine;
  }
  const locale_t tables = tables_of(names);
  if (tables == nullptr) return false;
  if (names[LC_CTYPE] != names_[LC_CTYPE]) {  // a wctype_t of another locale is no good any more
    has_pointers_ = false;
    patterns_.clear();
  }
  names_ = names;
  own_ = tables;
  letters_ = letters_of(tables);
  enter();
  return true;
}

std::string LocaleState::name_of(int category) const {
  if (category < 0 || category >= kCategories) return {};
  const auto name = [&](int i) {
    const std::string& mine = names_[static_cast<std::size_t>(i)];
    return mine.empty() ? std::string("C") : mine;
  };
  if (category != LC_ALL) return name(category);
  std::string all;
  bool differ = false;
  for (int i = 0; i < kCategories; ++i) {
    if (i == LC_ALL) continue;
    differ = differ || name(i) != name(LC_CTYPE);
    all += (all.empty() ? "" : ";") + std::string(kNames[i]) + "=" + name(i);
  }
  return differ ? all : name(LC_CTYPE);
}

void LocaleState::place_characters(const std::string& names) {
  const std::string name =
      has_parts(names) ? part_of(names, LC_CTYPE).value_or(std::string()) : names;
  if (is_classic(name)) return;
  static constinit OfProcess<std::map<std::string, locale_t>> all;
  const auto made = all.use();
  if (made->contains(name)) return;
  // What another kernel thread maps and unmaps just then may have them lie elsewhere. libc forgets
  // tables that no locale has any more, except those of the archive.
  constexpr int kMostTries = 8;
  locale_t locale = nullptr;
  for (int i = 0; i < kMostTries; ++i) {
    if (locale != nullptr) freelocale(locale);
    const iso::LibraryPlace place(place_of(name));
    locale = newlocale(LC_CTYPE_MASK, name.c_str(), nullptr);
    if (locale == nullptr || place.has(characters_of(locale))) break;
  }
  made->emplace(name, locale);  // kept
}

std::string LocaleState::name_of_characters(Environment& environment) {
  return name_in(environment, LC_CTYPE);
}

// Each once a process, and kept. Null: this process has none of that name.
locale_t LocaleState::tables_of(const Names& names) {
  if (names == Names()) return LC_GLOBAL_LOCALE;
  static constinit OfProcess<std::map<Names, locale_t>> all;
  const auto made = all.use();
  if (const auto found = made->find(names); found != made->end()) return found->second;
  place_characters(names[LC_CTYPE]);
  locale_t tables = newlocale(LC_ALL_MASK, "C", nullptr);
  for (int i = 0; i < kCategories && tables != nullptr; ++i) {
    const std::string& name = names[static_cast<std::size_t>(i)];
    if (i == LC_ALL || name.empty()) continue;
    const locale_t more = newlocale(1 << i, name.c_str(), tables);
    if (more == nullptr) freelocale(tables);
    tables = more;
  }
  if (tables != nullptr) made->emplace(names, tables);
  return tables;
}

locale_t LocaleState::use(locale_t chosen) {
  const locale_t before = chosen_;
  if (chosen == nullptr) return before;
  // Known to Roam, which has the thread stay: a locale that was made is this process's.
  uselocale(chosen != LC_GLOBAL_LOCALE ? chosen : own_);
  chosen_ = chosen;
  in_place = current();
  return before;
}

void LocaleState::arrive() {
  own_ = tables_of(names_);
  if (own_ == nullptr) {
    fatal("a virtual rank comes here with the locale %s, which is not on this machine",
          name_of(LC_ALL).c_str());
  }
  const wctype_t letters = letters_of(own_);
  if ((has_pointers_ || !patterns_.empty()) && letters != letters_) {
    fatal(
        "a virtual rank comes here with what wctype, wctrans or regcomp gave it, which points "
        "into the tables of the locale %s, and those lie elsewhere in this process. Have all "
        "virtual ranks call setlocale alike, before others of the locale's names are used",
        name_of(LC_CTYPE).c_str());
  }
  letters_ = letters;
}

void LocaleState::put_in_place(locale_t locale) {
  static const auto real = iso::next<locale_t(locale_t)>("uselocale");
  real(locale);
  in_place = locale;
}

}  // namespace roam::mpi
