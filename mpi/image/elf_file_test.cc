#include "mpi/image/elf_file.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/test_bytes.h"
#include "mpi/image/checks.h"
#include "mpi/image/refusal.h"

namespace roam::mpi {
namespace {

constexpr char kLibrary[] = "/lib/x86_64-linux-gnu/libm.so.6";

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string written(const std::string& bytes) {
  const std::string path = testing::TempDir() + "/elf_file_test." + std::to_string(getpid());
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

TEST(ElfFile, FindsWhatALibraryDefinesByNameAndVersion) {
  const ElfFile file(kLibrary);
  EXPECT_EQ(file.name(), "libm.so.6");
  const std::uint32_t cosine = file.find("cos", {});
  ASSERT_NE(cosine, 0u);
  EXPECT_EQ(file.string(file.symbol(cosine).st_name), "cos");
  EXPECT_EQ(file.version_of(cosine), "GLIBC_2.2.5");
  EXPECT_EQ(file.find("cos", "GLIBC_2.2.5"), cosine);
  EXPECT_EQ(file.find("cos", "GLIBC_9.9"), 0u);
  EXPECT_EQ(file.find("no such function", {}), 0u);
  // exp has an old version too, which is found by who asks for it.
  const std::uint32_t fresh = file.find("exp", {}), old = file.find("exp", "GLIBC_2.2.5");
  EXPECT_NE(fresh, old);
  EXPECT_EQ(file.version_of(fresh), "GLIBC_2.29");
  // Code that was linked without versions means the first.
  EXPECT_EQ(file.find("exp", {}, ElfFile::Asks::kInCode), old);
  EXPECT_EQ(file.find("exp", "GLIBC_2.29", ElfFile::Asks::kInCode), fresh);
  EXPECT_EQ(file.find("cos", {}, ElfFile::Asks::kInCode), cosine);
  ASSERT_FALSE(file.needed().empty());
  EXPECT_EQ(file.needed()[0], "libc.so.6");
  EXPECT_THROW(check_program(file), Refusal);
}

TEST(ElfFile, FindsWhoseCodeIsAtAnAddress) {
  const ElfFile file(kLibrary);
  const std::uint32_t power = file.find("cbrt", {});
  const Elf64_Sym& s = file.symbol(power);
  const std::uint32_t found = file.symbol_at(s.st_value + s.st_size - 1);
  ASSERT_NE(found, 0u);
  EXPECT_EQ(file.symbol(found).st_value, s.st_value);
  EXPECT_EQ(file.name_at(s.st_value), file.string(file.symbol(found).st_name));
  EXPECT_EQ(file.symbol_at(0), 0u);
  EXPECT_EQ(file.symbol_at(file.extent().bytes), 0u);
}

// Which libraries are not told, but the file has.
[[gnu::noinline]] int kept_for_itself(int x) { return x * 3; }

TEST(ElfFile, KnowsFunctionsThatItKeepsForItself) {
  const ElfFile file("/proc/self/exe");
  Dl_info info{};
  ASSERT_NE(dladdr(reinterpret_cast<void*>(&kept_for_itself), &info), 0);
  const auto begin = reinterpret_cast<Address>(info.dli_fbase);
  const std::string_view name =
      file.name_at(reinterpret_cast<Address>(&kept_for_itself) - begin + 1);
  EXPECT_NE(name.find("kept_for_itself"), name.npos) << name;
}

std::vector<Elf64_Phdr> loaded_segments(const std::string& bytes) {
  Elf64_Ehdr head;
  std::memcpy(&head, bytes.data(), sizeof head);
  std::vector<Elf64_Phdr> segments(head.e_phnum);
  std::memcpy(segments.data(), bytes.data() + head.e_phoff, head.e_phnum * sizeof(Elf64_Phdr));
  return segments;
}
void put_segment(std::string* bytes, std::size_t i, const Elf64_Phdr& segment) {
  Elf64_Ehdr head;
  std::memcpy(&head, bytes->data(), sizeof head);
  std::memcpy(bytes->data() + head.e_phoff + i * sizeof segment, &segment, sizeof segment);
}

TEST(ElfFile, ReadsASegmentThatBeginsWhereTheOneBeforeEnds) {
  std::string bytes = bytes_of(kLibrary);
  const std::vector<Elf64_Phdr> segments = loaded_segments(bytes);
  std::size_t first = 0;
  while (segments[first].p_type != PT_LOAD) ++first;
  const Elf64_Phdr& next = segments[first + 1];
  ASSERT_EQ(next.p_type, std::uint32_t{PT_LOAD});
  Elf64_Phdr longer = segments[first];
  longer.p_filesz = longer.p_memsz = next.p_vaddr - longer.p_vaddr;
  put_segment(&bytes, first, longer);
  const std::string path = written(bytes);
  const ElfFile file(path);
  const auto found = file.at<char>(next.p_vaddr, 16, "code");
  EXPECT_EQ(std::memcmp(found.data(), bytes.data() + next.p_offset, 16), 0);
  unlink(path.c_str());
}

TEST(ElfFile, NamesTheSizeOfWhatIsTooLarge) {
  std::string bytes = bytes_of(kLibrary);
  const std::vector<Elf64_Phdr> segments = loaded_segments(bytes);
  std::size_t last = segments.size() - 1;
  while (segments[last].p_type != PT_LOAD) --last;
  Elf64_Phdr large = segments[last];
  large.p_memsz = std::uint64_t{3} << 30;
  put_segment(&bytes, last, large);
  const std::string path = written(bytes);
  try {
    const ElfFile file(path);
    ADD_FAILURE() << "not refused";
  } catch (const Refusal& refusal) {
    const std::string why = refusal.what();
    EXPECT_NE(why.find("a segment of 3221225472 bytes"), why.npos) << why;
    EXPECT_EQ(why.find("damaged"), why.npos) << why;
  }
  unlink(path.c_str());
}

TEST(ElfFile, RefusesATableThatIsNotAligned) {
  std::string bytes = bytes_of(kLibrary);
  bytes[offsetof(Elf64_Ehdr, e_phoff)] += 1;
  const std::string path = written(bytes);
  try {
    const ElfFile file(path);
    ADD_FAILURE() << "not refused";
  } catch (const Refusal& refusal) {
    EXPECT_NE(std::string(refusal.what()).find("the table of segments is not where"),
              std::string::npos)
        << refusal.what();
  }
  unlink(path.c_str());
}

// Whatever is damaged, the file is refused or read; nothing beyond it is touched.
TEST(ElfFile, SurvivesDamage) {
  const std::string whole = bytes_of("/proc/self/exe").substr(0, 4 << 20);
  const std::string library = bytes_of(kLibrary);
  std::uint64_t random = test_seed();
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    std::string bytes = i % 2 == 0 ? library : whole;
    // Where the tables of a file are: at its beginning, more often than elsewhere.
    const std::size_t reach = i % 3 == 0 ? bytes.size() : 4096;
    for (int n = 0; n <= i % 8; ++n)
      bytes[next_random(&random) % std::min(reach, bytes.size())] =
          static_cast<char>(next_random(&random));
    if (i % 5 == 0) bytes.resize(next_random(&random) % bytes.size());
    const std::string path = written(bytes);
    try {
      const ElfFile file(path);
      file.find("cos", {});
      file.find("main", {});
      if (i % 16 == 0) file.name_at(random % 4096);
      file.needed();
      check_private_library(file);
      for (const Elf64_Rela& r : file.table<Elf64_Rela>(DT_RELA, DT_RELASZ)) {
        const auto symbol = static_cast<std::uint32_t>(ELF64_R_SYM(r.r_info));
        file.string(file.symbol(symbol).st_name);
        file.version_of(symbol);
      }
    } catch (const Refusal& refusal) {
      EXPECT_EQ(std::string(refusal.what()).compare(0, path.size(), path), 0) << refusal.what();
      ++refused;
    }
    unlink(path.c_str());
  }
  EXPECT_GT(refused, 50);
}

}  // namespace
}  // namespace roam::mpi
