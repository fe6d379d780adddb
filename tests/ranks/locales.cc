// Locales other than the classic: made by name, with facets of the program's own, set for all; in
// streams that are made on one rank and used and ended on another.
#include <locale.h>

#include <cstdint>
#include <ctime>
#include <fstream>
#include <initializer_list>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <locale>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/ranks/pinning.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

struct Apostrophes : std::numpunct<char> {
  char do_thousands_sep() const override { return '\''; }
  std::string do_grouping() const override { return "\3"; }
};

// Facets of kinds of their own. Each rank meets them in another order.
template <int n>
struct Own : std::locale::facet {
  static std::locale::id id;
  explicit Own(std::string t) : text(std::move(t)) {}
  std::string text;
};
template <int n>
std::locale::id Own<n>::id;

template <int n>
std::string text_of(const std::locale& locale) {
  return std::has_facet<Own<n>>(locale) ? std::use_facet<Own<n>>(locale).text : "none";
}

std::locale global_locale() { return std::locale(); }

SCENARIO(Locales, TheFirstNumberOfAStreamInTheProgramsGlobalLocale) {
  for (int i = 0; i < 3 * roam::ranks(); ++i) {
    roam::spawn([] {
      std::ostringstream out;
      out << "numbers ";
      roam::this_thread::migrate(next_rank());
      out << 1234567 << ' ' << 1.5;
      roam::this_thread::migrate(next_rank());
      out << ' ' << true << ' ' << -7654321L;
      expect_eq(out.str(), "numbers 1'234'567 1.5 1 -7'654'321", "text");
      std::istringstream in("1'000'000 2.5");
      roam::this_thread::migrate(next_rank());
      long million = 0;
      double half = 0;
      in >> million;
      roam::this_thread::migrate(next_rank());
      in >> half;
      expect(million == 1000000 && half == 2.5, "numbers read");
    }).join();
  }
}

SCENARIO(Locales, StreamsOfTheGlobalLocaleEndElsewhere) {
  for (int round = 0; round < 4; ++round) {
    std::vector<std::unique_ptr<std::ostringstream>> narrow;
    std::vector<std::unique_ptr<std::wostringstream>> wide;
    for (int i = 0; i < 500; ++i) {
      narrow.push_back(std::make_unique<std::ostringstream>());
      wide.push_back(std::make_unique<std::wostringstream>());
      *narrow.back() << i;
      *wide.back() << 1.25;
    }
    std::ofstream unopened;
    std::wofstream wide_unopened;
    expect_free();
    for (int i = 0; i < 500; ++i) {
      *narrow[i] << ' ' << std::setw(8) << 54321;
      *wide[i] << L' ' << i << wide[i]->widen('x') << static_cast<char>(wide[i]->narrow(L'y', '?'));
      expect_eq(narrow[i]->str(), std::to_string(i) + "   54'321", "narrow text");
      expect(wide[i]->str() == L"1.25 " + std::to_wstring(i) + L"xy", "wide text");
    }
    const std::string path = "/tmp/roam_locales_" + std::to_string(roam::rank());
    unopened.open(path);
    unopened << 12345;
    unopened.close();
    wide_unopened.open(path, std::ios::app);
    wide_unopened << L" text";
    wide_unopened.close();
    std::ifstream in(path);
    expect_eq(std::string(std::istreambuf_iterator<char>(in), {}), "12'345 text", "the file");
    in.close();
    std::remove(path.c_str());
  }
}

SCENARIO(Locales, CachesOfTheGlobalLocaleAreTheProcesss) {
  for (int k = 0; k < 3; ++k) {
    for (int rank = 0; rank < roam::ranks(); ++rank) {
      on_rank(rank, [k] {
        std::vector<char> junk(static_cast<std::size_t>(100 + 1000 * k));
        std::ostringstream out;
        out << 1234567;
        expect_eq(out.str(), "1'234'567", "text");
        out << std::put_money("5") << std::put_money("6", true);
        roam::this_thread::migrate(next_rank());
      });
      on_rank(rank, [] {
        std::vector<std::string> over(500, std::string(48, '#'));
        std::ostringstream out;
        out << 7654321;
        expect_eq(out.str(), "7'654'321", "text afterwards");
      });
    }
  }
}

// Set for a process's own stream in plain code: its caches are made by whoever writes first.
std::optional<std::ostringstream>& of_process() {
  static std::optional<std::ostringstream> stream;
  return stream;
}

SCENARIO(Locales, AStreamOfTheProcessGetsItsCachesThere) {
  for (int rank = 0; rank < roam::ranks(); ++rank) {
    on_rank(rank, [] {
      {
        roam::SystemHeap process;
        of_process().emplace();
        of_process()->imbue(std::locale(std::locale::classic(), new Apostrophes));
      }
      roam::spawn([] {
        *of_process() << 1000000;  // into a buffer that is there already
        roam::this_thread::migrate(next_rank());
      }).join();
      roam::spawn([] { std::vector<std::string> over(500, std::string(48, '#')); }).join();
      std::string text;
      {
        roam::SystemHeap process;
        *of_process() << 2000000;
        text = of_process()->str();
        of_process().reset();
      }
      expect_eq(text, "1'000'0002'000'000", "text");
    });
  }
}

SCENARIO(Locales, FacetsOfOnesOwnKindsAreFoundOnEveryRank) {
  for (int rank = 0; rank < roam::ranks(); ++rank) {
    on_rank(rank, [rank] {  // each first meets another
      const std::locale classic = std::locale::classic();
      if (rank % 3 == 0) expect_eq(text_of<1>(classic), "none", "Own<1>");
      if (rank % 3 == 1) expect_eq(text_of<2>(classic), "none", "Own<2>");
      if (rank % 3 == 2) expect_eq(text_of<3>(classic), "none", "Own<3>");
    });
  }
  const std::locale one(std::locale::classic(), new Own<1>(std::string(100, '1')));
  const std::locale two(one, new Own<2>(std::string(100, '2')));
  std::ostringstream out;
  out.imbue(std::locale(two, new Apostrophes));
  for (int i = 0; i < 2 * roam::ranks(); ++i) {
    expect_eq(text_of<1>(one), std::string(100, '1'), "Own<1> of one");
    expect_eq(text_of<2>(one), "none", "Own<2> of one");
    expect_eq(text_of<1>(out.getloc()), std::string(100, '1'), "Own<1>");
    expect_eq(text_of<2>(out.getloc()), std::string(100, '2'), "Own<2>");
    expect_eq(text_of<3>(out.getloc()), "none", "Own<3>");
    out.str("");
    out << 123456;
    expect_eq(out.str(), "123'456", "a number");
    expect_free();
  }
}

SCENARIO(Locales, OneMadeByNameInAThreadPinsAndSaysItsName) {
  {
    const std::locale named("C.utf8");
    expect_pinned({"std::locale(\"C.utf8\")"});
    std::ostringstream out;
    out.imbue(named);
    out << 1234567 << ' ' << 0.5;
    expect_eq(out.str(), "1234567 0.5", "text");
    expect_eq(std::use_facet<std::ctype<char>>(named).toupper('x'), 'X', "toupper");
  }
  expect_free();
  {
    const std::locale part(std::locale::classic(), "C.utf8", std::locale::ctype);
    expect_pinned({"std::locale(\"C.utf8\")"});
  }
  expect_free();
}

const std::locale& of_each_process() {
  static const std::locale named("C.utf8");
  return named;
}

SCENARIO(Locales, WhoRefersToOneOfTheProcessStays) {
  {
    const std::locale copy = of_each_process();
    expect_pinned({"std::locale(\"C.utf8\") of the process"});
  }
  expect_free();
  {
    std::ostringstream out;
    out.imbue(of_each_process());
    expect_pinned({"std::locale(\"C.utf8\") of the process"});
    out << 1.5;
    out.imbue(std::locale::classic());
    expect_free();
    out << 2.5;
    expect_eq(out.str(), "1.52.5", "text");
  }
  {
    const std::locale more(of_each_process(), new Apostrophes);
    expect_pinned({"facets of the process"});
    std::vector<std::locale> copies(10, more);
    copies.clear();
  }
  expect_free();
  std::locale changing = of_each_process();
  changing = std::locale::classic();
  expect_free();
}

SCENARIO(Locales, OneInTheArgumentsOfAThreadPinsThatThread) {
  const std::locale& named = of_each_process();
  const auto body = [named] {
    expect_pinned({"std::locale(\"C.utf8\") of the process"});
    std::ostringstream out;
    out.imbue(named);
    out << 1234567;
    expect_eq(out.str(), "1234567", "text");
  };
  roam::spawn(body).join();
  on_rank(roam::rank(), body);
  if (roam::ranks() > 1) {
    expect_error(roam::Errc::pinned, {"cannot start on another rank", "C.utf8"},
                 [&] { on_rank(next_rank(), body); });
  }
}

SCENARIO(Locales, WhoseLocaleTheProcessRefersToStays) {
  static std::locale kept;
  kept = std::locale(std::locale::classic(), new Apostrophes);
  expect_pinned({"code of the process uses"});
  kept = std::locale::classic();
  expect_free();
  const std::locale before = std::cout.imbue(std::locale(std::locale::classic(), new Apostrophes));
  expect_pinned({"code of the process uses"});
  std::cout.imbue(std::locale::classic());
  expect_free();
}

// Each rank has its own.
std::locale& kept() {
  static std::locale one;
  return one;
}

// What the thread left stays there with it, although another has joined that one, and goes.
SCENARIO(Locales, OneThatTheProcessRefersToOutlivesItsThread) {
  for (int rank = 0; rank < roam::ranks(); ++rank) {
    on_rank(rank, [] {
      const int there = roam::rank();
      roam::spawn([] { kept() = std::locale(std::locale::classic(), new Apostrophes); }).join();
      roam::spawn([] { std::vector<std::string> over(500, std::string(48, '#')); }).join();
      expect_free();
      std::vector<std::string> over(500, std::string(48, '#'));
      on_rank(there, [] {
        std::ostringstream out;
        out.imbue(kept());
        out << 1234567;
        expect_eq(out.str(), "1'234'567", "text");
        kept() = std::locale::classic();
      });
    });
  }
}

SCENARIO(Locales, TheGlobalOneSetInAThreadIsThatOfItsRank) {
  for (int rank = 0; rank < roam::ranks(); ++rank) {
    on_rank(rank, [rank] {
      const int there = roam::rank();
      const std::locale before = std::locale::global(std::locale("C.utf8"));
      {
        std::ostringstream out;
        out << 1234567;
        expect_eq(out.str(), "1234567", "text in the new locale");
        expect_pinned({"std::locale(\"C.utf8\") of the process"});
      }
      expect_free();
      {
        std::ostringstream out;
        out << 1234567;
        const bool alone = roam::ranks() == 1;
        expect_eq(out.str(), alone ? "1234567" : "1'234'567", "text on the next rank");
      }
      roam::this_thread::migrate(there);
      {
        roam::SystemHeap process;
        std::locale::global(before);
      }
      std::ostringstream out;
      out << 1234567;
      expect_eq(out.str(), "1'234'567", "text in the old locale");
      expect_free();
      out << rank % 10;
    });
  }
}

SCENARIO(Locales, AFacetInTheGlobalOneIsThatOfTheRank) {
  for (int i = 0; i < roam::ranks(); ++i) {
    {
      const std::locale more(global_locale(), new Own<1>("more"));
      expect_eq(text_of<1>(more), "more", "Own<1>");
      expect_pinned({"facets of the process"});
    }
    expect_free();
  }
}

SCENARIO(Locales, TheLocaleOfCThatAThreadUsesPins) {
  const locale_t utf8 = newlocale(LC_ALL_MASK, "C.utf8", nullptr);
  const locale_t before = uselocale(utf8);
  expect_pinned({"uselocale"});
  uselocale(before);
  expect_pinned({"locale"});
  freelocale(utf8);
  expect_free();
  const locale_t c = newlocale(LC_ALL_MASK, "C", nullptr);
  {
    const locale_t old = uselocale(c);
    expect_eq(uselocale(static_cast<locale_t>(nullptr)) == c, true, "the locale in use");
    expect_pinned({"uselocale"});
    uselocale(old);
  }
  expect_free();
}

// Its memory, and the place of its mark, are the next one's.
SCENARIO(Locales, AThreadThatEndsInALocaleTakesNothingFromTheNext) {
  locale_t utf8;
  {
    const roam::SystemHeap plain;
    utf8 = newlocale(LC_ALL_MASK, "C.utf8", nullptr);
  }
  const int here = roam::rank();
  for (int i = 0; i < 3; ++i) {
    on_rank(here, [utf8] {
      uselocale(utf8);
      expect_pinned({"uselocale"});
    });
    on_rank(here, [utf8] {
      expect_eq(uselocale(LC_GLOBAL_LOCALE) == utf8, true, "the kernel thread's locale");
      expect_pinned({"uselocale"});
      uselocale(utf8);
      expect_free();
    });
    on_rank(here, [] { uselocale(LC_GLOBAL_LOCALE); });
  }
}

}  // namespace
}  // namespace roam_test

// Each rank allocates in another way before it sets the program's own locale.
int main(int argc, char** argv) {
  std::vector<std::unique_ptr<char[]>> uneven;
  const char* rank = std::getenv("PMI_RANK");
  if (rank == nullptr) rank = std::getenv("OMPI_COMM_WORLD_RANK");
  for (int i = rank != nullptr ? 13 * std::atoi(rank) : 0; i > 0; --i)
    uneven.push_back(std::make_unique<char[]>(5000));
  std::locale::global(std::locale(std::locale::classic(), new roam_test::Apostrophes));
  return roam_test::run_scenarios(argc, argv);
}
