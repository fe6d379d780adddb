#include "base/job_record.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <initializer_list>

#include "base/check.h"
#include "base/os/callers.h"

namespace roam::job_record {
namespace {

// Of the kernel's own calls: the library's let threads run, and may be taken over by the program.
long call_open(const char* path, int flags) {
  return syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

constexpr std::size_t kPathBytes = 4096;
char path[kPathBytes];  // empty: no record is wanted
pid_t process = 0;
int rank = -1;  // of the job, once it has begun

// Whoever writes has it for good, but after an end with code 0.
std::atomic<int> writer{0};  // its kernel thread; 0: nobody
std::atomic<bool> written{false};
std::atomic<bool> of_good_end{false};

char noted[600];

constexpr char kGoodEnd[] = "{\"kind\": \"ended\", \"code\": 0,";

// It must know before main, for what ends there ends too; and before other constructors ask.
[[gnu::constructor(101)]] void find() {
  const char* name = std::getenv("ROAM_RECORD");
  if (name == nullptr || *name == '\0') return;
  std::size_t n = 0;
  if (*name != '/') {
    if (getcwd(path, sizeof path - 1) == nullptr) return;
    n = std::strlen(path);
    path[n++] = '/';
  }
  if (n + std::strlen(name) + 40 > sizeof path) {  // room for what parts are called
    path[0] = '\0';
    return;
  }
  std::strcpy(path + n, name);
  process = getpid();
}

// Bytes of the UTF-8 character that `s` begins with; 0 where it is none, or is cut.
int character_bytes(const char* s) {
  const auto* c = reinterpret_cast<const unsigned char*>(s);
  if (c[0] < 0x80) return 1;
  if (c[0] < 0xc2 || c[0] > 0xf4) return 0;
  const int bytes = c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
  for (int i = 1; i < bytes; ++i) {
    if ((c[i] & 0xc0) != 0x80) return 0;
  }
  // Longer than it needs to be, half of a pair of UTF-16, or beyond the last.
  const bool wrong = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] >= 0xa0) ||
                     (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] >= 0x90);
  return wrong ? 0 : bytes;
}

// A line that is made of parts. Strings are cut where it has no room for what may follow.
class Line {
 public:
  void raw(const char* s) {
    while (*s != '\0') put(*s++);
  }
  void number(long long value) {
    char digits[24];
    std::snprintf(digits, sizeof digits, "%lld", value);
    raw(digits);
  }
  // As JSON has strings, which are UTF-8: what is none is shown as `?`.
  void quoted(const char* s) {
    put('"');
    for (int bytes = 0; *s != '\0' && bytes_ < sizeof room_ - kKeptBytes; s += std::max(bytes, 1)) {
      bytes = character_bytes(s);
      const unsigned char c = static_cast<unsigned char>(*s);
      if (c == '"' || c == '\\') {
        put('\\');
        put(*s);
      } else if (c < 0x20) {
        char code[8];
        std::snprintf(code, sizeof code, "\\u%04x", c);
        raw(code);
      } else if (bytes == 0) {
        put('?');
      } else {
        for (int i = 0; i < bytes; ++i) put(s[i]);
      }
    }
    put('"');
  }
  const char* data() const { return room_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void put(char c) {
    if (bytes_ < sizeof room_) room_[bytes_++] = c;
  }
  static constexpr std::size_t kKeptBytes = 512;  // for names of fields, numbers and the end
  char room_[4096];
  std::size_t bytes_ = 0;
};

bool write_file(const char* name, const char* data, std::size_t bytes, int flags) {
  const long fd = call_open(name, O_WRONLY | flags);
  if (fd < 0) return false;
  const long done = syscall(SYS_write, fd, data, bytes);
  bool good = done == static_cast<long>(bytes);
  if (good && (flags & O_TRUNC) == 0) good = syscall(SYS_ftruncate, fd, done) == 0;
  return syscall(SYS_close, fd) == 0 && good;
}
bool write_file(const char* name, const char* data, std::size_t bytes) {
  return write_file(name, data, bytes, O_CREAT | O_TRUNC);
}

// Where the disk is full: who started the job may have left a file with room for a record.
bool write_into_room(const char* name, const char* data, std::size_t bytes) {
  char room[kPathBytes + 64];
  std::snprintf(room, sizeof room, "%s.room", path);
  return syscall(SYS_renameat, AT_FDCWD, room, AT_FDCWD, name) == 0 &&
         write_file(name, data, bytes, 0);
}

bool good_end_is_there() {
  char begin[sizeof kGoodEnd - 1];
  const long fd = call_open(path, O_RDONLY);
  if (fd < 0) return false;
  const long got = syscall(SYS_read, fd, begin, sizeof begin);
  syscall(SYS_close, fd);
  return got == static_cast<long>(sizeof begin) && std::memcmp(begin, kGoodEnd, sizeof begin) == 0;
}

void put_in_place(const Line& line) {
  char part[kPathBytes + 64];
  std::snprintf(part, sizeof part, "%s.%ld.%ld", path, syscall(SYS_getpid), syscall(SYS_gettid));
  bool there = write_file(part, line.data(), line.bytes()) ||
               write_into_room(part, line.data(), line.bytes());
  if (there) {
    // A link fails where somebody was first; some file systems have none.
    if (syscall(SYS_linkat, AT_FDCWD, part, AT_FDCWD, path, 0) != 0 &&
        (errno != EEXIST || good_end_is_there()))
      there = syscall(SYS_renameat, AT_FDCWD, part, AT_FDCWD, path) == 0;
  }
  syscall(SYS_unlinkat, AT_FDCWD, part, 0);
  if (!there) report("the record of how the job ended, ROAM_RECORD, could not be written");
}

// Whether this kernel thread is to write. Who is not waits: it would end the process.
bool my_turn() {
  if (!wanted()) return false;
  const int me = static_cast<int>(syscall(SYS_gettid));
  int nobody = 0;
  if (writer.compare_exchange_strong(nobody, me)) return true;
  if (of_good_end.exchange(false)) return true;
  for (int i = 0; i < 1000 && nobody != me && !written; ++i) {
    const timespec ms{0, 1'000'000};
    syscall(SYS_nanosleep, &ms, nullptr);
  }
  return false;
}

void begin(Line& line, const char* kind, int code) {
  char where[160] = "";
  if (fatal_hooks.describe != nullptr) fatal_hooks.describe(where, sizeof where);
  line.raw("{\"kind\": ");
  line.quoted(kind);
  line.raw(", \"code\": ");
  line.number(code & 0xff);
  line.raw(", \"where\": ");
  line.quoted(where);
}

void end(Line& line) {
  line.raw(", \"process\": ");
  line.number(process);
  line.raw("}\n");
  const int error = errno;
  put_in_place(line);
  errno = error;
  written = true;
}

Line line;  // the writer's: a stack of a handler is small

// Code of this process, as /proc/self/maps has it: what can be executed.
class CodeMap {
 public:
  void read() {
    const long fd = call_open("/proc/self/maps", O_RDONLY);
    if (fd < 0) return;
    std::size_t have = 0;
    for (long got; (got = syscall(SYS_read, fd, room_ + have, sizeof room_ - 1 - have)) > 0;) {
      have += static_cast<std::size_t>(got);
      room_[have] = '\0';
      have = keep_code();
    }
    room_[have] = '\0';
    syscall(SYS_close, fd);
  }

  // The file that the code at `pc` was mapped from and its place in that, which are the same in the
  // next job; an address, of code that is in no file. False: there is no code.
  bool place(std::uintptr_t pc, char* text, std::size_t bytes) const {
    for (const char* at = room_; at < room_ + kept_; at = std::strchr(at, '\n') + 1) {
      char* rest = nullptr;
      const std::uintptr_t low = std::strtoull(at, &rest, 16);
      const std::uintptr_t high = std::strtoull(rest + 1, &rest, 16);
      if (pc < low || pc >= high) continue;
      const std::uintptr_t offset = std::strtoull(rest + 6, nullptr, 16);  // behind the permissions
      const char* const end = std::strchr(at, '\n');
      const char* name = end;
      while (name > at && name[-1] != '/' && name[-1] != ' ') --name;
      if (name == end || name[-1] == ' ') {
        std::snprintf(text, bytes, "0x%zx", pc);
      } else {
        std::snprintf(text, bytes, "%.*s+0x%zx", static_cast<int>(end - name), name,
                      pc - low + offset);
      }
      return true;
    }
    return false;
  }

 private:
  // Of what was read: whole lines of code stay, and the beginning of the next line.
  std::size_t keep_code() {
    char* at = room_ + kept_;
    for (char* newline; (newline = std::strchr(at, '\n')) != nullptr;) {
      const auto bytes = static_cast<std::size_t>(newline + 1 - at);
      const char* permissions = std::strchr(at, ' ');
      if (permissions != nullptr && permissions + 3 < newline && permissions[3] == 'x') {
        std::memmove(room_ + kept_, at, bytes);
        kept_ += bytes;
      }
      at = newline + 1;
    }
    const std::size_t rest = std::strlen(at);
    std::memmove(room_ + kept_, at, rest);
    return kept_ + rest;
  }

  char room_[64 << 10] = "";
  std::size_t kept_ = 0;
};
CodeMap code;  // the writer's

bool is_in(const char* place, std::initializer_list<const char*> files) {
  for (const char* file : files) {
    if (std::strncmp(place, file, std::strlen(file)) == 0) return true;
  }
  return false;
}
bool is_in_libc(const char* place) { return is_in(place, {"libc.so", "ld-linux"}); }

// Copies what there is of a stack from `from` on, by the kernel: it may end. Returns the words.
long copy_stack(const void* from, std::uintptr_t* words, std::size_t bytes) {
  iovec here{words, bytes};
  iovec there{const_cast<void*>(from), bytes};
  // The last one is on the stack, where Clang leaves the upper half of an int as it was.
  const long got = syscall(SYS_process_vm_readv, process, &here, 1L, &there, 1L, 0L);
  return got > 0 ? got / static_cast<long>(sizeof *words) : 0;
}

std::uintptr_t stack[512];  // the writer's

// The first code on the stack from `from` on that is not libc's; with `behind_libc`, the first
// after some of libc's. False: none.
bool caller_of_libc(const void* from, bool behind_libc, char* place, std::size_t bytes) {
  bool wanted_now = !behind_libc;
  const long words = copy_stack(from, stack, sizeof stack);
  for (long i = 0; i < words; ++i) {
    if (!code.place(stack[i], place, bytes)) continue;
    const bool libc = is_in_libc(place);
    if (!libc && wanted_now) return true;
    wanted_now = wanted_now || libc;
  }
  return false;
}

constexpr int kMostCallers = 64;

// The same among the callers that the unwinder's tables tell of, which know what is left of older
// calls on the stack: of `pc`, which was interrupted, or, if it is 0, behind the first in libc.
// False: they do not lead so far.
bool caller_by_tables(std::uintptr_t pc, char* place, std::size_t bytes) {
  bool inside = false, found = false;
  os::for_each_caller(kMostCallers, [&](std::uintptr_t ip, bool) {
    const bool known = code.place(ip, place, bytes);
    const bool libc = known && is_in_libc(place);
    inside = inside || (pc != 0 ? ip == pc : libc);
    found = inside && known && !libc;
    return !found && (known || !inside);
  });
  return found;
}

// The place of a crash. abort() is always called at the same one: there it is who called it.
void put_place(Line& out, const ucontext_t& u, int signal) {
  code.read();
  char place[300], caller[300];
  const auto pc = static_cast<std::uintptr_t>(u.uc_mcontext.gregs[REG_RIP]);
  if (!code.place(pc, place, sizeof place)) std::snprintf(place, sizeof place, "0x%zx", pc);
  const void* top = reinterpret_cast<const void*>(u.uc_mcontext.gregs[REG_RSP]);
  const bool called = signal == SIGABRT && is_in_libc(place) &&
                      (caller_by_tables(pc, caller, sizeof caller) ||
                       caller_of_libc(top, false, caller, sizeof caller));
  out.quoted(called ? caller : place);
}

// MPI and what is below it: they end a process when they have lost another one.
bool is_in_mpi(const char* place) {
  return is_in(place, {"libmpich", "libmpi.", "libopen-", "libuc", "libpmi", "libprrte"});
}

// Of an end by exit or _exit.
void write_exit(const char* kind, int code) {
  line = Line();
  begin(line, kind, code);
  line.raw(", \"handler\": ");
  line.number(in_handler() ? 1 : 0);
  end(line);
}

void write(const char* kind, int code, const char* why) {
  line = Line();
  begin(line, kind, code);
  if (why != nullptr) {
    line.raw(", \"text\": ");
    char shorter[1600];
    std::snprintf(shorter, sizeof shorter, "%s", why);
    line.quoted(shorter);
  }
  end(line);
}

}  // namespace

bool wanted() { return path[0] != '\0' && getpid() == process; }

void began(int this_rank, int ranks) {
  if (!wanted()) return;
  rank = this_rank;
  if (rank != 0) return;
  char name[kPathBytes + 64], text[32];
  std::snprintf(name, sizeof name, "%s.began", path);
  const int n = std::snprintf(text, sizeof text, "%d\n", ranks);
  if (syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0)
    report("the file that ROAM_RECORD names is there already: it stays as it is");
  if (!write_file(name, text, static_cast<std::size_t>(n)))
    report("ROAM_RECORD names a file that cannot be written: how the job ends is not recorded");
}

void went_on(int this_rank, const char* from) {
  if (!wanted() || this_rank != 0) return;
  char name[kPathBytes + 64];
  std::snprintf(name, sizeof name, "%s.from", path);
  write_file(name, from, std::strlen(from));
}

void exits(int code) {
  if (rank > 0 && (code & 0xff) == 0) return;
  if (!my_turn()) return;
  write_exit(rank < 0 ? "exit" : "ended", code);
  of_good_end = rank == 0 && (code & 0xff) == 0;
}

void exits_early(int status, const void* caller) {
  if (!my_turn()) return;
  code.read();
  char place[300] = "";
  if (caller != nullptr) {
    code.place(reinterpret_cast<std::uintptr_t>(caller), place, sizeof place);
  } else if (!caller_by_tables(0, place, sizeof place) &&
             !caller_of_libc(__builtin_frame_address(0), true, place, sizeof place)) {
    place[0] = '\0';
  }
  write_exit(is_in_mpi(place) ? "lost" : "exit", status);
}

// What a signal interrupted is told by the address of an instruction, not of a call.
bool in_handler() {
  bool found = false;
  os::for_each_caller(kMostCallers, [&](std::uintptr_t, bool interrupted) {
    found = interrupted;
    return !found;
  });
  return found;
}

void fails(int code, const char* why) {
  if (my_turn()) write("error", code, why);
}

void fails(int code) { fails(code, noted); }

void loses(const char* why) {
  if (my_turn()) write("lost", 1, why);
}

void note(const char* message) {
  if (path[0] != '\0') std::snprintf(noted, sizeof noted, "%s", message);
}

void crashes(const siginfo_t& info, const void* context) {
  if (!my_turn()) return;
  const bool sent = info.si_code == SI_USER || info.si_code == SI_QUEUE || info.si_code == SI_TKILL;
  line = Line();
  begin(line, "crash", 128 + info.si_signo);
  line.raw(", \"signal\": ");
  line.number(info.si_signo);
  line.raw(", \"sender\": ");
  line.number(sent && info.si_pid != process ? info.si_pid : 0);
  line.raw(", \"place\": ");
  put_place(line, *static_cast<const ucontext_t*>(context), info.si_signo);
  line.raw(", \"text\": ");
  line.quoted(noted);
  end(line);
}

}  // namespace roam::job_record
