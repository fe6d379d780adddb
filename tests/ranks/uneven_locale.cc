// Rank 0 sets a global locale of its own and the others do not: nothing can stand in for it.
#include <cstdlib>
#include <locale>
#include <sstream>
#include <string>
#include <string_view>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

struct Apostrophes : std::numpunct<char> {
  char do_thousands_sep() const override { return '\''; }
  std::string do_grouping() const override { return "\3"; }
};

std::string text_of(long n) {
  std::ostringstream out;
  out << n;
  return out.str();
}

SCENARIO(UnevenLocale, AStreamInItPinsAndOthersDoNot) {
  for (int round = 0; round < 3; ++round) {
    for (int rank = 0; rank < roam::ranks(); ++rank) {
      on_rank(rank, [rank] {
        const std::string want = rank == 0 ? "1'234'567" : "1234567";
        expect_eq(text_of(1234567), want, "text");
        {
          std::ostringstream out;
          out << 1234567;
          if (rank == 0 && roam::ranks() > 1) {
            expect_error(roam::Errc::pinned, {"std::locale of the process"},
                         [] { roam::this_thread::migrate(next_rank()); });
          } else {
            roam::this_thread::migrate(next_rank());
          }
          expect_eq(out.str(), want, "text in the stream");
        }
        roam::this_thread::migrate(rank);
        roam::this_thread::migrate(next_rank());
        expect_eq(text_of(1234567), roam::rank() == 0 ? "1'234'567" : "1234567", "text elsewhere");
      });
    }
  }
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) {
  const char* rank = std::getenv("PMI_RANK");
  if (rank == nullptr) rank = std::getenv("OMPI_COMM_WORLD_RANK");
  if (rank == nullptr || std::string_view(rank) == "0")
    std::locale::global(std::locale(std::locale::classic(), new roam_test::Apostrophes));
  return roam_test::run_scenarios(argc, argv);
}
