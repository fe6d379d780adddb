#include "base/os/mappings.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace roam::os {
namespace {

int variable = 7;
thread_local int of_the_kernel_thread = 8;
const char* const constants[] = {"relocated", "and read-only"};

template <class T>
Address address_of(const T* object) {
  return reinterpret_cast<Address>(object);
}

const Mapping* find(const std::vector<Mapping>& all, Address a) {
  for (const Mapping& one : all) {
    if (one.range.contains(a)) return &one;
  }
  return nullptr;
}

bool has(const std::vector<Range>& ranges, Address a) {
  for (const Range& range : ranges) {
    if (range.contains(a)) return true;
  }
  return false;
}

TEST(Mappings, TellWhatIsMappedWhere) {
  const std::size_t bytes = 3 * kPageBytes;
  void* private_memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  void* shared_memory = mmap(nullptr, bytes, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const std::vector<Mapping> all = mappings();
  const Mapping* mine = find(all, address_of(private_memory) + bytes - 1);
  ASSERT_NE(mine, nullptr);
  EXPECT_TRUE(mine->writable);
  EXPECT_FALSE(mine->shared);
  EXPECT_EQ(mine->name, "");
  const Mapping* shared = find(all, address_of(shared_memory));
  ASSERT_NE(shared, nullptr);
  EXPECT_FALSE(shared->writable);
  EXPECT_TRUE(shared->shared);
  int local = 0;
  const Mapping* stack = find(all, address_of(&local));
  ASSERT_NE(stack, nullptr);
  EXPECT_EQ(stack->name, "[stack]");
  munmap(private_memory, bytes);
  munmap(shared_memory, bytes);
  EXPECT_EQ(find(mappings(), address_of(shared_memory)), nullptr);
}

TEST(Mappings, MemoryThatIsGoneIsNotCopied) {
  int from = 17, to = 0;
  EXPECT_TRUE(copy_memory(Range{address_of(&from), sizeof from}, &to));
  EXPECT_EQ(to, 17);
  void* gone = mmap(nullptr, kPageBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(gone, kPageBytes);
  EXPECT_FALSE(copy_memory(Range{address_of(gone), sizeof to}, &to));
}

TEST(Mappings, ModulesHaveVariablesThatAreNotConstants) {
  of_the_kernel_thread = 9;
  bool found = false;
  for (const Module& module : modules()) {
    if (!module.program) continue;
    found = true;
    EXPECT_TRUE(has(module.variables, address_of(&variable)));
    EXPECT_TRUE(has(module.segments, address_of(constants)));
    EXPECT_FALSE(has(module.variables, address_of(constants)));
    EXPECT_TRUE(module.thread_local_data.contains(&of_the_kernel_thread));
    EXPECT_STREQ(module.name(), "mappings_test");
  }
  EXPECT_TRUE(found);
}

TEST(Mappings, ErrnoIsThreadLocalDataOfLibc) {
  for (const Module& module : modules()) {
    EXPECT_EQ(module.thread_local_data.contains(&errno),
              std::strcmp(module.name(), "libc.so.6") == 0)
        << module.path;
  }
  EXPECT_TRUE(kernel_thread_descriptor().contains(__builtin_thread_pointer()));
}

TEST(Mappings, ALibraryThatIsLoadedChangesTheModules) {
  const unsigned long long before = module_changes();
  EXPECT_EQ(module_changes(), before);
  void* library = dlopen("libanl.so.1", RTLD_NOW);
  if (library == nullptr) GTEST_SKIP() << dlerror();
  EXPECT_NE(module_changes(), before);
  dlclose(library);
}

TEST(Mappings, SymbolsOfLibrariesHaveNames) {
  EXPECT_NE(symbol_at(address_of(&environ)), "");
  EXPECT_EQ(symbol_at(address_of(dlsym(RTLD_NEXT, "_IO_2_1_stdout_")) + 8), "_IO_2_1_stdout_ + 8");
  EXPECT_EQ(symbol_at(16), "");
}

}  // namespace
}  // namespace roam::os
