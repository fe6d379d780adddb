// Locales, a hundred thousand times over. Facets and locales are counted by reference, some of them
// in the process's own memory: what is made on one rank and ended on another must not wear these
// counts down.
#include <cstdint>
#include <ctime>
#include <iomanip>
#include <iterator>
#include <locale>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

struct Apostrophes : std::numpunct<char> {
  explicit Apostrophes(std::uint64_t m) : mark(m) {}
  char do_thousands_sep() const override { return '\''; }
  std::string do_grouping() const override { return "\3"; }
  std::uint64_t mark;
};

std::locale with_apostrophes(std::uint64_t mark) {
  return std::locale(std::locale::classic(), new Apostrophes(mark));
}

SURVIVE_CASE(ostringstreams_made_on_one_rank_and_ended_on_another_100000) {
  std::vector<std::unique_ptr<std::ostringstream>> streams;
  for (int i = 0; i < 100000; ++i) {
    streams.push_back(std::make_unique<std::ostringstream>());
    if (i % 100 == 0) *streams.back() << std::hex << i << ' ';
  }
  move();
  for (int i = 0; i < 100000; i += 100) {
    *streams[i] << 255 << ' ' << 1.5;
    std::ostringstream want;
    want << std::hex << i << " ff 1.5";
    expect_eq(streams[i]->str(), want.str(), "text of a stream");
  }
  streams.clear();
  std::ostringstream out;
  out << 1234567;
  expect_eq(out.str(), "1234567", "what a stream of this rank writes afterwards");
}

SURVIVE_CASE(locales_copied_on_one_rank_and_ended_on_another_100000) {
  {
    const std::locale custom = with_apostrophes(move.seed());
    std::vector<std::locale> copies;
    for (int i = 0; i < 100000; ++i) copies.push_back(i % 2 ? custom : std::locale());
    move();
    const auto& facet = std::use_facet<std::numpunct<char>>(copies[77777]);
    expect_eq(dynamic_cast<const Apostrophes&>(facet).mark, move.seed(), "mark in the facet");
  }
  expect_eq(std::locale().name(), "C", "name of the global locale");
}

// Each holds a reference to every facet of the classic locale.
SURVIVE_CASE(locales_with_a_facet_made_on_one_rank_and_ended_on_another_20000) {
  {
    std::vector<std::locale> locales;
    for (int i = 0; i < 20000; ++i) locales.push_back(with_apostrophes(move.seed() + i));
    move();
    for (int i = 0; i < 20000; i += 999) {
      const auto& facet = std::use_facet<std::numpunct<char>>(locales[i]);
      expect_eq(dynamic_cast<const Apostrophes&>(facet).mark, move.seed() + i, "mark in a facet");
    }
  }
  // The classic facets are still there and whole.
  std::ostringstream out;
  std::tm noon{};
  noon.tm_hour = 12;
  out << 1234567 << ' ' << 0.125 << ' ' << std::put_time(&noon, "%H:%M") << std::put_money("5");
  expect_eq(out.str(), "1234567 0.125 12:005", "what a stream of this rank writes afterwards");
  std::istringstream in("77 1.5");
  int seven = 0;
  double half = 0;
  in >> seven >> half;
  expect(seven == 77 && half == 1.5, "what a stream of this rank reads afterwards");
}

// With no facet of its own it has the classic locale's caches too.
SURVIVE_CASE(copies_of_the_classic_locale_made_on_one_rank_and_ended_on_another) {
  {
    std::vector<std::locale> locales;
    for (int i = 0; i < 1000; ++i) {
      locales.emplace_back(std::locale::classic(), std::locale::classic(), std::locale::none);
    }
    move();
  }
  std::ostringstream out;
  out << 1234567 << std::put_money("5");
  expect_eq(out.str(), "12345675", "what a stream of this rank writes afterwards");
}

// A kind of facet that only this program knows.
struct Mark : std::locale::facet {
  static std::locale::id id;
  explicit Mark(std::uint64_t v) : value(v) {}
  std::uint64_t value;
};
std::locale::id Mark::id;

SURVIVE_CASE(a_facet_of_a_kind_of_ones_own) {
  std::vector<std::locale> locales;
  for (std::uint64_t i = 0; i < 20; ++i) {
    locales.emplace_back(with_apostrophes(i), new Mark(move.seed() + i));
  }
  move();
  for (std::uint64_t i = 0; i < 20; ++i) {
    expect_eq(std::use_facet<Mark>(locales[i]).value, move.seed() + i, "the mark");
    expect(!std::has_facet<Mark>(std::locale::classic()), "the classic locale has none");
  }
}

SURVIVE_CASE(stream_with_a_locale_of_ones_own) {
  std::ostringstream out;
  out.imbue(with_apostrophes(1));
  out << 1234567 << ' ';
  move();
  out << 7654321 << ' ' << std::fixed << std::setprecision(2) << 1234.5;
  expect_eq(out.str(), "1'234'567 7'654'321 1'234.50", "numbers with apostrophes");
  std::istringstream in(out.str());
  in.imbue(out.getloc());
  int first = 0, second = 0;
  in >> first;
  move();
  in >> second;
  expect_eq(first, 1234567, "number read before the move");
  expect_eq(second, 7654321, "number read after the move");
}

SURVIVE_CASE(facets_used_directly) {
  const std::locale locale = with_apostrophes(2);
  const auto& ctype = std::use_facet<std::ctype<char>>(locale);
  const auto& collate = std::use_facet<std::collate<char>>(locale);
  const auto& codecvt = std::use_facet<std::codecvt<char32_t, char8_t, std::mbstate_t>>(locale);
  const auto& put = std::use_facet<std::num_put<char>>(locale);
  std::mbstate_t state{};
  const char8_t utf8[] = u8"aé€𝄞";
  char32_t wide[8] = {};
  const char8_t* from = utf8;
  char32_t* to = wide;
  codecvt.in(state, utf8, utf8 + 3, from, wide, wide + 8, to);
  move();
  codecvt.in(state, from, utf8 + sizeof(utf8) - 1, from, to, wide + 8, to);
  expect(std::u32string(wide) == U"aé€𝄞", "text decoded in two parts");
  expect_eq(ctype.toupper('x'), 'X', "toupper");
  const std::string a = "abc", b = "abd";
  expect_eq(collate.compare(a.data(), a.data() + 3, b.data(), b.data() + 3), -1, "collation");
  std::ostringstream out;
  out.imbue(locale);
  put.put(std::ostreambuf_iterator<char>(out), out, ' ', 1000000L);
  expect_eq(out.str(), "1'000'000", "num_put");
}

}  // namespace
}  // namespace roam_test
