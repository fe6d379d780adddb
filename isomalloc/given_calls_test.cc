#include <argz.h>
#include <dirent.h>
#include <envz.h>
#include <execinfo.h>
#include <glob.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <search.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wordexp.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "isomalloc/capture.h"
#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"

namespace roam::iso {
namespace {

// What a call of libc gives to its caller is in the caller's heap, and goes back to it.
class GivenCallsTest : public testing::Test {
 protected:
  GivenCallsTest() { start_capture(); }
  ~GivenCallsTest() override { EXPECT_EQ(current_heap, nullptr); }

  template <class F>
  auto inside(F f) {
    HeapScope scope(&heap_.heap());
    return f();
  }
  bool in_heap(const void* p) const { return heap_->contains(p); }
  // All that was given is freed.
  void expect_empty() { EXPECT_TRUE(heap_->release_empty()); }

  TestArena test_;
  TestHeap heap_;
};

TEST_F(GivenCallsTest, EachBlockIsTheCallersAndHoldsWhatLibcWrote) {
  struct Case {
    const char* name;
    std::function<void*()> call;
    std::string text;
  };
  char* out = nullptr;
  unsetenv("PWD");  // it may name the folder otherwise
  const std::string here = [] {
    char room[4096];
    return std::string(getcwd(room, sizeof room));
  }();
  const std::vector<Case> cases = {
      {"strdup", [] { return strdup("some text"); }, "some text"},
      {"strndup", [] { return strndup("some text", 4); }, "some"},
      {"strndup, shorter", [] { return strndup("some", 400); }, "some"},
      {"asprintf", [&] { return asprintf(&out, "%d and %s", 42, "more") < 0 ? nullptr : out; },
       "42 and more"},
      {"realpath", [] { return realpath("/proc/..", nullptr); }, "/"},
      {"canonicalize_file_name", [] { return canonicalize_file_name("/dev/../proc"); }, "/proc"},
      {"getcwd", [] { return getcwd(nullptr, 0); }, here},
      {"getcwd with room", [] { return getcwd(nullptr, 5000); }, here},
      {"get_current_dir_name", [] { return get_current_dir_name(); }, here},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    void* block = inside(each.call);
    ASSERT_TRUE(in_heap(block));
    EXPECT_STREQ(static_cast<const char*>(block), each.text.c_str());
    inside([&] { free(block); });
    expect_empty();
    block = each.call();
    EXPECT_NE(block, nullptr);
    EXPECT_FALSE(in_heap(block)) << "outside";
    free(block);
  }
  void* name = inside([] { return tempnam(nullptr, "roam"); });
  EXPECT_TRUE(in_heap(name));
  free(name);
  wchar_t* wide = inside([] { return wcsdup(L"wide text"); });
  EXPECT_TRUE(in_heap(wide));
  EXPECT_STREQ(wide, L"wide text");
  free(wide);
  cpu_set_t* set = inside([] { return CPU_ALLOC(1000); });
  EXPECT_TRUE(in_heap(set));
  CPU_FREE(set);
  expect_empty();
}

TEST_F(GivenCallsTest, ALineGrowsWhereItIs) {
  FILE* file = tmpfile();
  ASSERT_NE(file, nullptr);
  const std::string longer(5000, 'x');
  fprintf(file, "short\n%s\nlast;", longer.c_str());
  for (const bool in_thread : {true, false}) {
    SCOPED_TRACE(in_thread);
    char* line = nullptr;
    std::size_t room = 0;
    rewind(file);
    const auto read = [&] {
      return in_thread ? inside([&] { return getline(&line, &room, file); })
                       : getline(&line, &room, file);
    };
    EXPECT_EQ(read(), 6);
    EXPECT_EQ(in_heap(line), in_thread);
    EXPECT_STREQ(line, "short\n");
    EXPECT_EQ(inside([&] { return getline(&line, &room, file); }), 5001)
        << "a block of the process that grows in a thread stays one";
    EXPECT_EQ(in_heap(line), in_thread);
    EXPECT_EQ(line, longer + "\n");
    EXPECT_EQ(inside([&] { return getdelim(&line, &room, ';', file); }), 5);
    EXPECT_STREQ(line, "last;");
    EXPECT_EQ(inside([&] { return getline(&line, &room, file); }), -1);
    free(line);
    expect_empty();
  }
  fclose(file);
}

TEST_F(GivenCallsTest, TextsThatScanfGives) {
  char* word = nullptr;
  wchar_t* wide = nullptr;
  FILE* narrow_file = fopen("/proc/self/status", "r");
  FILE* wide_file = fopen("/proc/self/status", "r");
  ASSERT_TRUE(narrow_file != nullptr && wide_file != nullptr);
  const std::string longer(5000, 'z');
  int number = 0;
  EXPECT_EQ(inside([&] { return sscanf("17 some text", "%d %ms", &number, &word); }), 2);
  EXPECT_EQ(number, 17);
  EXPECT_TRUE(in_heap(word));
  EXPECT_STREQ(word, "some");
  free(word);
  EXPECT_EQ(inside([&] { return sscanf(longer.c_str(), "%ms", &word); }), 1);
  EXPECT_TRUE(in_heap(word));
  EXPECT_EQ(word, longer);
  free(word);
  EXPECT_EQ(inside([&] { return swscanf(L"wide text", L"%mls", &wide); }), 1);
  EXPECT_TRUE(in_heap(wide));
  EXPECT_STREQ(wide, L"wide");
  free(wide);
  EXPECT_EQ(inside([&] { return fscanf(narrow_file, "%ms", &word); }), 1);
  EXPECT_TRUE(in_heap(word));
  EXPECT_STREQ(word, "Name:");
  free(word);
  EXPECT_EQ(inside([&] { return fwscanf(wide_file, L"%mls", &wide); }), 1);
  EXPECT_TRUE(in_heap(wide));
  EXPECT_STREQ(wide, L"Name:");
  free(wide);
  expect_empty();
  fclose(narrow_file);
  fclose(wide_file);
}

TEST_F(GivenCallsTest, EntriesOfAFolder) {
  dirent** list = nullptr;
  const int count = inside([&] {
    return scandir(
        "/proc/self", &list, [](const dirent* entry) { return int{entry->d_name[0] == 's'}; },
        alphasort);
  });
  ASSERT_GT(count, 2);
  ASSERT_TRUE(in_heap(list));
  for (int i = 0; i < count; ++i) {
    EXPECT_TRUE(in_heap(list[i]));
    EXPECT_EQ(list[i]->d_name[0], 's');
    if (i > 0) {
      EXPECT_LE(strcoll(list[i - 1]->d_name, list[i]->d_name), 0);
    }
  }
  for (int i = 0; i < count; ++i) free(list[i]);
  free(list);
  EXPECT_EQ(inside([&] { return scandir("/no/such", &list, nullptr, nullptr); }), -1);
  expect_empty();
}

TEST_F(GivenCallsTest, VectorsOfTexts) {
  char* vector = nullptr;
  std::size_t bytes = 0;
  const char* const names[] = {"one", "two", nullptr};
  const std::string longer(500, 'y');
  inside([&] {
    argz_create(const_cast<char* const*>(names), &vector, &bytes);
    argz_add(&vector, &bytes, longer.c_str());
    argz_add_sep(&vector, &bytes, "a:b", ':');
    argz_insert(&vector, &bytes, vector, "zero");
    unsigned replaced = 0;
    argz_replace(&vector, &bytes, "two", "three", &replaced);
  });
  EXPECT_TRUE(in_heap(vector));
  argz_stringify(vector, bytes, ' ');
  EXPECT_EQ(vector, "zero one three " + longer + " a b");
  free(vector);
  vector = nullptr;
  bytes = 0;
  inside([&] {
    envz_add(&vector, &bytes, "name", "value");
    envz_add(&vector, &bytes, "other", longer.c_str());
    envz_add(&vector, &bytes, "name", "new");
  });
  EXPECT_TRUE(in_heap(vector));
  EXPECT_STREQ(envz_get(vector, bytes, "name"), "new");
  inside([&] {
    envz_remove(&vector, &bytes, "name");
    envz_remove(&vector, &bytes, "other");
  });
  EXPECT_EQ(vector, nullptr);
  expect_empty();
}

TEST_F(GivenCallsTest, Addresses) {
  addrinfo* list = nullptr;
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_CANONNAME;
  ASSERT_EQ(inside([&] { return getaddrinfo("127.0.0.1", "80", &hints, &list); }), 0);
  int count = 0;
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next, ++count) {
    EXPECT_TRUE(in_heap(each));
    EXPECT_TRUE(in_heap(each->ai_addr));
    char host[100];
    char port[10];
    EXPECT_EQ(getnameinfo(each->ai_addr, each->ai_addrlen, host, sizeof host, port, sizeof port,
                          NI_NUMERICHOST | NI_NUMERICSERV),
              0);
    EXPECT_STREQ(host, "127.0.0.1");
    EXPECT_STREQ(port, "80");
  }
  EXPECT_GT(count, 1);
  EXPECT_TRUE(in_heap(list->ai_canonname));
  EXPECT_STREQ(list->ai_canonname, "127.0.0.1");
  inside([&] { freeaddrinfo(list); });
  expect_empty();
}

TEST_F(GivenCallsTest, NamesOfFilesAndWords) {
  glob_t found{};
  found.gl_offs = 2;
  EXPECT_EQ(inside([&] { return glob("/proc/self/s*", GLOB_DOOFFS, nullptr, &found); }), 0);
  const std::size_t first = found.gl_pathc;
  EXPECT_EQ(
      inside([&] { return glob("/proc/self/m*", GLOB_DOOFFS | GLOB_APPEND, nullptr, &found); }), 0);
  ASSERT_GT(found.gl_pathc, first);
  EXPECT_TRUE(in_heap(found.gl_pathv));
  EXPECT_EQ(found.gl_pathv[0], nullptr);
  for (std::size_t i = 0; i < found.gl_pathc; ++i) {
    const char* name = found.gl_pathv[2 + i];
    EXPECT_TRUE(in_heap(name));
    EXPECT_EQ(std::string(name).substr(0, 12), i < first ? "/proc/self/s" : "/proc/self/m");
  }
  EXPECT_EQ(found.gl_pathv[2 + found.gl_pathc], nullptr);
  inside([&] { globfree(&found); });
  EXPECT_EQ(inside([&] { return glob("~", GLOB_TILDE, nullptr, &found); }), 0);
  EXPECT_TRUE(in_heap(found.gl_pathv[0]));
  inside([&] { globfree(&found); });
  EXPECT_EQ(inside([&] { return glob("/no/such*", 0, nullptr, &found); }), GLOB_NOMATCH);
  globfree(&found);

  wordexp_t words{};
  EXPECT_EQ(inside([&] { return wordexp("one 'two three' ${NO_SUCH:-four}", &words, 0); }), 0);
  EXPECT_EQ(inside([&] { return wordexp("~ last", &words, WRDE_APPEND); }), 0);
  ASSERT_EQ(words.we_wordc, 5u);
  EXPECT_TRUE(in_heap(words.we_wordv));
  for (std::size_t i = 0; i < words.we_wordc; ++i) EXPECT_TRUE(in_heap(words.we_wordv[i]));
  EXPECT_STREQ(words.we_wordv[1], "two three");
  EXPECT_STREQ(words.we_wordv[2], "four");
  EXPECT_STREQ(words.we_wordv[4], "last");
  EXPECT_EQ(inside([&] { return wordexp("a | b", &words, WRDE_REUSE); }), WRDE_BADCHAR);
  inside([&] { wordfree(&words); });
  expect_empty();
}

TEST_F(GivenCallsTest, InterfacesAndFrames) {
  struct if_nameindex* names = inside([] { return if_nameindex(); });
  ASSERT_NE(names, nullptr);
  EXPECT_TRUE(in_heap(names));
  for (int i = 0; names[i].if_name != nullptr; ++i) EXPECT_TRUE(in_heap(names[i].if_name));
  inside([&] { if_freenameindex(names); });

  ifaddrs* list = nullptr;
  ASSERT_EQ(inside([&] { return getifaddrs(&list); }), 0);
  ifaddrs* plain = nullptr;
  ASSERT_EQ(getifaddrs(&plain), 0);
  const ifaddrs* other = plain;
  for (const ifaddrs* each = list; each != nullptr;
       each = each->ifa_next, other = other->ifa_next) {
    ASSERT_NE(other, nullptr);
    EXPECT_TRUE(in_heap(each));
    EXPECT_TRUE(in_heap(each->ifa_name));
    EXPECT_STREQ(each->ifa_name, other->ifa_name);
    for (const void* part :
         {static_cast<const void*>(each->ifa_addr), static_cast<const void*>(each->ifa_netmask),
          static_cast<const void*>(each->ifa_data)}) {
      if (part != nullptr) {
        EXPECT_TRUE(in_heap(part));
      }
    }
  }
  EXPECT_EQ(other, nullptr);
  inside([&] { freeifaddrs(list); });
  freeifaddrs(plain);

  void* frames[50];
  const int count = backtrace(frames, 50);
  char** symbols = inside([&] { return backtrace_symbols(frames, count); });
  char** same = backtrace_symbols(frames, count);
  ASSERT_TRUE(in_heap(symbols));
  for (int i = 0; i < count; ++i) {
    EXPECT_TRUE(in_heap(symbols[i]));
    EXPECT_STREQ(symbols[i], same[i]);
  }
  free(symbols);
  free(same);
  expect_empty();
}

TEST_F(GivenCallsTest, APatternIsWhereItsObjectIs) {
  static regex_t of_process;
  auto* of_thread = static_cast<regex_t*>(inside([] { return malloc(sizeof(regex_t)); }));
  for (regex_t* pattern : {of_thread, &of_process}) {
    SCOPED_TRACE(pattern == of_thread);
    const std::size_t before = heap_.heap().address_bytes();
    ASSERT_EQ(inside([&] { return regcomp(pattern, "(a|b[[:alpha:]]*)+c$", REG_EXTENDED); }), 0);
    regmatch_t found[2];
    for (const char* text : {"xxabanac", "c", "bbbbbbbc", "b\xc3\xa9"}) {
      const bool matches = inside([&] { return regexec(pattern, text, 2, found, 0); }) == 0;
      EXPECT_EQ(matches, text[0] != 'c' && text[1] != '\xc3') << text;
    }
    EXPECT_EQ(in_heap(pattern->buffer), pattern == of_thread);
    if (pattern == &of_process) {
      EXPECT_EQ(heap_.heap().address_bytes(), before);
    }
    inside([&] { regfree(pattern); });
  }
  inside([&] { free(of_thread); });
  expect_empty();
}

int compare_calls = 0;
const void* allocated_in_compare = nullptr;
int compare_texts(const void* a, const void* b) {
  if (++compare_calls == 1) {
    void* mine = malloc(40);
    allocated_in_compare = mine;
    free(mine);
    dirent** list;  // a call within the call
    if (scandir(
            "/", &list, [](const dirent*) { return 0; }, nullptr) >= 0)
      free(list);
  }
  return strcmp(static_cast<const char*>(a), static_cast<const char*>(b));
}

TEST_F(GivenCallsTest, ATreeIsWhereItsRootIs) {
  static void* of_process = nullptr;
  auto** of_thread = static_cast<void**>(inside([] { return calloc(1, sizeof(void*)); }));
  static const char* const keys[] = {"m", "c", "x", "a", "d", "n", "z", "b", "y", "e"};
  for (void** root : {of_thread, &of_process}) {
    SCOPED_TRACE(root == of_thread);
    compare_calls = 0;
    for (const char* key : keys) {
      void* node = inside([&] { return tsearch(key, root, compare_texts); });
      EXPECT_EQ(in_heap(node), root == of_thread);
      EXPECT_EQ(*static_cast<const char**>(node), key);
      EXPECT_EQ(inside([&] { return tsearch(key, root, compare_texts); }), node);
    }
    EXPECT_TRUE(in_heap(allocated_in_compare)) << "the comparison is the thread's own code";
    for (const char* key : keys) {
      EXPECT_NE(inside([&] { return tfind(key, root, compare_texts); }), nullptr);
      EXPECT_NE(inside([&] { return tdelete(key, root, compare_texts); }), nullptr);
    }
    EXPECT_EQ(*root, nullptr);
  }
  free(of_thread);
  expect_empty();
}

TEST_F(GivenCallsTest, TheBufferOfASortIsTheCallers) {
  std::vector<int> numbers(5000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i * 7919 % 5003);
  const std::size_t before = heap_.heap().address_bytes();
  static std::size_t during;
  static Heap* heap;
  heap = &heap_.heap();
  inside([&] {
    qsort(numbers.data(), numbers.size(), sizeof(int), [](const void* a, const void* b) {
      during = heap->address_bytes();
      return *static_cast<const int*>(a) - *static_cast<const int*>(b);
    });
  });
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  EXPECT_GT(during, before) << "its comparison may move to another rank";
  expect_empty();
}

TEST_F(GivenCallsTest, TablesAndAttributesAreWhereTheirObjectIs) {
  struct Objects {
    hsearch_data table;
    posix_spawn_file_actions_t actions;
    pthread_attr_t attributes;
  };
  auto* mine = static_cast<Objects*>(inside([] { return calloc(1, sizeof(Objects)); }));
  inside([&] {
    hcreate_r(100, &mine->table);
    ENTRY* found = nullptr;
    hsearch_r({const_cast<char*>("key"), mine}, ENTER, &found, &mine->table);
    posix_spawn_file_actions_init(&mine->actions);
    posix_spawn_file_actions_addopen(&mine->actions, 1, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&mine->actions, 1, 2);
    pthread_attr_init(&mine->attributes);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    pthread_attr_setaffinity_np(&mine->attributes, sizeof one, &one);
  });
  EXPECT_TRUE(in_heap(mine->table.table));
  EXPECT_TRUE(in_heap(mine->actions.__actions));
  inside([&] {
    hdestroy_r(&mine->table);
    posix_spawn_file_actions_destroy(&mine->actions);
    pthread_attr_destroy(&mine->attributes);
    EXPECT_EQ(pthread_getattr_np(pthread_self(), &mine->attributes), 0);
    pthread_attr_destroy(&mine->attributes);
    free(mine);
  });
  expect_empty();
}

TEST_F(GivenCallsTest, WithoutRoomInTheHeapTheyFail) {
  const std::string longer(300'000, 'x');
  std::vector<void*> filled;
  filled.reserve(1 << 16);
  inside([&] {  // the arena of the test has 4 GiB
    for (std::size_t n = 256 << 20; n >= (64 << 10); n /= 2) {
      for (void* block; (block = malloc(n)) != nullptr;) filled.push_back(block);
    }
  });
  char* text = nullptr;
  EXPECT_EQ(inside([&] { return asprintf(&text, "%s", longer.c_str()); }), -1);
  EXPECT_EQ(text, nullptr);
  EXPECT_EQ(inside([&] { return strdup(longer.c_str()); }), nullptr);
  for (void* block : filled) free(block);
  expect_empty();
}

}  // namespace
}  // namespace roam::iso
