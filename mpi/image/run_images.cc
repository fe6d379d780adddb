// Runs a program that calls no MPI, as built by any compiler, as virtual ranks: threads of Roam in
// the ranks of this job, each with variables of its own.
//
//   mpiexec -n 4 run_images [-n VIRTUAL_RANKS] [OPTIONS] PROGRAM ARGUMENTS...

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "mpi/image/entry.h"
#include "mpi/image/image.h"
#include "mpi/image/layout.h"
#include "mpi/image/module_set.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"
#include "mpi/image/refusal.h"
#include "mpi/image/same_files.h"
#include "roam/roam.h"
#include "runtime/job/launcher.h"

namespace roam::mpi {
namespace {

constexpr char kUsage[] =
    "usage: run_images [-n VIRTUAL_RANKS] [--stack=BYTES] [--move] [--private=LIBRARY]\n"
    "                  [--shared=LIBRARY] PROGRAM ARGUMENTS...\n"
    "  -n N               as many virtual ranks, spread over the ranks; without: one a rank\n"
    "  --stack=BYTES      address space for the stack of each (default 8388608)\n"
    "  --move             each call of sched_yield sends its virtual rank on to the next rank\n"
    "  --private=LIBRARY  each virtual rank has that library (libNAME.so.1) for itself\n"
    "  --shared=LIBRARY   the ranks have it\n"
    "A virtual rank finds its number in ROAM_VIRTUAL_RANK, and their count in "
    "ROAM_VIRTUAL_RANKS.\n";

struct Request {
  int virtual_ranks = 0;
  std::size_t stack_bytes = 8 << 20;
  bool moves = false;
  LibraryRule rule;
  std::vector<std::string> arguments;  // the program's path first
};

bool read_number(const char* text, unsigned long most, unsigned long* number) {
  char* end = nullptr;
  errno = 0;
  *number = std::strtoul(text, &end, 10);
  return errno == 0 && end != text && *end == '\0' && *text != '-' && *number >= 1 &&
         *number <= most;
}

Request read_request(int argc, char** argv) {
  Request request;
  int i = 1;
  unsigned long number = 0;
  for (; i < argc && argv[i][0] == '-'; ++i) {
    const std::string option = argv[i];
    const auto value = [&](const char* name) {
      return option.starts_with(name) ? argv[i] + std::strlen(name) : nullptr;
    };
    if (option == "-n" && i + 1 < argc) {
      if (!read_number(argv[++i], 1'000'000, &number))
        throw Refusal(std::string("-n ") + argv[i] + ": a count from 1 to 1000000 is wanted");
      request.virtual_ranks = static_cast<int>(number);
    } else if (const char* bytes = value("--stack=")) {
      if (!read_number(bytes, 1UL << 32, &request.stack_bytes))
        throw Refusal(option + ": a number of bytes up to 4294967296 is wanted");
    } else if (const char* own = value("--private=")) {
      request.rule.made_private.emplace_back(own);
    } else if (const char* shared = value("--shared=")) {
      request.rule.made_shared.emplace_back(shared);
    } else if (option == "--move") {
      request.moves = true;
    } else {
      throw Refusal("unknown option " + option + "\n" + kUsage);
    }
  }
  if (i == argc) throw Refusal(std::string("no program is named\n") + kUsage);
  request.arguments.assign(argv + i, argv + argc);
  return request;
}

// The program, found as a shell finds it.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  for (std::string_view folders = path == nullptr ? "" : path; !folders.empty();) {
    const std::size_t colon = folders.find(':');
    const std::string found = std::string(folders.substr(0, colon)) + "/" + name;
    if (access(found.c_str(), X_OK) == 0) return found;
    folders = colon == std::string_view::npos ? "" : folders.substr(colon + 1);
  }
  throw Refusal(name + ": there is no such program in PATH");
}

// ---- what programs may call of the launcher ----

int my_rank(int* to) {
  *to = rank();
  return 0;
}
// A virtual rank that is pinned stays; 0: it has moved.
int move_to(int to) {
  try {
    this_thread::migrate(to);
    return 0;
  } catch (const Error&) {
    return 1;
  }
}
int yield_and_move() {
  this_thread::yield();
  move_to((rank() + 1) % ranks());
  return 0;
}

void add_own_calls(bool moves) {
  add_launcher_call("AMPI_My_pe", &my_rank);
  add_launcher_call("AMPI_Migrate_to_pe", &move_to);
  if (moves) add_launcher_call("sched_yield", &yield_and_move);
}

// ---- the virtual ranks ----

std::vector<std::string> environment_of(int number, int count) {
  std::vector<std::string> lines;
  for (char** line = environ; *line != nullptr; ++line) {
    if (std::strncmp(*line, "ROAM_VIRTUAL_RANK", 17) != 0) lines.emplace_back(*line);
  }
  lines.push_back("ROAM_VIRTUAL_RANK=" + std::to_string(number));
  lines.push_back("ROAM_VIRTUAL_RANKS=" + std::to_string(count));
  return lines;
}

const Layout* layout_here = nullptr;  // of this process

// How a virtual rank ended, for who joins its thread.
struct Failed {
  int status;
};

void run_one(int number, int count, const std::vector<std::string>& arguments) {
  int status;
  {
    Image image(*layout_here, arguments, environment_of(number, count));
    status = run_program(&image);
  }
  if (status != 0) throw Failed{status};
}

// The status of the first that failed, as mpiexec gives one of many.
int run_all(const Request& request) {
  if (const std::string why = files_that_differ(layout_here); !why.empty()) {
    std::fprintf(stderr, "run_images: %s\n", why.c_str());
    return 2;
  }
  const int count = request.virtual_ranks != 0 ? request.virtual_ranks : ranks();
  std::vector<Thread> threads;
  for (int i = 0; i < count; ++i) {
    const std::string name = "virtual rank " + std::to_string(i);
    const int home = static_cast<int>(std::int64_t{i} * ranks() / count);
    threads.push_back(
        spawn(SpawnOptions{.name = name, .stack_bytes = request.stack_bytes, .rank = home}, run_one,
              i, count, request.arguments));
  }
  int status = 0;
  for (const Thread& thread : threads) {
    try {
      thread.join();
    } catch (const Failed& failed) {
      if (status == 0) status = failed.status;
    }
  }
  return status;
}

// Kept to the end of the process: images refer to them.
const Layout& prepare(const Request& request) {
  add_entry_calls();
  add_process_calls();
  add_signal_calls();
  add_descriptor_calls();
  add_key_calls();
  add_option_calls();
  add_state_calls();
  add_own_calls(request.moves);
  const auto* set = new ModuleSet(find_program(request.arguments[0]), request.rule);
  const auto* layout = new Layout(*set);
  set_layout(layout);
  // What libc says of the program, in a message of assert, is not said of the launcher.
  program_invocation_name = strdup(request.arguments[0].c_str());
  program_invocation_short_name = strdup(std::string(set->program().name()).c_str());
  return *layout;
}

int run_main(int argc, char** argv) {
  Request request;
  try {
    request = read_request(argc, argv);
    layout_here = &prepare(request);
  } catch (const Refusal& refusal) {
    // The others have the same to say, and are ended with this one, unless their files differ.
    const bool is_first = runtime::speaks_for_all();
    if (!is_first) usleep(500'000);
    std::fprintf(stderr, "run_images: %s\n", refusal.what());
    if (!is_first) {
      runtime::find_launcher();
      runtime::tell_launcher(2, false);
    }
    return 2;
  }
  return run(argc, argv, [request] { return run_all(request); });
}

}  // namespace
}  // namespace roam::mpi

int main(int argc, char** argv) { return roam::mpi::run_main(argc, argv); }
