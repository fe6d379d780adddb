#include "mpi/image/launch.h"

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "base/text.h"
#include "isomalloc/heap.h"
#include "mpi/image/entry.h"
#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/rank_lines.h"
#include "roam/thread.h"
#include "runtime/job/launcher.h"

namespace roam::mpi {
namespace {

bool read_number(const char* text, unsigned long most, unsigned long* number) {
  char* end = nullptr;
  errno = 0;
  *number = std::strtoul(text, &end, 10);
  return errno == 0 && end != text && *end == '\0' && *text != '-' && *number >= 1 &&
         *number <= most;
}

// As MPI numbers them; -1: it is none.
int level_of_threads(std::string_view name) {
  int level = 0;
  for (const std::string_view known : {"single", "funneled", "serialized", "multiple"}) {
    if (name == known) return level;
    ++level;
  }
  return -1;
}

// The program, found as a shell finds it.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  for (std::string_view folders = path == nullptr ? "" : path; path != nullptr;) {
    const std::size_t colon = folders.find(':');
    const std::string_view folder = folders.substr(0, colon);
    // An empty one is the current folder.
    const std::string found = (folder.empty() ? "." : std::string(folder)) + "/" + name;
    struct stat what;
    if (stat(found.c_str(), &what) == 0 && S_ISREG(what.st_mode) &&
        access(found.c_str(), X_OK) == 0)
      return found;
    if (colon == std::string_view::npos) break;
    folders.remove_prefix(colon + 1);
  }
  throw Refusal(name + ": there is no such program in PATH");
}

// The first virtual rank that begins on a rank.
int first_of(int rank_of_roam, int count) {
  return static_cast<int>((std::int64_t{rank_of_roam} * count + ranks() - 1) / ranks());
}

// Of those that begin on one node, as they are numbered.
RankNumbers numbers_of(int number, int count) {
  RankNumbers numbers{number, count, 0, 0};
  const int home = static_cast<int>(std::int64_t{number} * ranks() / count);
  for (int r = 0; r < ranks(); ++r) {
    if (node_of(r) != node_of(home)) continue;
    const int first = first_of(r, count), end = first_of(r + 1, count);
    numbers.local_count += end - first;
    numbers.local += std::clamp(number - first, 0, end - first);
  }
  return numbers;
}

}  // namespace

LaunchRequest read_request(int argc, char** argv, const char* usage) {
  LaunchRequest request;
  int i = 1;
  unsigned long number = 0;
  for (; i < argc && argv[i][0] == '-'; ++i) {
    const std::string option = argv[i];
    const auto value = [&](const char* name) {
      return option.starts_with(name) ? argv[i] + std::strlen(name) : nullptr;
    };
    if (option == "--help") {
      if (runtime::speaks_for_all()) std::fputs(usage, stdout);
      std::exit(0);
    } else if (option == "-n") {
      const std::string count = i + 1 < argc ? argv[++i] : "";
      if (!read_number(count.c_str(), 1'000'000, &number))
        throw Refusal((count.empty() ? "-n" : "-n " + count) +
                      ": a count from 1 to 1000000 is wanted");
      request.virtual_ranks = static_cast<int>(number);
    } else if (const char* bytes = value("--stack=")) {
      unsigned long long stack_bytes = 0;
      if (!parse_bytes(bytes, &stack_bytes) || stack_bytes == 0 || stack_bytes > 1ULL << 32)
        throw Refusal(option + ": a number of bytes up to 4294967296 is wanted, as 8M");
      request.stack_bytes = stack_bytes;
    } else if (const char* own = value("--private=")) {
      request.rule.made_private.emplace_back(own);
    } else if (const char* shared = value("--shared=")) {
      request.rule.made_shared.emplace_back(shared);
    } else if (const char* first = value("--preload=")) {
      request.rule.preloaded.emplace_back(first);
    } else if (const char* balance = value("--balance=")) {
      request.balance = balance;
    } else if (option == "--balance") {
      request.balance = "auto";
    } else if (const char* level = value("--threads=")) {
      request.most_threads = level_of_threads(level);
      if (request.most_threads < 0)
        throw Refusal(option + ": single, funneled, serialized or multiple is wanted");
    } else if (option == "--move") {
      request.moves = true;
    } else {
      throw Refusal("unknown option " + option + "\n" + usage);
    }
  }
  if (i == argc) throw Refusal(std::string("no program is named\n") + usage);
  request.arguments.assign(argv + i, argv + argc);
  return request;
}

const Layout& prepare_images(const LaunchRequest& request) {
  add_entry_calls();
  add_process_calls();
  add_signal_calls();
  add_descriptor_calls();
  add_library_calls();
  add_trace_calls();
  add_locale_calls();
  add_walk_calls();
  add_key_calls();
  add_option_calls();
  add_state_calls();
  const auto* set = new ModuleSet(find_program(request.arguments[0]), request.rule);
  const auto* layout = new Layout(*set);
  set_layout(layout);
  // What libc says of the program, in a message of assert, is not said of the launcher.
  program_invocation_name = strdup(request.arguments[0].c_str());
  program_invocation_short_name = strdup(std::string(set->program().name()).c_str());
  return *layout;
}

void tell_refusal(const char* launcher, const Refusal& refusal) {
  const bool is_first = runtime::speaks_for_all();
  if (!is_first) usleep(500'000);
  std::fprintf(stderr, "%s: %s\n", launcher, refusal.what());
  if (is_first) return;
  runtime::find_launcher();
  runtime::tell_launcher(2, false);
}

int first_process_number(int count) {
  constexpr unsigned kNoProcess = 4U << 20;  // PID_MAX_LIMIT: what processes have is lower
  unsigned random = 0;
  while (getrandom(&random, sizeof random, 0) < 0) {
  }
  return static_cast<int>(kNoProcess +
                          random % (unsigned{INT_MAX} - kNoProcess - static_cast<unsigned>(count)));
}

std::vector<std::string> environment_of(int number, int count) {
  const iso::HeapScope process;  // the virtual rank has its own of them
  std::vector<std::string> lines;
  // A virtual rank has one kernel thread. OpenMP would make one for each core, so programs that do
  // not care get one; those that are told another number are refused where they make them.
  if (std::getenv("OMP_NUM_THREADS") == nullptr && std::getenv("OMP_THREAD_LIMIT") == nullptr)
    lines = {"OMP_NUM_THREADS=1", "OMP_THREAD_LIMIT=1"};
  const RankNumbers numbers = numbers_of(number, count);
  for (char** line = environ; *line != nullptr; ++line) {
    if (std::strncmp(*line, "ROAM_VIRTUAL_RANK", 17) == 0) continue;
    if (std::optional<std::string> own = rank_line(*line, numbers); own.has_value())
      lines.push_back(*std::move(own));
  }
  lines.push_back("ROAM_VIRTUAL_RANK=" + std::to_string(number));
  lines.push_back("ROAM_VIRTUAL_RANKS=" + std::to_string(count));
  return lines;
}

}  // namespace roam::mpi
