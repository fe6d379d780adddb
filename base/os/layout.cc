#include "base/os/layout.h"

#include <cpuid.h>
#include <elf.h>
#include <link.h>
#include <sys/personality.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/text.h"

namespace roam::os {
namespace {

constexpr std::string_view kModule = "module ", kAt = " at ", kBuild = ", build-id ";

Layout found = Layout::kRandom;

// Runs before main and before MPI: MPI's launcher connection does not survive an exec after
// MPI_Init. Priority 101 is the first that a program may use, so that no constructor of the user's
// runs twice with effects.
[[gnu::constructor(101)]] void fix_layout(int, char** argv, char**) {
  const int now = personality(0xffffffff);
  if (now >= 0 && (now & ADDR_NO_RANDOMIZE) != 0) {
    found = Layout::kFixed;
    unsetenv(
        "ROAM_REEXECED");  // a child of this program that is laid out at random may try for itself
    return;
  }
  const char* wanted = std::getenv("ROAM_REEXEC");
  if (wanted != nullptr && std::strcmp(wanted, "0") == 0) return;
  // Under Valgrind /proc/self/exe is Valgrind itself.
  const char* preload = std::getenv("LD_PRELOAD");
  if (preload != nullptr && std::strstr(preload, "vgpreload") != nullptr) return;
  if (now < 0 || personality(static_cast<unsigned long>(now) | ADDR_NO_RANDOMIZE) < 0 ||
      (personality(0xffffffff) & ADDR_NO_RANDOMIZE) == 0) {
    found = Layout::kDenied;
    return;
  }
  if (std::getenv("ROAM_REEXECED") != nullptr)
    return;  // the kernel took the flag and dropped it: do not loop
  setenv("ROAM_REEXECED", "1", 1);
  // By its own path, so that ps and pgrep show the program's name; by the link if that is gone.
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n > 0) {
    path[n] = '\0';
    execv(path, argv);
  }
  execv("/proc/self/exe", argv);
  found = Layout::kDenied;  // no /proc, or the file is gone
}

std::string build_id(const dl_phdr_info& info) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info.dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    const char* at = reinterpret_cast<const char*>(info.dlpi_addr + header.p_vaddr);
    const char* end = at + header.p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof note);
      const char* name = at + sizeof note;
      const char* bytes = name + ((note.n_namesz + 3) & ~3u);
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
          std::memcmp(name, "GNU", 4) == 0) {
        std::string id;
        for (unsigned b = 0; b < note.n_descsz; ++b) {
          id += text("%02x", static_cast<unsigned char>(bytes[b]));
        }
        return id;
      }
      at = bytes + ((note.n_descsz + 3) & ~3u);
    }
  }
  return "none";
}

int add_module(dl_phdr_info* info, size_t, void* facts) {
  char path[4096];
  const char* name = info->dlpi_name;
  if (name[0] == '\0') {
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    name = path;
  }
  static_cast<std::vector<std::string>*>(facts)->push_back(
      text("%s%s%s0x%lx%s%s", kModule.data(), name, kAt.data(),
           static_cast<unsigned long>(info->dlpi_addr), kBuild.data(), build_id(*info).c_str()));
  return 0;
}

// The modules as they were before main: what MPI loads later by dlopen is never in a thread's
// frames.
std::vector<std::string>& start_modules() {
  static std::vector<std::string> modules;
  return modules;
}
[[gnu::constructor(102)]] void note_modules() { dl_iterate_phdr(add_module, &start_modules()); }

}  // namespace

Layout layout() { return found; }

const char* layout_cure() {
  switch (found) {
    case Layout::kFixed:
      return "Start the same binary with the same libraries, library paths and stack limit (ulimit "
             "-s) on every "
             "rank.";
    case Layout::kRandom:
      return "Address randomisation is on: unset ROAM_REEXEC, or start each rank under `setarch "
             "-R`.";
    case Layout::kDenied:
      return "Address randomisation is on and the kernel refuses to switch it off for this process "
             "(usual in "
             "containers: run them with a seccomp profile that allows personality(2)); or start "
             "each rank under "
             "`setarch -R`, or set kernel.randomize_va_space=0.";
  }
  return "";
}

std::vector<std::string> layout_facts() {
  std::vector<std::string> facts = start_modules();
  facts.push_back(text("thread-local storage at %p", __builtin_thread_pointer()));
  facts.push_back(text("errno at %p", static_cast<void*>(&errno)));
  unsigned a = 0, b = 0, c = 0, d = 0;
  __get_cpuid_count(1, 0, &a, &b, &c, &d);
  // Leaf 1 ebx holds the core's number and ecx bit 27 whether the OS uses xsave: only feature bits
  // count.
  facts.push_back(text("cpu features 1: %08x %08x", c, d));
  __get_cpuid_count(7, 0, &a, &b, &c, &d);
  facts.push_back(text("cpu features 7: %08x %08x %08x", b, c, d));
  return facts;
}

std::optional<ModuleFact> module_of(const std::string& fact) {
  const std::size_t build = fact.rfind(kBuild);
  const std::size_t at = fact.rfind(kAt, build);
  if (!fact.starts_with(kModule) || build == std::string::npos || at == std::string::npos)
    return std::nullopt;
  return ModuleFact{fact.substr(kModule.size(), at - kModule.size()),
                    fact.substr(at + kAt.size(), build - at - kAt.size()),
                    fact.substr(build + kBuild.size())};
}

bool is_same_fact(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const std::optional<ModuleFact> one = module_of(a), other = module_of(b);
  return one && other && *one == *other;
}

}  // namespace roam::os
