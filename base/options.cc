#include "base/options.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <vector>

#include "base/sanitizers.h"
#include "base/text.h"
#include "roam/error.h"

namespace roam {
namespace {

struct Option {
  const char* name;
  const char* allowed;
  const char* help;
  std::function<bool(Options&, const std::string&)> set;
};

bool parse_int(const std::string& s, long long low, long long high, long long* value) {
  if (s.empty() || s[0] < '0' || s[0] > '9') return false;
  char* end = nullptr;
  errno = 0;
  const long long number = std::strtoll(s.c_str(), &end, 10);
  if (errno != 0 || end != s.c_str() + s.size() || number < low || number > high) return false;
  *value = number;
  return true;
}

template <class T>
std::function<bool(Options&, const std::string&)> whole(T Options::*field, long long low,
                                                        long long high) {
  return [=](Options& options, const std::string& s) {
    long long value = 0;
    if (!parse_int(s, low, high, &value)) return false;
    options.*field = static_cast<T>(value);
    return true;
  };
}

std::function<bool(Options&, const std::string&)> bytes(std::size_t Options::*field) {
  return [=](Options& options, const std::string& s) {
    unsigned long long value = 0;
    if (!parse_bytes(s, &value)) return false;
    options.*field = value;
    return true;
  };
}

bool one_of(const std::string& s, std::initializer_list<const char*> allowed) {
  return std::find(allowed.begin(), allowed.end(), s) != allowed.end();
}

constexpr unsigned long long kArenaAlignment = std::size_t{1} << 30;
constexpr unsigned long long kArenaLeast = 64 << 20;

bool set_arena(Options& options, const std::string& s) {
  const std::size_t comma = s.find(',');
  unsigned long long base = 0, size = 0;
  if (comma == std::string::npos || !parse_bytes(s.substr(0, comma), &base) ||
      !parse_bytes(s.substr(comma + 1), &size)) {
    return false;
  }
  if (base == 0 || base % kArenaAlignment != 0 || size < kArenaLeast || size % (1 << 20) != 0)
    return false;
  if (base + size > (1ull << 47) - (1ull << 40)) return false;
  options.arena_base = base;
  options.arena_bytes = size;
  return true;
}

// "60s", "5m", "2h", or seconds.
bool parse_seconds(std::string s, long long low, long long* value) {
  long long unit = 1;
  if (!s.empty()) {
    unit = s.back() == 'm' ? 60 : s.back() == 'h' ? 3600 : 1;
    if (unit != 1 || s.back() == 's') s.pop_back();
  }
  constexpr long long kMost = 1'000'000'000;
  if (!parse_int(s, 0, kMost / unit, value)) return false;
  *value *= unit;
  return *value >= low;
}

// A piece may be in so many files, each of which has a name in a folder or at a keeper.
constexpr long long kMostUntilFull = 1000;

// "zstd", "zstd:LEVEL", or "off". Levels above take much memory, and gain nothing in short frames.
bool parse_compression(const std::string& s, int* level) {
  constexpr int kDefault = 1;
  constexpr long long kLeast = 50, kMost = 19;
  const std::string name = "zstd";
  long long value = 0;
  if (s == "off" || s == name) {
    *level = s == name ? kDefault : 0;
    return true;
  }
  if (!s.starts_with(name + ":")) return false;
  const bool negative = s.substr(name.size() + 1).starts_with("-");
  if (!parse_int(s.substr(name.size() + (negative ? 2 : 1)), 1, negative ? kLeast : kMost, &value))
    return false;
  *level = static_cast<int>(negative ? -value : value);
  return true;
}

// Of a value that has parts the one that is not allowed.
struct WrongPart {
  std::string part;
};

bool set_checkpoint(Options& options, const std::string& s) {
  std::size_t comma = s.find(',');
  options.checkpoint_dir = s.substr(0, comma);
  while (comma != std::string::npos) {
    const std::size_t begin = comma + 1;
    comma = s.find(',', begin);
    const std::string part =
        s.substr(begin, comma == std::string::npos ? std::string::npos : comma - begin);
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos) throw WrongPart{part};
    const std::string name = part.substr(0, equals), text = part.substr(equals + 1);
    long long value = 0;
    if (name == "every" && parse_seconds(text, 1, &value)) {
      options.checkpoint_every_s = static_cast<int>(value);
    } else if (name == "keep" && parse_int(text, 1, 1'000'000, &value)) {
      options.checkpoint_keep = static_cast<int>(value);
    } else if (name == "full" && parse_int(text, 1, kMostUntilFull, &value)) {
      options.checkpoint_full = static_cast<int>(value);
    } else if (name == "disk" && parse_int(text, 0, 1'000'000, &value)) {
      options.checkpoint_disk = static_cast<int>(value);
    } else if (name == "memory" && (text == "on" || text == "off")) {
      options.checkpoint_memory = text == "on";
    } else if (name == "compress" && parse_compression(text, &options.checkpoint_compression)) {
      continue;
    } else if (name == "wait" && parse_seconds(text, 0, &value)) {
      options.checkpoint_wait_s = static_cast<int>(value);
    } else {
      throw WrongPart{part};
    }
  }
  if (options.checkpoint_every_s != 0 && options.checkpoint_dir.empty())
    throw WrongPart{"every= without a folder before it"};
  return true;
}

bool set_restart(Options& options, const std::string& s) {
  const std::size_t comma = s.find(',');
  options.restart_dir = s.substr(0, comma);
  if (comma != std::string::npos) {
    const std::string of = s.substr(comma + 1);
    if (of != "of=others" && of != "of=me") return false;
    options.restart_of_others = of == "of=others";
  }
  return !options.restart_dir.empty();
}

const std::vector<Option>& table() {
  static const std::vector<Option> options = {
      {"ROAM_NODE_RANKS", "a whole number of ranks, 0 or more",
       "cut each machine into nodes of so many ranks; 0 (the default): all ranks that share memory "
       "are a node, of 240 at most",
       whole(&Options::node_ranks, 0, 1 << 24)},
      {"ROAM_ARENA",
       "BASE,SIZE: BASE a multiple of 1G, SIZE a multiple of 1M from 64M, below 2^47 - 2^40",
       "address range of all stacks and heaps, the same on every rank; default 0x200000000000,48T, "
       "less under a "
       "sanitizer or Valgrind",
       set_arena},
      {"ROAM_VERBOSE", "0, 1 or 2",
       "1 prints what was found at start and counts at the end, 2 every migration",
       whole(&Options::verbose, 0, 2)},
      {"ROAM_MEMORY", "bytes, with K, M, G or T",
       "most memory that a node's stacks, heaps and copies of messages may use; what would pass it "
       "gets no memory, and a thread is refused; 0: no limit",
       bytes(&Options::memory_bytes)},
      {"ROAM_UNRECEIVED", "bytes, with K, M, G or T",
       "messages that lie unreceived with a member of a team before who sends more to it waits; "
       "default 256M, or an eighth of ROAM_MEMORY if that is less; 0: no bound",
       bytes(&Options::unreceived_bytes)},
      {"ROAM_CHECKPOINT",
       "DIR,every=TIME,keep=NUMBER,full=NUMBER,memory=on,disk=NUMBER,wait=TIME,"
       "compress=zstd:LEVEL: TIME as 90, 90s, 5m or 2h; LEVEL from -50 to 19 without 0, or zstd "
       "alone; each part but DIR may be left out, DIR too without every",
       "makes a checkpoint of the job in the folder DIR from time to time; of all that are made in "
       "one folder the newest NUMBER are kept (default 2), each so-manieth is full (default 10, at "
       "most 1,000), "
       "the "
       "others have what changed, and what is in the way of one, such as an open file, is waited "
       "for so long (default 10s); memory=on keeps the newest in memory that outlives the job, and "
       "writes each so-manieth (default 10; 0: none) to DIR too; compress=zstd compresses what is "
       "written to DIR",
       set_checkpoint},
      {"ROAM_RESTART", "DIR, a folder with checkpoints, or DIR,of=others",
       "goes on from the newest whole checkpoint there, with any number of ranks; of=others: also "
       "where it belongs to another user, whose program it then is that runs",
       set_restart},
      {"ROAM_RECORD", "a file that is not there yet, where all ranks can write",
       "how the job ended, for who started it: a line of JSON, which is there when the job has "
       "ended, unless it was killed",
       [](Options& options, const std::string& s) {
         options.record = s;
         return s.size() < 4000;
       }},
      {"ROAM_KEEPER", "a program",
       "the roam-keeper that holds checkpoints in memory; default: the one that is installed with "
       "this library",
       [](Options& options, const std::string& s) {
         options.keeper = s;
         return !s.empty();
       }},
      {"ROAM_KEEP", "bytes, with K, M, G or T",
       "memory that a rank keeps for reuse after it was freed; default 512M",
       bytes(&Options::keep_bytes)},
      {"ROAM_EAGER", "bytes up to 256K",
       "a thread whose image is no larger goes as one message; default 24K",
       [](Options& options, const std::string& s) {
         return bytes(&Options::eager_bytes)(options, s) && options.eager_bytes <= 256 << 10;
       }},
      {"ROAM_REEXEC", "0 or 1",
       "0: do not start the program again without address randomisation (then start it under "
       "setarch -R)",
       whole(&Options::reexec, 0, 1)},
      {"ROAM_HUGE", "0, 1 or 2",
       "1: blocks of 4 MiB and more are made of huge pages, where the kernel allows it; 0: they "
       "are "
       "not; 2 (the default): they are if /sys/kernel/mm/transparent_hugepage/enabled is "
       "\"always\"",
       whole(&Options::huge, 0, 2)},
      {"ROAM_GUARDS", "madvise, mprotect or none",
       "how memory is made to fault that must not be touched: below a stack, freed, or on another "
       "node; default: madvise, which needs Linux 6.15, else mprotect. docs/manual.md says what is "
       "not noticed then",
       [](Options& options, const std::string& s) {
         options.guards = s;
         return one_of(s, {"madvise", "mprotect", "none"});
       }},
      {"ROAM_SINGLE", "0 or 1",
       "1: a job of one rank, though the launcher says that it started several processes",
       whole(&Options::single, 0, 1)},
      {"ROAM_SHARE", "0 or 1", "0: every rank is a node of its own, with private memory",
       whole(&Options::share, 0, 1)},
      {"ROAM_BALANCE",
       "auto, off, or none, greedy, refine, greedy-refine, comm, diffusion, hierarchical, rotate, "
       "random",
       "auto: teams are balanced at their collectives when it pays, and idle ranks pull ready "
       "members from others of their node; off: nothing moves, not even at Team::balance(); else "
       "the strategy of Team::balance(). Default: Team::balance() chooses one",
       [](Options& options, const std::string& s) {
         options.balance = s;
         return one_of(s, {"auto", "off", "none", "greedy", "refine", "greedy-refine", "comm",
                           "diffusion", "hierarchical", "rotate", "random"});
       }},
      {"ROAM_LOAD_MODEL", "best, last, smoothed or trend",
       "how a member's load in the next step is foretold from what was measured; best (the "
       "default): by the one of the others that would have been nearest so far",
       [](Options& options, const std::string& s) {
         options.load_model = s;
         return one_of(s, {"best", "last", "smoothed", "trend"});
       }},
      {"ROAM_BALANCE_TABLE", "the beginning of a file's name",
       "writes what each plan of a team's balancing is made from to FILE.TEAM.NUMBER, for "
       "bench/balance_sim; the strategy diffusion has no such table",
       [](Options& options, const std::string& s) {
         options.balance_table = s;
         return true;
       }},
      {"ROAM_SHUFFLE", "a whole number, 0 or more",
       "seed that picks the next ready thread at random, to find order assumptions; 0 (the "
       "default): FIFO",
       whole(&Options::seed, 0, INT64_MAX)},
      {"ROAM_TRACE", "a file that rank 0 can write",
       "records the run there, for ui.perfetto.dev, chrome://tracing and tools/roam-report",
       [](Options& options, const std::string& s) {
         options.trace = s;
         return true;
       }},
      {"ROAM_CHECK", "pointers, or nothing",
       "pointers: looks, whenever a thread leaves a rank or ends, for pointers that will mean "
       "nothing: out of the thread into the process's memory, and out of libraries into the "
       "thread's; slow",
       [](Options& options, const std::string& s) {
         options.check_pointers = true;
         return one_of(s, {"pointers"});
       }},
      {"ROAM_STOPPED", "a whole number of seconds, 0 or more",
       "a line says so when a call of a thread has stopped its rank for so long, and others could "
       "run; default 10; 0: never",
       whole(&Options::stopped_s, 0, 1'000'000)},
      {"ROAM_PROGRESS", "a whole number of seconds, 0 or more",
       "rank 0 prints a line about the job once in so many seconds; 0 (the default): never",
       whole(&Options::progress_s, 0, 1'000'000)},
  };
  return options;
}

}  // namespace

Options read_options() {
  Options options;
  options.arena_bytes = std::min(options.arena_bytes, sanitizers::most_arena_bytes());
  for (const Option& option : table()) {
    const char* value = std::getenv(option.name);
    if (value == nullptr || *value == '\0') continue;
    std::string part;
    try {
      if (option.set(options, value)) continue;
    } catch (const WrongPart& wrong) {
      part = "'" + wrong.part + "' is not allowed; ";
    }
    throw Error(Errc::bad_option, text("%s=%s: %sallowed is %s. Correct it or unset it.",
                                       option.name, value, part.c_str(), option.allowed));
  }
  return options;
}

std::string options_help() {
  std::string help = "Options of Roam, as environment variables:\n";
  for (const Option& option : table()) {
    help +=
        text("  %-16s %s\n  %-16s   allowed: %s\n", option.name, option.help, "", option.allowed);
  }
  help += text("  %-16s %s\n", "ROAM_HELP", "1 prints this list and ends the program");
  return help;
}

}  // namespace roam
