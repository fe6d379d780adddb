// The first line of many programs: the user's locale for all, by its name. What is made of it in
// threads travels.
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <locale>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

SCENARIO(NamedLocale, StreamsMadeOnOneRankEndOnAnother) {
  for (int i = 0; i < 100; ++i) {
    std::ostringstream out;
    out << "value " << i << ' ';
    roam::this_thread::migrate(next_rank());
    out << 1.5;
    expect_eq(out.str(), "value " + std::to_string(i) + " 1.5", "text");
    expect_eq(out.getloc().name(), "C.utf8", "name of its locale");
  }
}

SCENARIO(NamedLocale, WideCharactersAreThoseOfTheLocale) {
  for (int i = 0; i < 2 * roam::ranks(); ++i) {
    std::wofstream out;
    std::wifstream in;
    std::wostringstream text;
    roam::this_thread::migrate(next_rank());
    const std::string path = "/tmp/roam_named_locale_" + std::to_string(roam::rank());
    out.open(path);
    out << L"a\u00e9\u20ac" << 12;
    out.close();
    std::ifstream bytes(path);
    expect_eq(std::string(std::istreambuf_iterator<char>(bytes), {}),
              std::string("a\xc3\xa9\xe2\x82\xac") + "12", "bytes of the file");
    bytes.close();
    in.open(path);
    std::wstring back;
    in >> back;
    in.close();
    std::remove(path.c_str());
    expect(back == L"a\u00e9\u20ac12", "text of the file");
    text << text.widen('w') << std::toupper(L'\u00e9', text.getloc());
    expect(text.str() == L"w\u00c9", "upper case");
  }
}

SCENARIO(NamedLocale, TheSameNameInAThreadIsTheSameLocale) {
  const std::locale named("C.utf8");
  const std::locale copy = named;
  std::ostringstream out;
  out.imbue(named);
  const std::regex word("[[:alpha:]]+");
  for (int i = 0; i < 2 * roam::ranks(); ++i) {
    out.str("");
    out << 1234.5 << ' ' << true << ' ' << std::hex << 255 << std::dec;
    expect_eq(out.str(), "1234.5 1 ff", "text");
    expect(copy == std::locale(), "equals the global one");
    expect_eq(std::use_facet<std::ctype<char>>(copy).toupper('x'), 'X', "toupper");
    expect(std::isalpha(L'\u00e9', copy), "isalpha of a letter with an accent");
    expect(std::regex_match(std::string("word"), word), "a regex made in it");
    std::tm noon{};
    noon.tm_hour = 12;
    std::ostringstream time;
    time << std::put_time(&noon, "%H:%M");
    expect_eq(time.str(), "12:00", "a time");
    roam::this_thread::migrate(next_rank());
  }
}

SCENARIO(NamedLocale, ManyAreMadeAndEndedElsewhere) {
  for (int round = 0; round < 4; ++round) {
    std::vector<std::locale> locales;
    for (int i = 0; i < 20000; ++i) locales.emplace_back();
    roam::this_thread::migrate(next_rank());
    expect_eq(locales[777].name(), "C.utf8", "name");
  }
}

SCENARIO(NamedLocale, TheGlobalOneIsStillThatOfTheProgram) {
  for (int rank = 0; rank < roam::ranks(); ++rank) {
    on_rank(rank, [] {
      expect_eq(std::locale().name(), "C.utf8", "name");
      const std::locale before = std::locale::global(std::locale::classic());
      expect_eq(std::locale().name(), "C", "name");
      expect_eq(before.name(), "C.utf8", "name of the one before");
      roam::this_thread::yield();
      std::locale::global(before);
      expect_eq(std::locale().name(), "C.utf8", "name");
      roam::this_thread::migrate(next_rank());
      expect_eq(before.name(), "C.utf8", "name elsewhere");
    });
  }
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) {
  std::locale::global(std::locale("C.utf8"));
  return roam_test::run_scenarios(argc, argv);
}
