#include "mpi/image/checks.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "base/text.h"

namespace roam::mpi {
namespace {

constexpr std::string_view kSanitizerLibraries[] = {"libasan.", "libhwasan.", "liblsan.",
                                                    "libmsan.", "libtsan.",   "libubsan."};
// Clang's are linked into the program.
constexpr std::string_view kSanitizerSymbols[] = {"__asan_init", "__hwasan_init", "__msan_init",
                                                  "__tsan_init", "__ubsan_handle_type_mismatch_v1"};

// Of MPICH; Open MPI's are libmpi.so.40 and libmpi_*.so.40.
constexpr std::string_view kMpiLibraries[] = {"libmpi.so.", "libmpich.so."};
bool is_mpi_library(std::string_view name) {
  if (name.starts_with("libmpi_") && name.find(".so.40") != name.npos) return true;
  return std::any_of(std::begin(kMpiLibraries), std::end(kMpiLibraries),
                     [&](std::string_view mpi) { return name.starts_with(mpi); });
}
constexpr char kNoMpi[] =
    "run_images runs programs that call no MPI: run it with roam-mpi, which shares the calls out "
    "among virtual ranks";
// What gives memory: each virtual rank has its own of the launcher, by which it travels.
constexpr std::string_view kMemorySymbols[] = {"malloc",         "free",     "calloc",
                                               "realloc",        "memalign", "aligned_alloc",
                                               "posix_memalign", "valloc",   "pvalloc"};

[[noreturn]] void refuse_sanitizer(const ElfFile& file, std::string_view what) {
  file.refuse(
      text("it was built with a sanitizer (%.*s), which keeps one shadow of the process. "
           "Build it without -fsanitize",
           static_cast<int>(what.size()), what.data()));
}

void check_segments(const ElfFile& file) {
  Address readable_end = 0, writable_end = 0;
  for (const Elf64_Phdr& s : file.segments()) {
    if (s.p_type != PT_LOAD || s.p_memsz == 0) continue;
    const bool writable = (s.p_flags & PF_W) != 0;
    if (writable && (s.p_flags & PF_X) != 0) {
      file.refuse(
          "it has a segment that is writable and executable. Link it without -N and "
          "--omagic");
    }
    if (!writable && s.p_filesz != s.p_memsz) {
      file.refuse("it has a segment of constants that is larger than what the file has of it");
    }
    const Address begin = round_down(s.p_vaddr, kPageBytes);
    const Address end = round_up(s.p_vaddr + s.p_memsz, kPageBytes);
    if (begin < std::max(readable_end, writable_end)) {
      file.refuse(
          "two of its segments share a page, or are out of order. Link it with "
          "-z separate-code");
    }
    (writable ? writable_end : readable_end) = end;
  }
}

void check_file(const ElfFile& file) {
  if (file.has(DT_TEXTREL) || (file.value(DT_FLAGS) & DF_TEXTREL) != 0) {
    file.refuse(
        "it has relocations in its code (DT_TEXTREL), which has to be shared. Compile all "
        "of it with -fPIC or -fPIE, and do not link with -z notext");
  }
  for (const std::string_view library : file.needed()) {
    if (library.starts_with("libmpi.so.40")) {
      file.refuse(
          "it needs libmpi.so.40, so it was built with Open MPI, whose handles are others. "
          "Build it with MPICH's compilers: mpicc.mpich, mpicxx.mpich, mpif90.mpich");
    }
    for (const std::string_view sanitizer : kSanitizerLibraries) {
      if (library.starts_with(sanitizer)) refuse_sanitizer(file, library);
    }
  }
  for (const std::string_view symbol : kSanitizerSymbols) {
    if (file.find(symbol, {}) != 0) refuse_sanitizer(file, symbol);
  }
  for (const std::string_view symbol : kMemorySymbols) {
    if (file.find(symbol, {}) == 0) continue;
    file.refuse(
        text("it defines %s itself, and memory that it gave would not travel. Link it without its "
             "own malloc (tcmalloc, jemalloc, mimalloc); operator new of its own is fine",
             std::string(symbol).c_str()));
  }
  if (file.find("PMPI_Init", {}) != 0) file.refuse(text("it has MPI in itself, and %s", kNoMpi));
  const Elf64_Phdr* stack = file.segment(PT_GNU_STACK);
  if (stack != nullptr && (stack->p_flags & PF_X) != 0) {
    file.refuse(
        "it needs a stack that is executable, and those of virtual ranks are not: it passes on "
        "nested functions of C or internal procedures of Fortran. Make them functions of their own "
        "(procedures of a module); if it has none (gcc -Wtrampolines tells), some assembly of it "
        "does not say so: link it with -z noexecstack");
  }
  check_segments(file);
}

}  // namespace

void check_program(const ElfFile& file) {
  if (file.segment(PT_INTERP) == nullptr) {
    file.refuse((file.value(DT_FLAGS_1) & DF_1_PIE) != 0
                    ? "it is linked statically. Build it without -static-pie"
                    : "it is a library, or linked statically. Name a program that is linked "
                      "dynamically");
  }
  check_file(file);
}

void check_private_library(const ElfFile& file) { check_file(file); }

void check_private_name(const ElfFile& by, std::string_view library) {
  if (!is_mpi_library(library)) return;
  by.refuse(
      text("it needs %s, so it is an MPI program, and %s", std::string(library).c_str(), kNoMpi));
}

void check_process_reference(const ElfFile& file, std::string_view symbol) {
  if (symbol == "MPI_Init" || symbol == "MPI_Init_thread" || symbol == "PMPI_Init" ||
      symbol == "PMPI_Init_thread")
    file.refuse(text("it calls %s of the process, and %s", std::string(symbol).c_str(), kNoMpi));
}

void check_reference(const ElfFile& file, std::string_view symbol) {
  if (symbol == "mcount" || symbol == "_mcount" || symbol == "__fentry__") {
    file.refuse(
        "it was built with -pg, whose counts are the process's. Build it without -pg; perf "
        "sees virtual ranks as it sees any program");
  }
  if (std::find(std::begin(kSanitizerSymbols), std::end(kSanitizerSymbols), symbol) !=
      std::end(kSanitizerSymbols))
    refuse_sanitizer(file, symbol);
}

}  // namespace roam::mpi
