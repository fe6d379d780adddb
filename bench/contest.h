#ifndef ROAM_BENCH_CONTEST_H_
#define ROAM_BENCH_CONTEST_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

namespace bench {

// Nanoseconds on the monotonic clock, which is the same for all processes of a machine.
std::int64_t now_ns();

// An option that a benchmark knows besides --quick, --NAME=VALUE.
struct Option {
  const char* name;
  const char* help;
  bool is_text = false;  // else a whole number
};

// What a benchmark was told on its command line.
struct Options {
  bool quick = false;  // --quick: few and short slices; the figures mean little
  std::map<std::string, std::string> texts;
  std::map<std::string, std::size_t> numbers;

  // Value of --NAME=VALUE, or `otherwise`.
  std::size_t number(const std::string& name, std::size_t otherwise) const;
  // The same of any text.
  std::string text(const std::string& name, const std::string& otherwise) const;
};

// Reads the command line. --help prints `question` and the options, and ends the program; so does
// what is no option of it, with status 2.
Options read_options(int argc, char** argv, const char* question,
                     std::initializer_list<Option> known);

// Prints one figure as a line for bench/run: every sample of what was measured, and of its floor.
// An empty `floor` means that there is none. Units: `unit` is what one sample counts, e.g. "ns";
// "x": a ratio.
void print_row(const std::string& name, const char* unit, const std::vector<double>& measured,
               const std::vector<double>& floor, double bytes = 0);

// Things that are timed in turn, A B C A B C ..., in slices of a millisecond or so: whatever
// disturbs the machine for longer than a slice disturbs all of them alike, and each slice has the
// others' slices of its own round to be compared with.
class Contest {
 public:
  // Runs one slice and returns the nanoseconds of one operation in it.
  using Slice = std::function<double()>;

  explicit Contest(bool quick) : quick_(quick) {}

  // Number of the contestant, for row().
  std::size_t add(Slice slice);
  // Rounds of all contestants until `seconds` have passed, at least three and at most 2000. One
  // more round, the first, is not counted. Quick: two rounds, counted.
  void run(double seconds);
  // Prints what was measured of one contestant beside the samples of another from the same rounds.
  void row(const std::string& name, std::size_t measured, std::size_t floor,
           double bytes = 0) const;
  // The same of one that has no floor.
  void row_alone(const std::string& name, std::size_t measured) const;

 private:
  struct Contestant {
    Slice slice;
    std::vector<double> samples;
  };
  bool quick_;
  std::vector<Contestant> contestants_;
};

}  // namespace bench

#endif  // ROAM_BENCH_CONTEST_H_
