// Calls that are given a path below /proc: the virtual rank's folder there, which goes by its own
// number, is the process's; the program there (exe) is the virtual rank's and not the launcher.

#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "mpi/image/image.h"
#include "mpi/image/of_process.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

// The arguments of all of these are pointers and integers, at most six, handed on as they are.
using Real = long (*)(long, long, long, long, long, long);

struct Call {
  const char* name;
  int path;  // which argument it is
  PathUse use = PathUse::kFollows;
};
constexpr Call kCalls[] = {
    {"open", 1},
    {"open64", 1},
    {"__open", 1},
    {"__open64", 1},
    {"__open_2", 1},
    {"__open64_2", 1},
    {"openat", 2},
    {"openat64", 2},
    {"__openat_2", 2},
    {"__openat64_2", 2},
    {"fopen", 1},
    {"fopen64", 1},
    {"_IO_fopen", 1},
    {"opendir", 1},
    {"readlink", 1, PathUse::kReads},
    {"readlinkat", 2, PathUse::kReads},
    {"__readlink_chk", 1, PathUse::kReads},
    {"__readlinkat_chk", 2, PathUse::kReads},
    {"realpath", 1},
    {"stat", 1},
    {"stat64", 1},
    {"lstat", 1, PathUse::kStays},
    {"lstat64", 1, PathUse::kStays},
    {"fstatat", 2, PathUse::kHasFlags4},
    {"fstatat64", 2, PathUse::kHasFlags4},
    {"statx", 2, PathUse::kHasFlags3},
    {"access", 1},
    {"euidaccess", 1},
    {"faccessat", 2},
    {"scandir", 1},
    {"canonicalize_file_name", 1},
    {"__realpath_chk", 1},
    {"posix_spawn", 2},
    {"posix_spawnp", 2},
};
constexpr std::size_t kCount = std::size(kCalls);
Real real_calls[kCount];

constexpr std::string_view kFolder = "/proc/", kOwnFolder = "/proc/self", kThreads = "/task/";

// What comes behind `own number` at the beginning of `text`; null: it does not begin so.
const char* behind_own_number(const char* text) {
  char* end = nullptr;
  const unsigned long number = std::strtoul(text, &end, 10);
  const bool is_own = number == static_cast<unsigned long>(Image::running()->process_number());
  return is_own && (*end == '/' || *end == '\0') ? end : nullptr;
}

// Of the running virtual rank's program, as the kernel has it of a process: without links.
const std::string& path_of_program() {
  static constinit OfProcess<std::string> known;
  const auto path = known.use();
  if (path->empty()) {
    const std::string& given = Image::running()->layout().set().program().whole_path();
    char* const real = ::realpath(given.c_str(), nullptr);
    *path = real != nullptr ? real : given;
    std::free(real);
  }
  return *path;
}

// `path` as the kernel knows it, in `own`, if it goes through the running virtual rank's own folder
// of /proc or of its thread, by their number; else null.
const char* through_own_folder(const char* path, char (&own)[PATH_MAX]) {
  if (path == nullptr || std::strncmp(path, kFolder.data(), kFolder.size()) != 0) return nullptr;
  const char* rest = behind_own_number(path + kFolder.size());
  const bool by_number = rest != nullptr;
  if (!by_number && std::strncmp(path, kOwnFolder.data(), kOwnFolder.size()) == 0)
    rest = path + kOwnFolder.size();
  if (rest == nullptr) return nullptr;
  const char* behind_thread = nullptr;
  if (std::strncmp(rest, kThreads.data(), kThreads.size()) == 0)
    behind_thread = behind_own_number(rest + kThreads.size());
  if (behind_thread == nullptr && !by_number) return nullptr;
  if (behind_thread != nullptr) {
    std::snprintf(own, sizeof own, "/proc/thread-self%s", behind_thread);
  } else {
    std::snprintf(own, sizeof own, "%s%s", kOwnFolder.data(), rest);
  }
  return own;
}

bool is_own_program(std::string_view path) {
  return path == "/proc/self/exe" || path == "/proc/thread-self/exe";
}

template <std::size_t kIndex>
long with_path(long a, long b, long c, long d, long e, long f) {
  const OwnPath own(kCalls[kIndex].path, kCalls[kIndex].use, {a, b, c, d, e, f});
  if (own.answer.has_value()) return *own.answer;
  const auto& now = own.arguments;
  return real_calls[kIndex](now[0], now[1], now[2], now[3], now[4], now[5]);
}

// Where the kernel has put the program, and by which name it was started.
unsigned long auxiliary_value(unsigned long type) {
  Image* const image = Image::running();
  const ElfFile& program = image->layout().set().program();
  switch (type) {
    case AT_EXECFN:
      return reinterpret_cast<unsigned long>(
          image->libc_state().texts.keep(program.path().c_str()));
    case AT_PHDR:
      return image->at<unsigned long>(0, program.header().e_phoff);
    case AT_PHNUM:
      return program.header().e_phnum;
    case AT_ENTRY:
      return image->at<unsigned long>(0, program.header().e_entry);
    default:
      return ::getauxval(type);
  }
}

template <std::size_t kIndex>
void add_one() {
  const void* const ours = launcher_call(kCalls[kIndex].name);
  real_calls[kIndex] =
      as_function<Real>(ours != nullptr ? ours : process_symbol(kCalls[kIndex].name, {}));
  if (real_calls[kIndex] != nullptr) add_launcher_call(kCalls[kIndex].name, &with_path<kIndex>);
}
template <std::size_t... kIndex>
void add_all(std::index_sequence<kIndex...>) {
  (add_one<kIndex>(), ...);
}

}  // namespace

OwnPath::OwnPath(int argument, PathUse use, const std::array<long, 6>& given) : arguments(given) {
  long& path = arguments[static_cast<std::size_t>(argument) - 1];
  const auto* text = reinterpret_cast<const char*>(path);
  if (text == nullptr || std::strncmp(text, kFolder.data(), kFolder.size()) != 0) return;
  if (through_own_folder(text, room_) != nullptr) {
    text = room_;
    path = reinterpret_cast<long>(text);
  }
  if (!is_own_program(text)) return;
  const int flags = use == PathUse::kHasFlags3   ? static_cast<int>(given[2])
                    : use == PathUse::kHasFlags4 ? static_cast<int>(given[3])
                                                 : 0;
  if (use == PathUse::kStays || (flags & AT_SYMLINK_NOFOLLOW) != 0) return;
  const std::string& program = path_of_program();
  if (use != PathUse::kReads) {
    path = reinterpret_cast<long>(program.c_str());
    return;
  }
  const auto* next = &arguments[static_cast<std::size_t>(argument)];
  const std::size_t bytes = std::min(program.size(), static_cast<std::size_t>(next[1]));
  if (bytes == 0) return;  // an error, as of any link
  std::memcpy(reinterpret_cast<char*>(next[0]), program.data(), bytes);
  answer = static_cast<long>(bytes);
}

void add_own_path_calls() {
  add_all(std::make_index_sequence<kCount>());
  for (const char* name : {"getauxval", "__getauxval"}) add_launcher_call(name, &auxiliary_value);
}

}  // namespace roam::mpi
