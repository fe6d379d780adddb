#include "isomalloc/library_slots.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <glob.h>
#include <gtest/gtest.h>
#include <libintl.h>
#include <locale.h>
#include <mntent.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <pthread.h>
#include <regex.h>
#include <search.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <functional>
#include <iomanip>
#include <sstream>
#include <string>
#include <vector>

#include "isomalloc/capture.h"
#include "isomalloc/library_window.h"
#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"

namespace roam::iso {
namespace {

// What libc keeps of a call is not in the heap of the thread that made it.
class LibrarySlotsTest : public testing::Test {
 protected:
  LibrarySlotsTest() { start_capture(); }
  ~LibrarySlotsTest() override { EXPECT_EQ(current_heap, nullptr); }

  template <class F>
  auto inside(F f) {
    HeapScope scope(&heap_.heap());
    return f();
  }
  // Calls `f` twice in a heap, which holds nothing afterwards.
  void expect_nothing_kept(const char* name, const std::function<void()>& f) {
    SCOPED_TRACE(name);
    const std::size_t before = heap_.heap().address_bytes();
    for (int i = 0; i < 2; ++i) inside(f);
    EXPECT_TRUE(heap_->release_empty()) << "of " << name << " something stays";
    EXPECT_LE(heap_.heap().address_bytes(), before);
  }

  TestArena test_;
  TestHeap heap_;
};

TEST_F(LibrarySlotsTest, EachSlotIsFound) { EXPECT_EQ(unturned_library_slots(), ""); }

TEST_F(LibrarySlotsTest, TheProgramsOwnCallsAreItsHeaps) {
  void* block = inside([] { return malloc(100); });
  EXPECT_TRUE(heap_->contains(block));
  block = inside([&] { return realloc(block, 1000); });
  EXPECT_TRUE(heap_->contains(block));
  free(block);
}

TEST_F(LibrarySlotsTest, ASymbolThatIsNotThere) {
  expect_nothing_kept("dlsym", [] {
    EXPECT_EQ(dlsym(RTLD_DEFAULT, "no_such_symbol_of_any_library"), nullptr);
    const char* why = dlerror();
    ASSERT_NE(why, nullptr);
    EXPECT_NE(strstr(why, "no_such_symbol_of_any_library"), nullptr);
    EXPECT_EQ(dlopen("/no/such/library.so", RTLD_NOW), nullptr);
    EXPECT_EQ(dlvsym(RTLD_DEFAULT, "malloc", "NO_SUCH_VERSION"), nullptr);
  });
  EXPECT_NE(dlerror(), nullptr);
}

TEST_F(LibrarySlotsTest, ThreadLocalsOfALibraryThatIsLoadedLater) {
  void* library = dlopen("isomalloc/thread_local_for_test.so", RTLD_NOW);
  ASSERT_NE(library, nullptr) << dlerror();
  using Next = long*();
  Next* next = reinterpret_cast<Next*>(dlsym(library, "next_of_kernel_thread"));
  ASSERT_NE(next, nullptr);
  expect_nothing_kept("thread_local", [&] { ++*next(); });
  EXPECT_EQ(*next(), 2);
  EXPECT_FALSE(arena().contains(next()));
}

// A catalog of messages with one of them, as `msgfmt` writes it.
void write_catalog(const std::string& path, const std::string& from, const std::string& to) {
  const std::uint32_t table = 28;
  const std::uint32_t texts = table + 2 * 16;
  const std::string header = "Content-Type: text/plain; charset=UTF-8\n";
  const auto at = [&](std::uint32_t bytes) { return texts + bytes; };
  const auto n = [](const std::string& s) { return static_cast<std::uint32_t>(s.size()); };
  const std::uint32_t words[] = {0x950412de,
                                 0,
                                 2,
                                 table,
                                 table + 16,
                                 0,
                                 at(0),
                                 0,
                                 at(0),
                                 n(from),
                                 at(1),
                                 n(header),
                                 at(1 + n(from) + 1),
                                 n(to),
                                 at(1 + n(from) + 1 + n(header) + 1)};
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(words), sizeof words);
  // The table of the hash is empty, so the originals are looked for in their order.
  const std::string all =
      std::string(1, '\0') + from + '\0' + header + '\0' + to + std::string(1, '\0');
  file.write(all.data(), static_cast<std::streamsize>(all.size()));
}

TEST_F(LibrarySlotsTest, MessagesOfATranslatedLocale) {
  const std::string folder = std::string(testing::TempDir()) + "/slots_messages";
  for (const char* part : {"", "/xx", "/xx/LC_MESSAGES"}) mkdir((folder + part).c_str(), 0777);
  write_catalog(folder + "/xx/LC_MESSAGES/libc.mo", "No such file or directory", "nichts da");
  setenv("LANGUAGE", "xx", 1);
  ASSERT_NE(setlocale(LC_ALL, "C.UTF-8"), nullptr);
  bindtextdomain("libc", folder.c_str());
  char room[100] = {};
  expect_nothing_kept("%m", [&] {
    errno = ENOENT;
    snprintf(room, sizeof room, "%m");
  });
  // From 2.39 on libc translates nothing in C.UTF-8, and other locales may not be installed.
  EXPECT_TRUE(strcmp(room, "nichts da") == 0 || strcmp(room, "No such file or directory") == 0);
  expect_nothing_kept("strerror_r", [&] { EXPECT_STREQ(strerror_r(ENOENT, room, 99), room); });
  expect_nothing_kept("strerror_r, unknown",
                      [&] { EXPECT_NE(strerror_r(12345, room, sizeof room), nullptr); });
  expect_nothing_kept("regerror", [&] { regerror(REG_EPAREN, nullptr, room, sizeof room); });
  expect_nothing_kept("perror", [] { perror("a message for the test"); });
  expect_nothing_kept("psignal", [] { psignal(SIGTERM, "a message for the test"); });
  expect_nothing_kept("gai_strerror", [] { static_cast<void>(gai_strerror(EAI_AGAIN)); });
  setlocale(LC_ALL, "C");
  unsetenv("LANGUAGE");
}

TEST_F(LibrarySlotsTest, TimesWithAZone) {
  const char* const zones[] = {"XYZ-3ABC,M3.5.0,M10.5.0/3", "Europe/Berlin", "UTC", "QQQ7"};
  char text[200];
  wchar_t wide[200];
  const time_t now = 86'400;
  for (const char* zone : zones) {
    SCOPED_TRACE(zone);
    setenv("TZ", zone, 1);
    tm parts{};
    expect_nothing_kept("gmtime", [&] { parts = *gmtime(&now); });
    expect_nothing_kept("ctime_r", [&] { ctime_r(&now, text); });
    expect_nothing_kept("wcsftime", [&] { wcsftime(wide, 200, L"%Ec %Z %Ex", &parts); });
    expect_nothing_kept("strptime", [&] { strptime("1 2 2000 PM", "%d %m %Y %p", &parts); });
    expect_nothing_kept("timegm", [&] { timegm(&parts); });
    expect_nothing_kept("put_time", [&] {
      std::ostringstream out;
      out << std::put_time(&parts, "%c %Z");
    });
  }
  unsetenv("TZ");
}

#if __cpp_lib_chrono >= 201907L
TEST_F(LibrarySlotsTest, TimeZonesOfChrono) {
  expect_nothing_kept("tzdb", [] {
    using namespace std::chrono;
    for (const char* name : {"UTC", "Europe/Berlin", "Asia/Tokyo"}) {
      const time_zone* zone = locate_zone(name);
      for (int year = 1900; year < 2030; year += 10)
        EXPECT_NE(zone->get_info(sys_days{std::chrono::year{year} / 7 / 1}).abbrev, "");
      EXPECT_NE(zone->to_local(sys_seconds{}), local_seconds{seconds{1}});
    }
    EXPECT_NE(current_zone(), nullptr);
  });
}
#endif

TEST_F(LibrarySlotsTest, BuffersOfStreams) {
  FILE* narrow = tmpfile();
  FILE* wide = tmpfile();
  ASSERT_TRUE(narrow != nullptr && wide != nullptr);
  fputs("some text", narrow);
  fputws(L"some text", wide);
  rewind(narrow);
  rewind(wide);
  expect_nothing_kept("ungetc", [&] {
    getc(narrow);
    for (int i = 0; i < 200; ++i) ungetc('a' + i % 26, narrow);
  });
  wchar_t word[20];
  expect_nothing_kept("fwscanf", [&] {
    rewind(wide);
    EXPECT_EQ(fwscanf(wide, L"%19ls", word), 1);
  });
  expect_nothing_kept("ungetwc", [&] {
    for (int i = 0; i < 200; ++i) ungetwc(L'x', wide);
  });
  expect_nothing_kept("fseek", [&] { fseek(narrow, 3, SEEK_SET); });
  expect_nothing_kept("fprintf", [&] { fprintf(narrow, "%2000d %.3000f", 1, 1.0); });
  fclose(narrow);
  fclose(wide);
}

TEST_F(LibrarySlotsTest, Names) {
  expect_nothing_kept("glob", [] {
    glob_t found{};
    glob("~", GLOB_TILDE, nullptr, &found);
    globfree(&found);
  });
  expect_nothing_kept("gethostid", [] { static_cast<void>(gethostid()); });
  expect_nothing_kept("ether", [] {
    ether_addr address{};
    char host[1100];
    ether_ntohost(host, &address);
    ether_hostton("nobody", &address);
  });
  expect_nothing_kept("netgroups", [] {
    static_cast<void>(innetgr("no_such_group", "host", "user", "domain"));
    if (setnetgrent("no_such_group") != 0) {
      char *host, *user, *domain;
      while (getnetgrent(&host, &user, &domain) != 0) continue;
    }
    endnetgrent();
  });
  expect_nothing_kept("ttyname", [] { static_cast<void>(ttyname(0)); });
  expect_nothing_kept("getlogin", [] { static_cast<void>(getlogin()); });
  expect_nothing_kept("getusershell", [] { static_cast<void>(getusershell()); });
  expect_nothing_kept("getmntent", [] {
    FILE* mounts = setmntent("/proc/self/mounts", "r");
    if (mounts == nullptr) return;
    static_cast<void>(getmntent(mounts));
    endmntent(mounts);
  });
  expect_nothing_kept("services", [] {
    setservent(1);
    static_cast<void>(getservent());
    endservent();
    static_cast<void>(getrpcbyname("nfs"));
    static_cast<void>(getrpcbynumber(100'003));
  });
}

TEST_F(LibrarySlotsTest, Registrations) {
  expect_nothing_kept("at_quick_exit", [] {
    for (int i = 0; i < 100; ++i) at_quick_exit([] {});
  });
  expect_nothing_kept("on_exit", [] {
    for (int i = 0; i < 100; ++i) on_exit([](int, void*) {}, nullptr);
  });
  expect_nothing_kept("atexit", [] {
    for (int i = 0; i < 100; ++i) atexit([] {});
  });
  expect_nothing_kept("pthread_atfork", [] {
    for (int i = 0; i < 100; ++i) pthread_atfork(nullptr, nullptr, nullptr);
  });
  const std::string name = "/roam_slots_test_" + std::to_string(getpid());
  expect_nothing_kept("sem_open", [&] {
    sem_t* semaphore = sem_open(name.c_str(), O_CREAT, 0600, 1);
    if (semaphore != SEM_FAILED) sem_close(semaphore);
  });
  sem_unlink(name.c_str());
  std::vector<pthread_key_t> keys(200);
  for (pthread_key_t& key : keys) pthread_key_create(&key, nullptr);
  expect_nothing_kept("pthread_setspecific", [&] {
    static int value;
    for (const pthread_key_t key : keys) pthread_setspecific(key, &value);
  });
  for (const pthread_key_t key : keys) pthread_key_delete(key);
}

TEST_F(LibrarySlotsTest, TablesOfTheProcess) {
  expect_nothing_kept("hsearch", [] {
    hcreate(1000);
    static char key[] = "key";
    ENTRY* found = hsearch({key, nullptr}, ENTER);
    EXPECT_NE(found, nullptr);
  });
  hdestroy();
  static void* root = nullptr;
  expect_nothing_kept("tsearch", [] {
    static const char key[] = "key";
    tsearch(key, &root, [](const void* a, const void* b) {
      return strcmp(static_cast<const char*>(a), static_cast<const char*>(b));
    });
  });
  expect_nothing_kept("backtrace", [] {
    void* frames[20];
    EXPECT_GT(backtrace(frames, 20), 2);
  });
}

// What is loaded lies where it does on every rank if nobody else's memory came between.
TEST(LibraryPlaceTest, HasWhatIsTopmost) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer allows no memory there";
#endif
  const auto map = [](std::size_t pages) {
    const std::size_t bytes = pages * kPageBytes;
    void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return Range{reinterpret_cast<Address>(at), bytes};
  };
  const auto unmap = [](Range range) { munmap(range.pointer(), range.bytes); };
  const Range elsewhere = map(3);
  {
    const LibraryPlace place("a library of library_slots_test");
    const Range first = map(3), next = map(2);
    EXPECT_TRUE(place.has(first));
    EXPECT_FALSE(place.has(next));
    EXPECT_FALSE(place.has(elsewhere));
    unmap(first);
    EXPECT_TRUE(place.has(next));  // a hole above it is that of a library with larger pages
    unmap(next);
  }
  unmap(elsewhere);
}

}  // namespace
}  // namespace roam::iso
