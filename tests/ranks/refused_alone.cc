// What one rank alone is refused at the start is said, though ranks but the first leave it to the
// first what all are refused.
#include <sys/resource.h>

#include <cstdlib>
#include <string>

#include "roam/roam.h"

int main(int argc, char** argv) {
  for (const char* name : {"PMI_RANK", "OMPI_COMM_WORLD_RANK"}) {
    if (const char* rank = std::getenv(name); rank != nullptr && std::string(rank) == "1") {
      const rlimit bytes{1'000'000'000, 1'000'000'000};
      setrlimit(RLIMIT_AS, &bytes);
    }
  }
  return roam::run(argc, argv, [] {});
}
