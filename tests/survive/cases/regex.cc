// Regular expressions, compiled before the move and in the middle of a search.
#include <regex>
#include <string>
#include <vector>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

SURVIVE_CASE(regex_compiled_before_the_move) {
  const std::regex date(R"((\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?)");
  const std::regex word("[[:alpha:]_][[:alnum:]_]*", std::regex::icase | std::regex::optimize);
  const std::regex collate("(a|ab)(c|bcd)(d*)", std::regex::extended);
  move();
  std::smatch match;
  const std::string text = "from 2026-11-22T19:54 on";
  expect(std::regex_search(text, match, date), "the date is found");
  expect_eq(match[1].str() + match[2].str() + match[3].str() + match[4].str() + match[5].str(),
            "202611221954", "parts of the date");
  expect(std::regex_match("Some_name9", word), "a word matches");
  expect(!std::regex_match("9lives", word), "no word does not");
  expect(std::regex_match("abcd", collate), "an extended expression matches");
  expect_eq(std::regex_replace(text, date, "$3.$2.$1"), "from 22.11.2026 on", "text replaced");
}

SURVIVE_CASE(regex_iterator_in_the_middle_of_a_text) {
  Random rng(move.seed());
  std::string text;
  std::vector<std::string> want;
  for (int i = 0; i < 200; ++i) {
    want.push_back(std::to_string(rng.next()));
    text += "<" + want.back() + "> ";
  }
  const std::regex number("<(\\d+)>");
  std::size_t i = 0;
  for (std::sregex_iterator at(text.begin(), text.end(), number), end; at != end; ++at, ++i) {
    if (i % 50 == 25) move();
    expect_eq((*at)[1].str(), want.at(i), "number found");
  }
  expect_eq(i, want.size(), "numbers found");
  const std::regex gap("[<> ]+");
  i = 0;
  for (std::sregex_token_iterator at(text.begin(), text.end(), gap, -1), end; at != end; ++at) {
    if (at->length() == 0) continue;
    if (i % 50 == 25) move();
    expect_eq(at->str(), want.at(i++), "token found");
  }
  expect_eq(i, want.size(), "tokens found");
}

SURVIVE_CASE(regex_error_after_the_move) {
  move();
  const auto error =
      expect_throws<std::regex_error>([] { std::regex bad("(unclosed"); }, "bad regex");
  expect(error.code() == std::regex_constants::error_paren, "code of the error");
}

}  // namespace
}  // namespace roam_test
