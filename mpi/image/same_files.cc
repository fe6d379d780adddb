#include "mpi/image/same_files.h"

#include <unistd.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "base/text.h"
#include "roam/roam.h"

namespace roam::mpi {
namespace {

struct File {
  std::string path;
  std::uint64_t digest;
};

std::vector<File> files_of(const Layout& layout) {
  std::vector<File> files;
  for (const ModuleLayout& m : layout.modules())
    files.push_back({m.file->path(), m.file->digest()});
  return files;
}

std::string host() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

// What a thread of another rank found.
struct Differs {
  std::string what;
};

void compare(const Layout* const* here, const std::vector<File>& wanted,
             const std::string& wanted_host) {
  const std::vector<File> own = files_of(**here);
  const std::string where = text("rank %d on %s", rank(), host().c_str());
  if (own.size() != wanted.size()) {
    throw Differs{text("the program has %zu private libraries on %s, and %zu on %s of rank 0",
                       own.size() - 1, where.c_str(), wanted.size() - 1, wanted_host.c_str())};
  }
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i].digest == wanted[i].digest) continue;
    throw Differs{
        text("%s of %s is another build than %s on %s of rank 0: give all hosts the "
             "same files",
             own[i].path.c_str(), where.c_str(), wanted[i].path.c_str(), wanted_host.c_str())};
  }
}

}  // namespace

std::string files_that_differ(const Layout* const& here) {
  const std::vector<File> wanted = files_of(*here);
  std::vector<Thread> threads;
  for (int i = 0; i < ranks(); ++i) {
    if (i == rank()) continue;
    threads.push_back(spawn(SpawnOptions{.name = "files of a program", .rank = i}, compare, &here,
                            wanted, host()));
  }
  std::string why;
  for (const Thread& thread : threads) {
    try {
      thread.join();
    } catch (const Differs& differs) {
      if (why.empty()) why = differs.what;
    }
  }
  return why;
}

}  // namespace roam::mpi
