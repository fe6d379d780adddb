#include <gtest/gtest.h>
#include <locale.h>

#include <cstddef>
#include <locale>
#include <map>
#include <optional>
#include <sstream>
#include <string>

#include "isomalloc/capture.h"
#include "isomalloc/locale_layout.h"
#include "isomalloc/shared_locale.h"
#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"

namespace roam::iso {
namespace {

std::multimap<const void*, std::string> open_objects;
Heap* running = nullptr;

class LocaleObjectsTest : public testing::Test {
 protected:
  LocaleObjectsTest() {
    start_capture();
    open_objects.clear();
    process_hooks.thread_heap = [] { return running; };
    process_hooks.opened = [](Heap* heap, const void* object, const char* what, bool lent) {
      EXPECT_EQ(current_heap, nullptr);
      EXPECT_EQ(heap, running);
      EXPECT_EQ(lent, std::string(what).find("code of the process") != std::string::npos);
      open_objects.emplace(object, what);
    };
    process_object_closed = [](const void* object) {
      if (const auto it = open_objects.find(object); it != open_objects.end())
        open_objects.erase(it);
    };
  }
  ~LocaleObjectsTest() override {
    EXPECT_TRUE(open_objects.empty()) << open_objects.begin()->second;
    EXPECT_TRUE(heap_->release_empty());
    process_hooks = {};
    process_object_closed = nullptr;
  }
  template <class F>
  void inside(F f) {
    running = &heap_.heap();
    HeapScope scope(running);
    f();
    running = nullptr;
  }
  static bool in_arena(const void* p) { return arena().contains(p); }
  static std::string pinned_by() {
    return open_objects.empty() ? "" : open_objects.begin()->second;
  }

  TestArena test_;
  TestHeap heap_;
};

struct Dots : std::numpunct<char> {
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

std::string text_of(long n, const std::locale& locale) {
  std::ostringstream out;
  out.imbue(locale);
  out << n;
  return out.str();
}

TEST_F(LocaleObjectsTest, OneOfItsOwnIsInTheThreadsHeapAndFree) {
  inside([] {
    auto* own = new std::locale(std::locale::classic(), new Dots);
    EXPECT_TRUE(in_arena(impl_of(*own)));
    auto* copy = new std::locale(*own);
    EXPECT_EQ(text_of(1234567, *copy), "1.234.567");
    EXPECT_EQ(pinned_by(), "");
    delete own;
    delete copy;
  });
}

TEST_F(LocaleObjectsTest, AReferenceToOneOfTheProcessPinsUntilItEnds) {
  const std::locale dots(std::locale::classic(), new Dots);
  inside([&] {
    auto* copy = new std::locale(dots);
    EXPECT_EQ(pinned_by(), "a std::locale of the process, with facets of the program's");
    *copy = std::locale::classic();
    EXPECT_EQ(pinned_by(), "");
    *copy = dots;
    auto* second = new std::locale(*copy);
    EXPECT_EQ(open_objects.size(), 2u);
    delete second;
    delete copy;
    EXPECT_EQ(pinned_by(), "");
    auto* more = new std::locale(dots, new std::numpunct<wchar_t>);
    EXPECT_EQ(pinned_by(), "a std::locale with facets of the process");
    delete more;
  });
}

TEST_F(LocaleObjectsTest, OneOfAThreadThatTheProcessRefersToPins) {
  std::optional<std::locale> of_process(std::locale::classic());
  auto* place = new std::locale;
  inside([&] {
    auto* own = new std::locale(std::locale::classic(), new Dots);
    *place = *own;
    EXPECT_EQ(pinned_by(), "a std::locale of its own that code of the process uses");
    *place = std::locale::classic();
    delete own;
  });
  delete place;
}

TEST_F(LocaleObjectsTest, CachesOfOneOfTheProcessAreTheProcesss) {
  auto* out = new std::ostringstream;
  out->imbue(std::locale(std::locale::classic(), new Dots));
  *out << "some room for numbers, so that the thread allocates none";
  out->seekp(0);
  const LocaleImpl* impl = impl_of(out->getloc());
  const std::size_t i = std::numpunct<char>::id._M_id();
  EXPECT_EQ(impl->caches[i], nullptr);
  inside([&] { *out << 1234567; });
  EXPECT_NE(impl->caches[i], nullptr);
  EXPECT_FALSE(in_arena(impl->caches[i]));
  EXPECT_EQ(out->str().substr(0, 9), "1.234.567");
  delete out;
}

template <int n>
struct Own : std::locale::facet {
  static std::locale::id id;
};
template <int n>
std::locale::id Own<n>::id;

TEST_F(LocaleObjectsTest, NumbersOfKindsFollowFromTheirAddress) {
  // As if they were met for the first time, in another order.
  const auto forget = [](std::locale::id& id) { reinterpret_cast<std::size_t&>(id) = 0; };
  const std::size_t one = Own<1>::id._M_id();
  const std::size_t two = Own<2>::id._M_id();
  EXPECT_NE(one, two);
  forget(Own<1>::id);
  forget(Own<2>::id);
  EXPECT_EQ(Own<2>::id._M_id(), two);
  EXPECT_EQ(Own<1>::id._M_id(), one);
  EXPECT_LT(std::ctype<char>::id._M_id(), 100u);
  const std::locale with(std::locale::classic(), new Own<1>);
  EXPECT_TRUE(std::has_facet<Own<1>>(with));
  EXPECT_FALSE(std::has_facet<Own<2>>(with));
}

TEST_F(LocaleObjectsTest, AStandInTakesThePlaceOfTheGlobalOne) {
  EXPECT_EQ(share_global_locale(), 0u) << "the classic";
  const std::locale named("C.utf8");
  const std::locale before = std::locale::global(std::locale(named, new Dots));
  setlocale(LC_ALL, "C");
  const std::uint64_t first = share_global_locale();
  EXPECT_NE(first, 0u);
  EXPECT_EQ(share_global_locale(), first) << "it is one already";
  EXPECT_STREQ(setlocale(LC_ALL, nullptr), "C") << "C's is left alone";
  EXPECT_TRUE(is_shared(impl_of(std::locale())));
  inside([] {
    auto* out = new std::ostringstream;
    *out << 1234567;
    EXPECT_EQ(out->str(), "1.234.567");
    EXPECT_TRUE(is_shared(impl_of(out->getloc())));
    EXPECT_EQ(pinned_by(), "");
    delete out;
    auto* wide = new std::wostringstream;
    *wide << std::tolower(L'\u00c9', wide->getloc());
    EXPECT_EQ(wide->str(), L"\u00e9");
    delete wide;
  });
  unshare_global_locale();
  EXPECT_FALSE(is_shared(impl_of(std::locale())));
  EXPECT_EQ(text_of(1234567, std::locale()), "1.234.567");
  std::locale::global(before);
}

// A program may run many jobs whose ranks differ in their locales.
TEST_F(LocaleObjectsTest, AStandInThatStoodDownServesAgain) {
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Dots));
  const LocaleImpl* own = impl_of(std::locale());
  const std::uint64_t first = share_global_locale();
  EXPECT_EQ(first % 2, 1u);
  for (int run = 0; run < 20; ++run) {
    unshare_global_locale();
    EXPECT_EQ(impl_of(std::locale()), own);
    EXPECT_EQ(stand_in(own), nullptr);
    ASSERT_EQ(share_global_locale(), first) << "run " << run;
    EXPECT_EQ(stand_in(own), impl_of(std::locale()));
  }
  unshare_global_locale();
  std::locale::global(before);
}

TEST_F(LocaleObjectsTest, ANamedStandInServesAllOfThatName) {
  const std::locale before = std::locale::global(std::locale("C.utf8"));
  share_global_locale();
  const std::locale again("C.utf8");
  inside([&] {
    auto* made = new std::locale("C.utf8");
    auto* copy = new std::locale(again);
    EXPECT_TRUE(is_shared(impl_of(*made)) && impl_of(*made) == impl_of(*copy));
    EXPECT_EQ(pinned_by(), "");
    EXPECT_EQ(made->name(), "C.utf8");
    delete made;
    delete copy;
  });
  unshare_global_locale();
  std::locale::global(before);
  setlocale(LC_ALL, "C");
}

TEST_F(LocaleObjectsTest, WhatIsMadeByNameTellsIt) {
  inside([] {
    auto* made = new std::locale("C.utf8");
    EXPECT_EQ(pinned_by(), "a std::locale(\"C.utf8\")");
    delete made;
  });
}

TEST_F(LocaleObjectsTest, ALocaleInUsePinsUntilTheOneBeforeIsSet) {
  const locale_t utf8 = newlocale(LC_ALL_MASK, "C.utf8", nullptr);
  inside([&] {
    const locale_t before = uselocale(utf8);
    EXPECT_EQ(pinned_by(), "a locale that it set with uselocale");
    EXPECT_EQ(uselocale(nullptr), utf8);
    EXPECT_EQ(open_objects.size(), 1u);
    uselocale(before);
    EXPECT_EQ(pinned_by(), "");
  });
  freelocale(utf8);
}

}  // namespace
}  // namespace roam::iso
