// What libc, ld.so and their kin allocate for themselves stays when the thread that called them
// leaves or ends; what they give to the caller goes along.
#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <glob.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <pthread.h>
#include <regex.h>
#include <search.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#include <wordexp.h>

#include <ctime>
#include <functional>
#include <iomanip>
#include <sstream>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/everywhere.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

SCENARIO(LibraryMemory, ASymbolThatIsNotThere) {
  call_everywhere([] {
    for (int i = 0; i < 3; ++i) {
      expect(dlsym(RTLD_DEFAULT, "no_such_symbol_of_roam") == nullptr, "dlsym");
      const char* why = dlerror();
      expect(why != nullptr && strstr(why, "no_such_symbol_of_roam") != nullptr, "dlerror");
    }
    static_cast<void>(dlsym(RTLD_DEFAULT, "another_that_is_not_there"));  // its error is kept
  });
}

SCENARIO(LibraryMemory, ThreadLocalsOfALibraryThatIsLoadedLater) {
  call_everywhere([] {
    void* library = dlopen("isomalloc/thread_local_for_test.so", RTLD_NOW);
    expect(library != nullptr, "dlopen");
    auto* next = reinterpret_cast<long* (*)()>(dlsym(library, "next_of_kernel_thread"));
    expect(next != nullptr, "dlsym");
    long* value = next();
    expect(*value >= 0 && *value < 1000, "a thread_local of the rank");
    ++*value;
    reuse_memory();
    expect(next() == value, "its address");
  });
}

SCENARIO(LibraryMemory, BuffersOfStreams) {
  static FILE* narrow = nullptr;  // of the rank
  static FILE* wide = nullptr;
  call_everywhere([] {
    if (narrow == nullptr) {
      const roam::SystemHeap plain;  // pins nobody
      narrow = tmpfile();
      wide = tmpfile();
      fputs("some text\n", narrow);
      fputws(L"some text\n", wide);
    }
    rewind(narrow);
    getc(narrow);
    for (int i = 0; i < 300; ++i) ungetc('a' + i % 26, narrow);
    for (int i = 299; i >= 0; --i) expect_eq(getc(narrow), 'a' + i % 26, "a pushed-back character");
    wchar_t word[20];
    rewind(wide);
    expect_eq(fwscanf(wide, L"%19ls", word), 1, "fwscanf");
    expect(wcscmp(word, L"some") == 0, "a wide word");
    ungetwc(L'x', wide);
    expect_eq(getwc(wide), wint_t{L'x'}, "a pushed-back wide character");
  });
}

SCENARIO(LibraryMemory, TimesAndNames) {
  call_everywhere([] {
    for (const char* zone : {"ABC-3XYZ,M3.5.0,M10.5.0/3", "UTC", "QQQ7"}) {
      setenv("TZ", zone, 1);
      std::time_t moment = 1'700'000'000;
      std::tm parts = *std::localtime(&moment);
      std::ostringstream out;
      out << std::put_time(&parts, "%Y %Z");
      wchar_t wide[50];
      wcsftime(wide, 50, L"%Ec %Z", &parts);
      expect_eq(out.str(), "2023 " + std::string(zone).substr(0, 3), "put_time");
      ctime_r(&moment, std::string(100, ' ').data());
    }
    glob_t found{};
    expect_eq(glob("~", GLOB_TILDE, nullptr, &found), 0, "glob");
    globfree(&found);
    static_cast<void>(gethostid());
    ether_addr address{};
    char host[1100];
    ether_ntohost(host, &address);
    static_cast<void>(innetgr("no_such_group", "host", "user", "domain"));
    static_cast<void>(ttyname(0));
    static_cast<void>(getlogin());
    static_cast<void>(getusershell());
  });
}

SCENARIO(LibraryMemory, RegistrationsAndTablesOfTheProcess) {
  static void* root = nullptr;
  call_everywhere([] {
    for (int i = 0; i < 50; ++i) {
      at_quick_exit([] {});
      on_exit([](int, void*) {}, nullptr);
      pthread_atfork(nullptr, nullptr, nullptr);
      atexit([] {});
    }
    static const char* const keys[] = {"m", "c", "x", "a", "d"};
    const auto compare = [](const void* a, const void* b) {
      return strcmp(static_cast<const char*>(a), static_cast<const char*>(b));
    };
    for (const char* key : keys) {
      const void* node = tsearch(key, &root, compare);
      expect(*static_cast<const char* const*>(node) == key, "a node of a static tree");
    }
    hcreate(100);
    ENTRY* entry = hsearch({const_cast<char*>(keys[0]), nullptr}, ENTER);
    expect(entry != nullptr && strcmp(entry->key, "m") == 0, "hsearch");
    const std::string name = "/roam_library_memory_" + std::to_string(getpid());
    sem_t* semaphore = sem_open(name.c_str(), O_CREAT, 0600, 1);
    expect(semaphore != SEM_FAILED, "sem_open");
    sem_close(semaphore);
    sem_unlink(name.c_str());
  });
}

SCENARIO(LibraryMemory, AStaticPattern) {
  static regex_t pattern;
  static bool compiled = false;
  call_everywhere([] {
    if (!compiled) expect_eq(regcomp(&pattern, "(a|b+)*c", REG_EXTENDED), 0, "regcomp");
    compiled = true;
    for (const char* text : {"abbabbc", "xc", "aaaaac"}) {
      regmatch_t found[2];
      expect_eq(regexec(&pattern, text, 2, found, 0), 0, "regexec");
    }
    expect_eq(regexec(&pattern, "abab", 0, nullptr, 0), REG_NOMATCH, "regexec without a match");
  });
}

SCENARIO(LibraryMemory, BacktracesReachAsFarEverywhere) {
  call_everywhere([] {
    void* frames[100];
    expect(backtrace(frames, 100) > 3, "frames");
  });
}

// Holds what libc gave, of each kind, and looks at it again on the other ranks.
SCENARIO(LibraryMemory, WhatIsGivenTravels) {
  for (int r = 0; r < roam::ranks(); ++r) {
    on_rank(r, [] {
      char* copy = strdup("some text");
      char* printed = nullptr;
      expect_eq(asprintf(&printed, "%d of %s", 42, copy), 15, "asprintf");
      char* line = nullptr;
      std::size_t room = 0;
      FILE* file = tmpfile();
      fputs("a line\nanother, longer than the first\n", file);
      rewind(file);
      expect_eq(getline(&line, &room, file), 7, "getline");
      fclose(file);
      char* path = realpath("/proc/..", nullptr);
      dirent** entries = nullptr;
      const int count = scandir("/proc/self", &entries, nullptr, alphasort);
      expect(count > 10, "scandir");
      std::vector<std::string> names;
      for (int i = 0; i < count; ++i) names.emplace_back(entries[i]->d_name);
      addrinfo* addresses = nullptr;
      expect_eq(getaddrinfo("127.0.0.1", "80", nullptr, &addresses), 0, "getaddrinfo");
      glob_t found{};
      expect_eq(glob("/proc/self/s*", 0, nullptr, &found), 0, "glob");
      const std::string first = found.gl_pathv[0];
      wordexp_t words{};
      expect_eq(wordexp("one ${NO_SUCH:-two}", &words, 0), 0, "wordexp");
      ifaddrs* interfaces = nullptr;
      expect_eq(getifaddrs(&interfaces), 0, "getifaddrs");
      const std::string interface = interfaces != nullptr ? interfaces->ifa_name : "";
      regex_t pattern;
      expect_eq(regcomp(&pattern, "([a-f]+[0-9])*x", REG_EXTENDED), 0, "regcomp");
      void* root = nullptr;
      const auto compare = [](const void* a, const void* b) {
        return strcmp(static_cast<const char*>(a), static_cast<const char*>(b));
      };
      for (const std::string& name : names) tsearch(name.c_str(), &root, compare);
      for (int hop = 0; hop < roam::ranks(); ++hop) {
        roam::this_thread::migrate(next_rank());
        reuse_memory();
        expect_eq(std::string(copy), std::string("some text"), "strdup");
        expect_eq(std::string(printed), std::string("42 of some text"), "asprintf");
        expect_eq(std::string(line), std::string("a line\n"), "getline");
        expect_eq(std::string(path), std::string("/"), "realpath");
        for (int i = 0; i < count; ++i) expect(entries[i]->d_name == names[i], "scandir");
        char host[100];
        expect_eq(getnameinfo(addresses->ai_addr, addresses->ai_addrlen, host, sizeof host, nullptr,
                              0, NI_NUMERICHOST),
                  0, "getnameinfo");
        expect_eq(std::string(host), std::string("127.0.0.1"), "getaddrinfo");
        expect_eq(std::string(found.gl_pathv[0]), first, "glob");
        expect_eq(std::string(words.we_wordv[1]), std::string("two"), "wordexp");
        if (interfaces != nullptr) {
          expect_eq(std::string(interfaces->ifa_name), interface, "getifaddrs");
        }
        expect_eq(regexec(&pattern, "abc1f2x", 0, nullptr, 0), 0, "regexec");
        for (const std::string& name : names) {
          expect(tfind(name.c_str(), &root, compare) != nullptr, "tfind");
        }
        line = static_cast<char*>(realloc(line, 1000 * (hop + 1)));
      }
      for (const std::string& name : names) tdelete(name.c_str(), &root, compare);
      expect(root == nullptr, "the tree is empty");
      regfree(&pattern);
      freeifaddrs(interfaces);
      wordfree(&words);
      globfree(&found);
      freeaddrinfo(addresses);
      for (int i = 0; i < count; ++i) free(entries[i]);
      for (void* block :
           {static_cast<void*>(entries), static_cast<void*>(path), static_cast<void*>(line),
            static_cast<void*>(printed), static_cast<void*>(copy)}) {
        free(block);
      }
    });
  }
}

}  // namespace
}  // namespace roam_test
