#include "mpi/image/same_files.h"

#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/os/layout.h"
#include "base/text.h"
#include "mpi/image/of_process.h"
#include "mpi/image/refusal.h"
#include "roam/checkpoint.h"
#include "roam/error.h"
#include "roam/roam.h"

namespace roam::mpi {
namespace {

// Between the path of a library that the process has loaded and where it lies.
constexpr char kAt[] = " at 0x";

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

std::vector<File> loaded_files();

constinit OfProcess<std::vector<File>> compared;
// What all ranks have to have the same: as it is when this is first asked.
const std::vector<File>& files_to_compare(const Layout& layout) {
  const auto files = compared.use();
  if (files->empty()) {
    *files = files_of(layout);
    for (File& loaded : loaded_files()) files->push_back(std::move(loaded));
  }
  return *files;
}

std::string host() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

// Of one that the process has loaded, its address (loaded_files); else empty.
std::string place_of(const File& file) {
  const std::size_t at = file.path.find(kAt);
  return at == std::string::npos ? std::string() : file.path.substr(at);
}

// What a thread of another rank found.
struct Differs {
  std::string what;
};

void compare(const Layout* const* here, const std::vector<File>& wanted,
             const std::string& wanted_host) {
  const std::vector<File>& own = files_to_compare(**here);
  const std::string where = text("rank %d on %s", rank(), host().c_str());
  if (own.size() != wanted.size()) {
    throw Differs{
        text("the program has %zu libraries of its own or loaded for it on %s, and %zu on "
             "%s of rank 0",
             own.size() - 1, where.c_str(), wanted.size() - 1, wanted_host.c_str())};
  }
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i].digest == wanted[i].digest && place_of(own[i]) == place_of(wanted[i])) continue;
    throw Differs{
        text("%s of %s is another build than %s on %s of rank 0: give all hosts the "
             "same files",
             own[i].path.c_str(), where.c_str(), wanted[i].path.c_str(), wanted_host.c_str())};
  }
}

// ---- of a checkpoint and of now ----

const Layout* layout_now = nullptr;
int ranks_wanted = 0;
// What job_data() knows: lines of the job as it was when the checkpoint was made.
constinit OfProcess<std::string> kept;

struct Loaded {
  std::string path;
  unsigned long where;
};
int add_loaded(dl_phdr_info* info, std::size_t, void* to) {
  static_cast<std::vector<Loaded>*>(to)->push_back({info->dlpi_name, info->dlpi_addr});
  return 0;
}
// What was loaded since the start, whose modules are compared anyway. Threads' memory has addresses
// of its functions.
std::vector<File> loaded_files() {
  std::vector<Loaded> loaded;
  dl_iterate_phdr(add_loaded, &loaded);
  const std::vector<std::string> first = os::layout_facts();
  std::vector<File> files;
  for (const Loaded& l : loaded) {
    const std::string begin = text("module %s at ", l.path.c_str());
    const bool known = std::any_of(first.begin(), first.end(), [&](const std::string& fact) {
      return fact.starts_with(begin);
    });
    if (known || !l.path.starts_with('/')) continue;
    std::uint64_t digest = 0;
    try {
      digest = ElfFile(l.path).digest();
    } catch (const Refusal&) {  // the process may have what images may not: then its place tells
    }
    files.push_back({text("%s%s%lx", l.path.c_str(), kAt, l.where), digest});
  }
  return files;
}

std::string files_here() {
  std::string all;
  for (const File& f : files_to_compare(*layout_now))
    all += text("%016llx %s\n", static_cast<unsigned long long>(f.digest), f.path.c_str());
  return all;
}

std::vector<std::string> lines_of(const std::string& all) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\n', at), all.size());
    lines.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// The same bytes are the same file, wherever it is now, unless its address is part of the line.
bool is_same(const std::string& then, const std::string& now) {
  return then == now || (then.substr(0, 16) == now.substr(0, 16) &&
                         then.find(kAt) == std::string::npos && now.find(kAt) == std::string::npos);
}

void refuse(const std::string& why) { throw Error(Errc::layout_mismatch, "ROAM_RESTART: " + why); }

void compare_with_checkpoint() {
  const int count = ranks_wanted != 0 ? ranks_wanted : ranks();
  const std::vector<std::string> then = lines_of(*kept.use()), now = lines_of(files_here());
  if (then.empty()) refuse("the checkpoint is not one of virtual ranks");
  if (const std::string had = then[0]; had != std::to_string(count)) {
    refuse(
        text("the job had %s virtual ranks when the checkpoint was made, and has %d now. Start "
             "it with -n %s for the virtual ranks; the number of ranks may be any",
             had.c_str(), count, had.c_str()));
  }
  for (std::size_t i = 0; i < std::max(then.size() - 1, now.size()); ++i) {
    const std::string a = i + 1 < then.size() ? then[i + 1] : "nothing";
    const std::string b = i < now.size() ? now[i] : "nothing";
    if (is_same(a, b)) continue;
    refuse(
        text("virtual ranks run other files on rank %d (digest, path) than when the checkpoint "
             "was made: %s, and %s then. Start the program that made the checkpoint, with the "
             "libraries that it had",
             rank(), b.c_str(), a.c_str()));
  }
}

}  // namespace

void check_restarts(const Layout& layout, int virtual_ranks) {
  layout_now = &layout;
  ranks_wanted = virtual_ranks;
  (void)files_here();  // as they are before the program runs
  job_data("virtual ranks", *kept.use());
  on_checkpoint([] {
    *kept.use() = text("%d\n%s", ranks_wanted != 0 ? ranks_wanted : ranks(), files_here().c_str());
  });
  on_restart(compare_with_checkpoint);
}

std::string files_that_differ(const Layout* const& here) {
  const std::vector<File> wanted = files_to_compare(*here);
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
