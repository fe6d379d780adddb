#include "isomalloc/shared_locale.h"

#include <langinfo.h>
#include <locale.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <cwchar>
#include <new>
#include <string_view>
#include <typeinfo>

#include "base/fnv.h"
#include "isomalloc/process_call.h"

namespace roam::iso {
namespace {

constexpr std::size_t kMost = 8;           // a program sets its global locale once, as a rule
constexpr std::size_t kMostFacets = 1024;  // beyond the numbers of locale_ids.cc

// A facet of each process that lies at the same address in all.
template <class F>
struct Place {
  alignas(F) unsigned char room[sizeof(F)];
};

struct StandIn {
  LocaleImpl impl;
  LocaleImpl* original;  // kept when the stand-in has stood down, since its facets are used on
  bool serves;           // in the place of `original`
  std::array<const Facet*, kMostFacets> facets;
  std::array<const Facet*, kMostFacets> caches;
  Place<std::ctype_byname<char>> narrow;
  Place<std::ctype_byname<wchar_t>> wide;
  Place<std::codecvt_byname<wchar_t, char, std::mbstate_t>> converter;
};
// Of the program, which lies alike on every rank.
constinit std::array<StandIn, kMost> made{};
constinit std::size_t made_count = 0;

LocaleImpl* classic_impl() {
  static LocaleImpl* const impl = impl_of(std::locale::classic());
  return impl;
}

bool in_stand_in(const void* p) {
  return Range{reinterpret_cast<Address>(made.data()), sizeof made}.contains(p);
}

// The name of the libc locale that a facet was made of, which it keeps for itself.
struct Narrow : std::ctype<char> {
  static locale_t of(const std::ctype<char>& facet) { return facet.*(&Narrow::_M_c_locale_ctype); }
};
struct Wide : std::ctype<wchar_t> {
  static locale_t of(const std::ctype<wchar_t>& facet) { return facet.*(&Wide::_M_c_locale_ctype); }
};
struct Converter : std::codecvt<wchar_t, char, std::mbstate_t> {
  static locale_t of(const std::codecvt<wchar_t, char, std::mbstate_t>& facet) {
    return facet.*(&Converter::_M_c_locale_codecvt);
  }
};

// One without data: the classic locale's own does the same, and lies at the same address.
template <class F>
void use_classic(StandIn& s) {
  const std::size_t i = F::id._M_id();
  const std::locale::facet& facet = *s.facets[i];
  if (typeid(facet) == typeid(F)) s.facets[i] = classic_impl()->facets[i];
}

// One of libstdc++'s is made anew at an address that is the same everywhere.
template <class F, class ByName, class Peek>
void make_in_place(StandIn& s, Place<ByName>& place) {
  const std::size_t i = F::id._M_id();
  if (s.facets[i] == classic_impl()->facets[i]) return;
  const std::locale::facet& facet = *s.facets[i];
  if (typeid(facet) != typeid(F) && typeid(facet) != typeid(ByName)) return;
  const locale_t of = Peek::of(static_cast<const F&>(facet));
  s.facets[i] = new (place.room) ByName(nl_langinfo_l(NL_LOCALE_NAME(LC_CTYPE), of), 1);
}

class Hash {
 public:
  void add(std::uint64_t value) {
    for (int i = 0; i < 8; ++i, value >>= 8) hash_.add(static_cast<unsigned char>(value));
  }
  void add(std::string_view text) { hash_.add(text); }
  std::uint64_t value() const { return hash_.value() | 1; }  // not 0

 private:
  Fnv hash_;
};

// What streams keep has to lie alike everywhere, and everything to be of the same type.
std::uint64_t fingerprint(const StandIn& s) {
  Hash hash;
  hash.add(locale_of(const_cast<LocaleImpl*>(&s.impl)).name());
  for (std::size_t i = 0; i < s.impl.count; ++i) {
    const void* type = nullptr;
    if (s.facets[i] != nullptr)
      std::memcpy(&type, static_cast<const void*>(s.facets[i]), sizeof type);
    hash.add(reinterpret_cast<std::uint64_t>(type));
  }
  for (const std::size_t i : {std::ctype<char>::id._M_id(), std::num_put<char>::id._M_id(),
                              std::num_get<char>::id._M_id(), std::ctype<wchar_t>::id._M_id(),
                              std::num_put<wchar_t>::id._M_id(), std::num_get<wchar_t>::id._M_id(),
                              std::codecvt<char, char, std::mbstate_t>::id._M_id(),
                              std::codecvt<wchar_t, char, std::mbstate_t>::id._M_id()}) {
    hash.add(reinterpret_cast<std::uint64_t>(s.facets[i]));
  }
  return hash.value();
}

// Sets C++'s global locale and leaves C's alone, which std::locale::global sets too.
void set_global(const std::locale& locale) {
  static const auto real = next<std::locale(const std::locale&)>("_ZNSt6locale6globalERKS_");
  const std::string of_c = setlocale(LC_ALL, nullptr);
  real(locale);
  setlocale(LC_ALL, of_c.c_str());
}

bool make(StandIn& s, const std::locale& locale) {
  LocaleImpl* original = impl_of(locale);
  if (original->count > kMostFacets) return false;
  std::copy_n(original->facets, original->count, s.facets.begin());
  use_classic<std::num_put<char>>(s);
  use_classic<std::num_get<char>>(s);
  use_classic<std::num_put<wchar_t>>(s);
  use_classic<std::num_get<wchar_t>>(s);
  use_classic<std::codecvt<char, char, std::mbstate_t>>(s);
  make_in_place<std::ctype<char>, std::ctype_byname<char>, Narrow>(s, s.narrow);
  make_in_place<std::ctype<wchar_t>, std::ctype_byname<wchar_t>, Wide>(s, s.wide);
  make_in_place<std::codecvt<wchar_t, char, std::mbstate_t>,
                std::codecvt_byname<wchar_t, char, std::mbstate_t>, Converter>(s, s.converter);
  s.impl = {kManyReferences, s.facets.data(), original->count, s.caches.data(), original->names};
  s.original = original;
  // It is never ended, nor is what it refers to.
  __atomic_fetch_add(&original->references, kManyReferences, __ATOMIC_RELAXED);
  LocaleImpl* impl = &s.impl;
  fill_caches(locale_of(impl));
  return true;
}

}  // namespace

void fill_caches(const std::locale& locale) {
  HeapScope process;
  const auto fill = [&]<class Cache>(const Cache*) { std::__use_cache<Cache>()(locale); };
  fill(static_cast<std::__numpunct_cache<char>*>(nullptr));
  fill(static_cast<std::__moneypunct_cache<char, false>*>(nullptr));
  fill(static_cast<std::__moneypunct_cache<char, true>*>(nullptr));
  fill(static_cast<std::__numpunct_cache<wchar_t>*>(nullptr));
  fill(static_cast<std::__moneypunct_cache<wchar_t, false>*>(nullptr));
  fill(static_cast<std::__moneypunct_cache<wchar_t, true>*>(nullptr));
}

std::uint64_t share_global_locale() {
  const std::locale global;
  const LocaleImpl* impl = impl_of(global);
  if (impl == classic_impl()) return 0;
  std::size_t place = 0;
  while (place < made_count && impl != &made[place].impl && impl != made[place].original) ++place;
  if (place == made_count) {
    if (place == kMost || !make(made[place], global)) return 1;
    ++made_count;
  }
  made[place].serves = true;
  if (LocaleImpl* serving = &made[place].impl; impl != serving) set_global(locale_of(serving));
  return fingerprint(made[place]) + 2 * place;
}

void unshare_global_locale() {
  const std::locale global;
  for (std::size_t i = 0; i < made_count; ++i) {
    if (impl_of(global) != &made[i].impl || !made[i].serves) continue;
    set_global(locale_of(made[i].original));
    made[i].serves = false;
  }
}

bool is_shared(const LocaleImpl* impl) { return impl == classic_impl() || in_stand_in(impl); }

bool is_shared(const Facet* facet, std::size_t i, bool cache) {
  const LocaleImpl* classic = classic_impl();
  if (i < classic->count && facet == (cache ? classic->caches : classic->facets)[i]) return true;
  return in_stand_in(facet);
}

LocaleImpl* stand_in(const LocaleImpl* impl) {
  for (StandIn& s : made) {
    if (s.serves && s.original == impl) return &s.impl;
  }
  return nullptr;
}

LocaleImpl* stand_in(const std::string& name) {
  if (name == "*") return nullptr;
  for (StandIn& s : made) {
    LocaleImpl* impl = &s.impl;
    if (s.serves && locale_of(impl).name() == name) return impl;
  }
  return nullptr;
}

}  // namespace roam::iso
