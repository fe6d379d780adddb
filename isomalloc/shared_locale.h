#ifndef ROAM_ISOMALLOC_SHARED_LOCALE_H_
#define ROAM_ISOMALLOC_SHARED_LOCALE_H_

#include <cstddef>
#include <cstdint>
#include <locale>
#include <string>

#include "isomalloc/locale_layout.h"

// The global locale of the program, set in plain code before threads run, is an object of each
// process, and streams keep pointers to it and to some of its facets. So a stand-in takes its
// place: it lies at the same address on every rank, and so do the facets that streams remember;
// what else it refers to is the process's own.
namespace roam::iso {

// Makes a stand-in of the global locale the global one, unless it is one, or is the classic.
// Returns a number that is the same on each rank that has the same locale; 0: the classic.
// Context: plain code.
std::uint64_t share_global_locale();
// The global locale differs between the ranks: each has its own again, which pins.
void unshare_global_locale();

// Whether it means the same on every rank: the classic, or a stand-in.
bool is_shared(const LocaleImpl* impl);
// The same of the facet, or the cache, that a locale has under number `i`.
bool is_shared(const Facet* facet, std::size_t i, bool cache);
// The stand-in of a locale, or of one with its name; null: there is none.
LocaleImpl* stand_in(const LocaleImpl* impl);
LocaleImpl* stand_in(const std::string& name);

// Makes what is made lazily of a locale's facets, in the process's memory.
void fill_caches(const std::locale& locale);

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_SHARED_LOCALE_H_
