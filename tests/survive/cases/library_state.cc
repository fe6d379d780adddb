// Small state of the C and C++ libraries that lives in the caller's memory, and text made of
// numbers.
#include <cerrno>
#include <charconv>
#include <chrono>
#include <clocale>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <cwchar>
#include <filesystem>
#include <iterator>
#include <random>
#include <string>
#include <system_error>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

SURVIVE_CASE(strtok_r_in_the_middle_of_a_text) {
  Random rng(move.seed());
  std::vector<std::string> want;
  std::string text;
  for (int i = 0; i < 100; ++i) {
    want.push_back(rng.text(rng.between(1, 20)));
    text += want.back() + ",; "[i % 3];
  }
  char* state = nullptr;
  std::size_t i = 0;
  for (char* at = strtok_r(text.data(), ",; ", &state); at; at = strtok_r(nullptr, ",; ", &state)) {
    if (i % 30 == 15) move();
    expect_eq(std::string(at), want.at(i++), "a token");
  }
  expect_eq(i, want.size(), "tokens");
}

SURVIVE_CASE(random_engines_and_distributions) {
  std::mt19937 mt(static_cast<unsigned>(move.seed())), mt_want = mt;
  std::mt19937_64 mt64(move.seed()), mt64_want = mt64;
  std::ranlux48 ranlux(move.seed()), ranlux_want = ranlux;
  std::normal_distribution<double> normal, normal_want;  // keeps the second value of each pair
  std::discrete_distribution<int> discrete{1, 2, 3, 4}, discrete_want{1, 2, 3, 4};
  drand48_data drand, drand_want;
  srand48_r(static_cast<long>(move.seed()), &drand);
  drand_want = drand;
  for (int i = 0; i < 3001; ++i) {
    if (i % 1000 == 501) move();
    expect_eq(mt(), mt_want(), "mt19937");
    expect_eq(ranlux(), ranlux_want(), "ranlux48");
    expect_eq(normal(mt64), normal_want(mt64_want), "normal distribution");
    expect_eq(discrete(mt), discrete_want(mt_want), "discrete distribution");
    double x, y;
    drand48_r(&drand, &x);
    drand48_r(&drand_want, &y);
    expect_eq(x, y, "drand48_r");
  }
}

SURVIVE_CASE(doubles_printed_and_read_back) {
  Random rng(move.seed());
  std::vector<double> values;
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) {
    const std::uint64_t bits = rng.next();
    double value;
    std::memcpy(&value, &bits, 8);
    if (!std::isfinite(value)) value = 0.1 * i;
    char text[64];
    snprintf(text, sizeof(text), "%.17g", value);
    values.push_back(value);
    texts.emplace_back(text);
  }
  move();
  for (std::size_t i = 0; i < values.size(); ++i) {
    expect_eq(std::strtod(texts[i].c_str(), nullptr), values[i], "strtod of a text printed before");
    char text[400];
    snprintf(text, sizeof(text), "%.17g", values[i]);
    expect_eq(std::string(text), texts[i], "text printed again");
    const auto end = std::to_chars(text, text + sizeof(text), values[i]);
    double back = 0;
    std::from_chars(text, end.ptr, back);
    expect_eq(back, values[i], "from_chars of to_chars");
    snprintf(text, sizeof(text), "%*.*f|%-12s|%08lx|%+d", 20, 3, 1.0 / 3, "left", 255ul, 5);
    expect_eq(std::string(text), "               0.333|left        |000000ff|+5", "formatted text");
  }
  // As many digits as need a buffer in the heap.
  std::vector<char> many(6000);
  snprintf(many.data(), many.size(), "%.5000f", values[0] == 0 ? 0.1 : 1.0 / 3);
  expect_eq(std::strlen(many.data()), std::size_t{5002}, "characters of 5000 digits");
}

SURVIVE_CASE(multibyte_conversion_in_the_middle_of_a_character) {
  std::mbstate_t state{};
  const char text[] = "plain ascii";
  expect_eq(std::mbrlen(text, 1, &state), std::size_t{1}, "bytes of a character");
  wchar_t wide[20];
  const char* at = text;
  expect_eq(std::mbsrtowcs(wide, &at, 6, &state), std::size_t{6}, "characters converted");
  move();
  expect_eq(std::mbsrtowcs(wide + 6, &at, 14, &state), std::size_t{5},
            "characters converted after");
  expect(std::wstring(wide) == L"plain ascii", "wide text");
  wchar_t printed[50];
  swprintf(printed, 50, L"%ls-%d", wide, 7);
  expect(std::wstring(printed) == L"plain ascii-7", "printed wide text");
}

SURVIVE_CASE(times_and_dates) {
  using namespace std::chrono;
  const std::time_t moment = 1'700'000'000;
  std::tm before{};
  localtime_r(&moment, &before);
  const auto point = system_clock::from_time_t(moment) + 123456789ns;
  const auto started = system_clock::now();
  move();
  std::tm after{};
  localtime_r(&moment, &after);
  // Without %Z for the one made before: tm_zone points at a string of the process, which does not
  // move.
  char text[2][64];
  std::strftime(text[0], 64, "%Y-%m-%d %H:%M:%S", &before);
  std::strftime(text[1], 64, "%Y-%m-%d %H:%M:%S", &after);
  expect_eq(std::string(text[1]), std::string(text[0]), "local time");
  expect_eq(std::mktime(&after), moment, "mktime of it");
  expect_eq(system_clock::to_time_t(point), moment, "time_point");
  expect(system_clock::now() - started < 24h, "the system clock goes on");
  const year_month_day date = floor<days>(point);
  expect(date == 2023y / November / 14, "date of a time_point");
}

SURVIVE_CASE(complex_numbers_and_special_functions) {
  std::vector<std::complex<double>> roots;
  for (int i = 0; i < 64; ++i) roots.push_back(std::polar(1.0, 2 * M_PI * i / 64));
  const auto want = roots;
  move();
  for (int i = 0; i < 64; ++i) {
    expect(roots[i] == want[i], "a root of unity");
    expect(std::polar(1.0, 2 * M_PI * i / 64) == want[i], "a root computed again, elsewhere");
  }
  int sign = 0;
  expect_eq(lgamma_r(-0.5, &sign), std::log(std::tgamma(-0.5) * -1), "lgamma");
  expect_eq(sign, -1, "sign of gamma");
}

SURVIVE_CASE(paths_and_error_codes) {
  namespace fs = std::filesystem;
  fs::path path = "/usr/./share/../include//stdio.h";
  const std::error_code code(ENOENT, std::system_category());
  auto part = path.begin();
  std::advance(part, 3);
  move();
  expect_eq(path.lexically_normal().string(), "/usr/include/stdio.h", "normal path");
  expect_eq(part->string(), "share", "a part that an iterator points at");
  expect(code == std::errc::no_such_file_or_directory, "error code");
  expect(code.message() == std::make_error_code(std::errc::no_such_file_or_directory).message(),
         "message of the error code");
  std::error_code failed;
  expect(!fs::exists("/no/such/path", failed), "a path that does not exist");
}

}  // namespace
}  // namespace roam_test
