#ifndef ROAM_ISOMALLOC_LOCALE_LAYOUT_H_
#define ROAM_ISOMALLOC_LOCALE_LAYOUT_H_

#include <cstddef>
#include <locale>

// What std::locale is made of in libstdc++, as its ABI fixes it.
namespace roam::iso {

using Facet = std::locale::facet;

struct LocaleImpl {  // std::locale::_Impl
  int references;
  const Facet** facets;
  std::size_t count;  // of facets, and of caches: what facets say in a form that is fast to use
  const Facet** caches;
  char** names;
};

static_assert(sizeof(std::locale) == sizeof(void*));

// So many references that those which threads take on one rank and drop on another never matter.
inline constexpr int kManyReferences = 1 << 30;

inline LocaleImpl*& impl_of(std::locale& locale) {
  return *reinterpret_cast<LocaleImpl**>(&locale);
}
inline LocaleImpl* impl_of(const std::locale& locale) {
  return *reinterpret_cast<LocaleImpl* const*>(&locale);
}
inline const std::locale& locale_of(LocaleImpl* const& impl) {
  return *reinterpret_cast<const std::locale*>(&impl);
}

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_LOCALE_LAYOUT_H_
