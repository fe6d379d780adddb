// Streams in the middle of formatting and of parsing.
#include <cctype>
#include <cstdint>
#include <iomanip>
#include <istream>
#include <iterator>
#include <ostream>
#include <sstream>
#include <streambuf>
#include <string>
#include <vector>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

std::string formatted(std::ostringstream& out, Random rng, const std::vector<Mover*>& moves) {
  auto maybe_move = [&] {
    for (Mover* move : moves) (*move)();
  };
  out << std::hex << std::showbase << std::uppercase << std::setfill('*') << std::left;
  for (int i = 0; i < 200; ++i) {
    out << std::setw(24);
    // Between a manipulator and what it is for, and between the parts of a line.
    if (i % 50 == 0) maybe_move();
    out << rng.next() << ' ' << std::setprecision(12) << std::scientific;
    if (i % 50 == 25) maybe_move();
    out << static_cast<double>(rng.next()) << std::boolalpha << ' ' << rng.one_in(2) << '\n';
  }
  return out.str();
}

SURVIVE_CASE(ostringstream_in_the_middle_of_formatting) {
  std::ostringstream moved;
  const std::string got = formatted(moved, Random(move.seed()), {&move});
  std::ostringstream still;
  expect(got == formatted(still, Random(move.seed()), {}),
         "the text is as one written in one place");
  expect_eq(moved.flags(), still.flags(), "format flags");
  expect_eq(moved.fill(), still.fill(), "fill character");
}

SURVIVE_CASE(istringstream_in_the_middle_of_parsing) {
  Random rng(move.seed());
  std::ostringstream out;
  for (int i = 0; i < 300; ++i) {
    out << rng.next() << ',' << rng.text(rng.between(1, 30)) << ' ' << std::hex << rng.next()
        << std::dec << " line " << i << '\n';
  }
  std::istringstream in(out.str());
  Random again(move.seed());
  for (int i = 0; i < 300; ++i) {
    std::uint64_t number, hexadecimal;
    char comma;
    std::string text, rest;
    in >> number >> comma;
    if (i % 100 == 50) move();
    in >> text >> std::hex;
    if (i % 100 == 99) move();
    in >> hexadecimal >> std::dec >> std::ws;
    std::getline(in, rest);
    expect_eq(number, again.next(), "number");
    expect_eq(text, again.text(again.between(1, 30)), "text");
    expect_eq(hexadecimal, again.next(), "hexadecimal number");
    expect_eq(rest, "line " + std::to_string(i), "rest of the line");
  }
  in.peek();
  expect(in.eof(), "the stream is at its end");
}

SURVIVE_CASE(stringstream_positions_states_and_exceptions) {
  std::stringstream stream("0123456789");
  stream.seekg(3);
  stream.seekp(8);
  stream.exceptions(std::ios::badbit);
  std::istringstream failed("word");
  int number;
  failed >> number;
  move();
  expect_eq(static_cast<char>(stream.get()), '3', "character at the get position");
  stream << "xyz";
  expect_eq(stream.str(), "01234567xyz", "what was written at the put position");
  expect(failed.fail() && !failed.bad(), "failed stream is failed");
  failed.clear();
  std::string word;
  failed >> word;
  expect_eq(word, "word", "what a failed stream reads after clear()");
  expect_throws<std::ios::failure>([&] { stream.setstate(std::ios::badbit); }, "badbit");
}

// Upper-cases into a string, through a buffer of its own: pbase, pptr and epptr point into the
// object.
class Shouting : public std::streambuf {
 public:
  explicit Shouting(std::string* out) : out_(out) { setp(buffer_, buffer_ + sizeof(buffer_)); }
  ~Shouting() override { Shouting::sync(); }

 protected:
  int sync() override {
    for (char* c = pbase(); c != pptr(); ++c) out_->push_back(static_cast<char>(std::toupper(*c)));
    setp(buffer_, buffer_ + sizeof(buffer_));
    return 0;
  }
  int_type overflow(int_type c) override {
    sync();
    return sputc(static_cast<char>(c));
  }

 private:
  std::string* out_;
  char buffer_[37];
};

SURVIVE_CASE(stream_on_a_streambuf_of_ones_own) {
  std::string got, want;
  {
    Shouting buffer(&got);
    std::ostream out(&buffer);
    Random rng(move.seed());
    for (int i = 0; i < 500; ++i) {
      const std::string text = rng.text(rng.below(20));
      out << text;
      for (char c : text) want.push_back(static_cast<char>(std::toupper(c)));
      if (i % 100 == 50) move();
    }
  }
  expect(got == want, "the text went through the buffer");
}

SURVIVE_CASE(stream_iterators_and_tied_streams) {
  std::ostringstream log;
  std::istringstream in("3 1 4 1 5 9 2 6 5 3 5");
  in.tie(&log);
  std::istream_iterator<int> at(in), end;
  std::ostream_iterator<int> to(log, "-");
  std::vector<int> digits;
  while (at != end) {
    digits.push_back(*at);
    *to++ = *at++;
    if (digits.size() == 5) move();
  }
  expect_eq(log.str(), "3-1-4-1-5-9-2-6-5-3-5-", "what the output iterator wrote");
  expect(in.tie() == &log, "the streams are tied");
}

}  // namespace
}  // namespace roam_test
