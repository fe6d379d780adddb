#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <libintl.h>
#include <locale.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include <fstream>
#include <locale>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/test_bytes.h"
#include "isomalloc/capture.h"
#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"
#include "roam/error.h"

namespace roam::iso {
namespace {

std::map<const void*, std::string> open_objects;
bool called_with_capture_on = false;

class ProcessCallsTest : public testing::Test {
 protected:
  ProcessCallsTest() {
    start_capture();
    open_objects.clear();
    called_with_capture_on = false;
    process_hooks.opened = [](Heap*, const void* object, const char* what, bool) {
      called_with_capture_on |= current_heap != nullptr;
      open_objects[object] = what;
    };
    process_object_closed = [](const void* object) {
      called_with_capture_on |= current_heap != nullptr;
      open_objects.erase(object);
    };
  }
  ~ProcessCallsTest() override {
    process_hooks.opened = nullptr;
    process_object_closed = nullptr;
    EXPECT_FALSE(called_with_capture_on);
    EXPECT_EQ(current_heap, nullptr);
  }
  template <class F>
  auto inside(F f) {
    HeapScope scope(&heap_.heap());
    return f();
  }
  static bool in_arena(const void* p) { return arena().contains(p); }
  // Opened by a thread, `object` is the process's and pins until it is closed.
  static void expect_pins(const void* object, const char* what) {
    ASSERT_NE(object, nullptr);
    EXPECT_FALSE(in_arena(object));
    ASSERT_EQ(open_objects.count(object), 1u) << what;
    EXPECT_EQ(open_objects[object], what);
  }

  TestArena test_;
  TestHeap heap_;
};

TEST_F(ProcessCallsTest, EachWayToOpenAStreamPinsUntilItIsClosed) {
  const std::string path = std::string(testing::TempDir()) + "/process_calls_test.txt";
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  char memory[100];
  const cookie_io_functions_t no_calls{};
  using Open = std::function<FILE*()>;
  const std::vector<std::pair<const char*, Open>> ways = {
      {"fopen", [&] { return fopen(path.c_str(), "w+"); }},
      {"fopen64", [&] { return fopen64(path.c_str(), "w+"); }},
      {"fdopen", [&] { return fdopen(pipe_ends[1], "w"); }},
      {"tmpfile", [] { return tmpfile(); }},
      {"tmpfile64", [] { return tmpfile64(); }},
      {"fmemopen", [&] { return fmemopen(memory, sizeof memory, "w+"); }},
      {"fopencookie", [&] { return fopencookie(memory, "w+", no_calls); }},
  };
  for (const auto& [name, open] : ways) {
    SCOPED_TRACE(name);
    FILE* file = inside(open);
    expect_pins(file, "FILE*");
    inside([&] { fputs("some text", file); });
    EXPECT_FALSE(in_arena(file->_IO_buf_base)) << "the stream's buffer is the process's";
    EXPECT_EQ(open_objects.size(), 1u) << "a write changes nothing";
    inside([&] { fclose(file); });
    EXPECT_TRUE(open_objects.empty());
  }
  close(pipe_ends[0]);
  EXPECT_TRUE(heap_->release_empty()) << "nothing of a stream was in the heap";
}

TEST_F(ProcessCallsTest, APipeToACommandPinsUntilPclose) {
  FILE* file = inside([] { return popen("echo text", "r"); });
  expect_pins(file, "FILE*");
  char line[20] = {};
  EXPECT_NE(inside([&] { return fgets(line, sizeof line, file); }), nullptr);
  EXPECT_STREQ(line, "text\n");
  EXPECT_FALSE(in_arena(file->_IO_buf_base));
  EXPECT_EQ(inside([&] { return pclose(file); }), 0);
  EXPECT_TRUE(open_objects.empty());
}

TEST_F(ProcessCallsTest, WhatAMemoryStreamWroteBecomesTheCallers) {
  char* text = nullptr;
  std::size_t bytes = 0;
  FILE* file = inside([&] { return open_memstream(&text, &bytes); });
  expect_pins(file, "FILE*");
  std::string expected;
  for (int i = 0; i < 3000; ++i) {
    inside([&] { fprintf(file, "%d,", i); });
    expected += std::to_string(i) + ",";
  }
  inside([&] { fclose(file); });
  EXPECT_TRUE(open_objects.empty());
  EXPECT_EQ(std::string(text, bytes), expected);
  EXPECT_TRUE(heap_->contains(text)) << "it travels with the thread";
  inside([&] { free(text); });
  EXPECT_TRUE(heap_->release_empty());
  // Outside threads it is as ever.
  file = open_memstream(&text, &bytes);
  fputs("outside", file);
  fclose(file);
  EXPECT_STREQ(text, "outside");
  EXPECT_FALSE(in_arena(text));
  free(text);
}

// Its address may be another stream's then.
TEST_F(ProcessCallsTest, AMemoryStreamThatIsOpenedAgainIsNoneAnyMore) {
  for (const char* path : {"/dev/null", "/nonexistent"}) {
    char* text = nullptr;
    std::size_t bytes = 0;
    FILE* file = inside([&] { return open_memstream(&text, &bytes); });
    inside([&] { fputs("said", file); });
    FILE* again = inside([&] { return freopen(path, "w", file); });
    EXPECT_EQ(std::string(text, bytes), "said");
    EXPECT_TRUE(heap_->contains(text)) << "it travels with the thread";
    inside([&] { free(std::exchange(text, nullptr)); });
    bytes = 1 << 20;  // who looks there again copies too much
    if (again != nullptr) inside([&] { fclose(again); });
    EXPECT_EQ(text, nullptr);
    EXPECT_TRUE(open_objects.empty());
  }
}

TEST_F(ProcessCallsTest, AStreamThatIsOpenedOutsidePinsNobodyAndMayBeClosedInside) {
  FILE* file = tmpfile();
  EXPECT_TRUE(open_objects.empty());
  inside([&] { fclose(file); });
  file = inside([] { return tmpfile(); });
  EXPECT_EQ(open_objects.size(), 1u);
  fclose(file);
  EXPECT_TRUE(open_objects.empty()) << "and the other way round";
}

TEST_F(ProcessCallsTest, AStreamThatCannotBeOpenedPinsNobody) {
  errno = 0;
  EXPECT_EQ(inside([] { return fopen("/no/such/file", "r"); }), nullptr);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(inside([] { return opendir("/no/such/folder"); }), nullptr);
  EXPECT_TRUE(open_objects.empty());
}

TEST_F(ProcessCallsTest, FoldersPinUntilTheyAreClosed) {
  DIR* one = inside([] { return opendir("/proc/self"); });
  expect_pins(one, "DIR*");
  const int fd = open("/proc/self", O_RDONLY | O_DIRECTORY);
  DIR* two = inside([&] { return fdopendir(fd); });
  expect_pins(two, "DIR*");
  int entries = 0;
  inside([&] {
    while (readdir(one) != nullptr) ++entries;
    closedir(one);
    closedir(two);
  });
  EXPECT_GT(entries, 10);
  EXPECT_TRUE(open_objects.empty());
  EXPECT_TRUE(heap_->release_empty());
}

TEST_F(ProcessCallsTest, LocalesPinUntilTheyAreFreed) {
  locale_t made = inside([] { return newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr); });
  expect_pins(made, "locale");
  locale_t copy = inside([&] { return duplocale(made); });
  expect_pins(copy, "locale");
  EXPECT_EQ(open_objects.size(), 2u);
  copy = inside([&] { return newlocale(LC_TIME_MASK, "C", copy); });
  EXPECT_EQ(open_objects.size(), 2u) << "a locale that is changed stays one";
  inside([&] {
    freelocale(made);
    freelocale(copy);
  });
  EXPECT_TRUE(open_objects.empty());
}

TEST_F(ProcessCallsTest, AFailedNewlocaleLeavesItsBaseOpen) {
  locale_t base = inside([] { return newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr); });
  ASSERT_NE(base, nullptr);
  ASSERT_EQ(inside([&] { return newlocale(LC_ALL_MASK, "no_SUCH.locale", base); }), nullptr);
  EXPECT_EQ(open_objects.count(base), 1u);
  inside([&] { freelocale(base); });
  EXPECT_TRUE(open_objects.empty());
}

TEST_F(ProcessCallsTest, TheCLocaleLiesInLibcAndPinsNobody) {
  locale_t c = inside([] { return newlocale(LC_ALL_MASK, "C", nullptr); });
  ASSERT_NE(c, nullptr);
  locale_t copy = inside([&] { return duplocale(c); });
  EXPECT_TRUE(open_objects.empty());
  inside([&] {
    freelocale(copy);
    freelocale(c);
  });
  EXPECT_TRUE(open_objects.empty());
}

TEST_F(ProcessCallsTest, AFileStreamOfTheStandardLibraryPinsWhileItIsOpen) {
  const std::string path = std::string(testing::TempDir()) + "/process_calls_test_2.txt";
  {
    HeapScope scope(&heap_.heap());
    std::ofstream out(path);
    out << "some text " << 42 << std::endl;
    HeapScope process;
    EXPECT_EQ(open_objects.size(), 1u);
  }
  EXPECT_TRUE(open_objects.empty());
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line, "some text 42");
  EXPECT_TRUE(heap_->release_empty());
}

TEST_F(ProcessCallsTest, TheProcesssOwnTablesAreNeverInTheHeap) {
  std::vector<std::pair<const char*, const void*>> got;
  got.reserve(16);
  const time_t now = 86'400;
  char text[100];
  inside([&] {
    setenv("ROAM_TEST_VARIABLE", "value", 1);
    got.emplace_back("setenv", getenv("ROAM_TEST_VARIABLE"));
    got.emplace_back("environ", environ);
    got.emplace_back("setlocale", setlocale(LC_CTYPE, "C.UTF-8"));
    tzset();
    got.emplace_back("localtime", localtime(&now));
    strftime(text, sizeof text, "%c %Z", localtime(&now));
    got.emplace_back("tzname", tzname[0]);
  });
  for (const auto& [name, p] : got) {
    EXPECT_NE(p, nullptr) << name;
    EXPECT_FALSE(in_arena(p)) << name;
  }
  inside([] { unsetenv("ROAM_TEST_VARIABLE"); });
  EXPECT_EQ(getenv("ROAM_TEST_VARIABLE"), nullptr);
  setlocale(LC_CTYPE, "C");
  EXPECT_TRUE(heap_->release_empty());
}

TEST_F(ProcessCallsTest, AVariableThatPutenvSetsOutlivesTheThreadsMemory) {
  char* text = nullptr;
  inside([&] {
    text = strdup("ROAM_TEST_PUT=value");
    putenv(text);
  });
  const char* value = getenv("ROAM_TEST_PUT");
  ASSERT_NE(value, nullptr);
  EXPECT_STREQ(value, "value");
  EXPECT_FALSE(in_arena(value)) << "the thread takes its heap along, the environment stays";
  unsetenv("ROAM_TEST_PUT");
}

TEST_F(ProcessCallsTest, AKernelThreadThatAThreadStartsHasItsMemoryInTheProcess) {
  void* there = nullptr;
  inside([&] {
    pthread_t other;
    pthread_create(
        &other, nullptr,
        [](void* result) -> void* {
          *static_cast<void**>(result) = malloc(100);
          return nullptr;
        },
        &there);
    pthread_join(other, nullptr);
  });
  EXPECT_NE(there, nullptr);
  EXPECT_FALSE(in_arena(there));
  free(there);
  EXPECT_TRUE(heap_->release_empty());
}

TEST_F(ProcessCallsTest, StandardStreamsHaveTheirBuffersFromTheStart) {
  EXPECT_EXIT(
      {
        warm_up_process_state();
        const bool before = stdin->_IO_buf_base != nullptr && stdout->_IO_buf_base != nullptr;
        inside([] {
          printf("text");
          fflush(stdout);
          fprintf(stderr, "good");
        });
        _exit(before && !in_arena(stdout->_IO_buf_base) && heap_->release_empty() ? 0 : 1);
      },
      testing::ExitedWithCode(0), "good");
}

TEST_F(ProcessCallsTest, WideBuffersAndTablesOfLocalesAndNamesAreTheProcesses) {
  FILE* file = tmpfile();
  ASSERT_NE(file, nullptr);
  const std::size_t before = heap_.heap().address_bytes();
  inside([&] {
    EXPECT_GE(fputws(L"wide \u00e9", file), 0);
    EXPECT_EQ(fwprintf(file, L"%d %ls", 17, L"more"), 7);
    EXPECT_EQ(fputwc(L'x', file), wint_t{L'x'});
    setlocale(LC_ALL, "C.UTF-8");
    wchar_t wide[8];
    EXPECT_EQ(mbstowcs(wide, "a\xc3\xa9", 8), 2u);
    setlocale(LC_ALL, "C");
    static_cast<void>(getservbyname("http", "tcp"));
    static_cast<void>(getgrnam("root"));
    static_cast<void>(dgettext("nowhere", "text"));
  });
  EXPECT_EQ(heap_.heap().address_bytes(), before);
  EXPECT_TRUE(heap_.heap().head_empty());
  fclose(file);
}

TEST_F(ProcessCallsTest, TheGlobalLocaleSetInAThreadIsMadeAnewOutside) {
  const std::locale before;
  inside([] { std::locale::global(std::locale("C.UTF-8")); });
  EXPECT_TRUE(open_objects.empty()) << "what the thread made is closed";
  EXPECT_EQ(std::locale().name(), "C.UTF-8");
  inside([] {
    const std::locale unnamed(std::locale::classic(), new std::numpunct<char>);
    try {
      std::locale::global(unnamed);
      ADD_FAILURE() << "was not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::pinned);
    }
  });
  std::locale::global(before);
}

}  // namespace
}  // namespace roam::iso
