// Objects of std::locale, and the pins that follow from where they lie and what they refer to. A
// locale that a thread makes is in its heap, and travels, but for a named one: libc's tables are
// the process's (locale_calls.cc). A thread that refers to a locale of the process stays while it
// does, unless a stand-in takes its place; so does one whose locale code of the process refers to.

#include "isomalloc/locale_objects.h"

#include <locale>
#include <mutex>
#include <set>
#include <string>
#include <unordered_set>

#include "base/lock.h"
#include "base/text.h"
#include "isomalloc/locale_ids.h"
#include "isomalloc/process_call.h"
#include "isomalloc/shared_locale.h"

namespace roam::iso {

thread_local constinit const char* locale_being_made = nullptr;

namespace {

constexpr const char* kUsedByProcess = "a std::locale of its own that code of the process uses";
constexpr const char* kCounted =
    "a std::locale with a kind of facet whose number may differ on other ranks";

// The thread in whose memory the caller allocates, or the one that runs; null outside threads.
Heap* heap_of_caller() {
  if (current_heap != nullptr) return current_heap;
  return process_hooks.thread_heap != nullptr ? process_hooks.thread_heap() : nullptr;
}

void open(Heap* heap, const void* object, const char* what, bool lent = false) {
  if (process_hooks.opened == nullptr) return;
  HeapScope process;
  process_hooks.opened(heap, object, what, lent);
}

// As long as the process: there are as many as names of locales.
const char* kept_text(const std::string& text) {
  static Lock lock;
  static auto& texts = *new std::set<std::string>;
  const std::lock_guard hold(lock);
  return texts.insert(text).first->c_str();
}

const char* of_process(LocaleImpl* impl) {
  HeapScope process;
  const std::string name = locale_of(impl).name();
  return kept_text(name == "*" ? "a std::locale of the process, with facets of the program's"
                               : text("a std::locale(\"%s\") of the process", name.c_str()));
}

bool pins(const std::locale* at, const LocaleImpl* impl) {
  return !is_shared(impl) && arena().contains(at) != arena().contains(impl);
}

void add_reference(LocaleImpl* impl, int n) {
  __atomic_fetch_add(&impl->references, n, __ATOMIC_ACQ_REL);
}

// What stands in for a locale of the process, for a thread.
LocaleImpl* stand_in_of(LocaleImpl* impl) {
  if (LocaleImpl* other = stand_in(impl); other != nullptr) return other;
  HeapScope process;
  return stand_in(locale_of(impl).name());
}

// `at` refers to a locale from now on.
void refers(std::locale* at) {
  LocaleImpl* impl = impl_of(*at);
  if (!pins(at, impl)) return;
  Heap* heap = heap_of_caller();
  if (heap == nullptr) return;
  if (arena().contains(impl)) {
    open(heap, at, kUsedByProcess, true);
  } else if (LocaleImpl* other = stand_in_of(impl); other != nullptr) {
    add_reference(other, 1);
    impl_of(*at) = other;
    add_reference(impl, -1);  // who it was copied from has one more
  } else {
    open(heap, at, of_process(impl));
  }
}

void refers_no_more(const std::locale* at) {
  if (!pins(at, impl_of(*at))) return;
  HeapScope process;
  closed(at);
}

// Locales of threads that pin because of what is in them.
struct Pinning {
  Lock lock;
  std::unordered_set<const LocaleImpl*> impls;
};
Pinning& pinning() {
  static Pinning& made = *new Pinning;
  return made;
}

void pin(const LocaleImpl* impl, const char* what) {
  Heap* heap = heap_of_caller();
  if (heap == nullptr) return;
  {
    HeapScope process;
    const std::lock_guard hold(pinning().lock);
    if (!pinning().impls.insert(impl).second) return;
  }
  open(heap, impl, what);
}

void unpin(const LocaleImpl* impl) {
  HeapScope process;
  {
    const std::lock_guard hold(pinning().lock);
    if (pinning().impls.erase(impl) == 0) return;
  }
  closed(impl);
}

const char* with_facets_of_process() { return "a std::locale with facets of the process"; }

// A locale in a thread's memory was made as a copy.
void look_at_facets(LocaleImpl* impl) {
  if (!arena().contains(impl)) return;
  const auto is_home = [&](const Facet* facet, std::size_t i, bool cache) {
    return facet == nullptr || arena().contains(facet) || is_shared(facet, i, cache);
  };
  for (std::size_t i = 0; i < impl->count; ++i) {
    if (is_home(impl->facets[i], i, false) && is_home(impl->caches[i], i, true)) continue;
    pin(impl, with_facets_of_process());
    return;
  }
}

}  // namespace
}  // namespace roam::iso

#define ROAM_STD __attribute__((visibility("default")))

using roam::iso::arena;
using roam::iso::HeapScope;
using roam::iso::impl_of;
using roam::iso::LocaleImpl;

namespace std {

ROAM_STD locale::locale() throw() {
  static const auto real = roam::iso::next<void(locale*)>("_ZNSt6localeC1Ev");
  real(this);
  roam::iso::refers(this);
}

ROAM_STD locale::locale(const locale& other) throw() {
  static const auto real = roam::iso::next<void(locale*, const locale&)>("_ZNSt6localeC1ERKS_");
  real(this, other);
  roam::iso::refers(this);
}

ROAM_STD locale::~locale() throw() {
  static const auto real = roam::iso::next<void(locale*)>("_ZNSt6localeD1Ev");
  roam::iso::refers_no_more(this);
  real(this);
}

ROAM_STD const locale& locale::operator=(const locale& other) throw() {
  static const auto real =
      roam::iso::next<const locale&(locale*, const locale&)>("_ZNSt6localeaSERKS_");
  if (impl_of(*this) == impl_of(other)) return *this;
  roam::iso::refers_no_more(this);
  real(this, other);
  roam::iso::refers(this);
  return *this;
}

// By the name of a stand-in, a thread gets that. Else libc's tables pin, and tell whose they are.
ROAM_STD locale::locale(const char* name) {
  static const auto real = roam::iso::next<void(locale*, const char*)>("_ZNSt6localeC1EPKc");
  if (roam::iso::current_heap == nullptr || name == nullptr) {
    real(this, name);
    return;
  }
  const char* const before = roam::iso::locale_being_made;
  {
    HeapScope process;
    if (LocaleImpl* other = roam::iso::stand_in(string(name)); other != nullptr) {
      roam::iso::add_reference(other, 1);
      impl_of(*this) = other;
      return;
    }
    roam::iso::locale_being_made = roam::iso::kept_text(roam::text("a std::locale(\"%s\")", name));
  }
  struct Restore {
    const char* before;
    ~Restore() { roam::iso::locale_being_made = before; }
  } restore{before};
  real(this, name);
}

ROAM_STD locale::_Impl::_Impl(const _Impl& other, size_t references) {
  static const auto real =
      roam::iso::next<void(_Impl*, const _Impl&, size_t)>("_ZNSt6locale5_ImplC1ERKS0_m");
  real(this, other, references);
  roam::iso::look_at_facets(reinterpret_cast<LocaleImpl*>(this));
}

ROAM_STD locale::_Impl::~_Impl() throw() {
  static const auto real = roam::iso::next<void(_Impl*)>("_ZNSt6locale5_ImplD1Ev");
  if (arena().contains(this)) roam::iso::unpin(reinterpret_cast<LocaleImpl*>(this));
  real(this);
}

ROAM_STD void locale::_Impl::_M_install_facet(const id* kind, const facet* one) {
  static const auto real = roam::iso::next<void(_Impl*, const id*, const facet*)>(
      "_ZNSt6locale5_Impl16_M_install_facetEPKNS_2idEPKNS_5facetE");
  real(this, kind, one);
  if (!arena().contains(this) || one == nullptr) return;
  auto* impl = reinterpret_cast<LocaleImpl*>(this);
  const size_t number = kind->_M_id();
  if (roam::iso::is_counted_number(number)) roam::iso::pin(impl, roam::iso::kCounted);
  if (!arena().contains(one) && !roam::iso::is_shared(one, number, false))
    roam::iso::pin(impl, roam::iso::with_facets_of_process());
}

// A thread has made it, perhaps of a locale of the process.
ROAM_STD void locale::_Impl::_M_install_cache(const facet* cache, size_t number) {
  static const auto real = roam::iso::next<void(_Impl*, const facet*, size_t)>(
      "_ZNSt6locale5_Impl16_M_install_cacheEPKNS_5facetEm");
  if (!arena().contains(this) && arena().contains(cache)) {
    auto* impl = reinterpret_cast<LocaleImpl*>(this);
    roam::iso::fill_caches(roam::iso::locale_of(impl));
  }
  real(this, cache, number);  // deletes it if there is one
}

}  // namespace std
