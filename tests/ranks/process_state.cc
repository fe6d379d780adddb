// Calls of the C and C++ libraries that keep state in the process: what they allocate while a
// thread calls them must not leave, or end, with the thread.
#include <dlfcn.h>
#include <grp.h>
#include <iconv.h>
#include <libintl.h>
#include <locale.h>
#include <netdb.h>
#include <pwd.h>
#include <search.h>
#include <syslog.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <cwchar>
#include <functional>
#include <future>
#include <iostream>
#include <locale>
#include <mutex>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/everywhere.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

SCENARIO(Process, EnvironmentSetInAThreadStays) {
  for (int r = 0; r < roam::ranks(); ++r) {
    const roam::Thread setter = roam::spawn(roam::SpawnOptions{.rank = r}, [] {
      for (int i = 0; i < 50; ++i) {
        setenv(("ROAMTEST_" + std::to_string(i)).c_str(), std::string(50 + i, 'e').c_str(), 1);
      }
      roam::this_thread::migrate(next_rank());
    });
    setter.join();
    on_rank(r, [] {
      reuse_memory();
      for (int i = 0; i < 50; ++i) {
        const char* value = getenv(("ROAMTEST_" + std::to_string(i)).c_str());
        expect(value != nullptr && value == std::string(50 + i, 'e'),
               "variable set by a thread that is gone");
      }
      setenv("ROAMTEST_0", std::string(5000, 'f').c_str(), 1);
      for (int i = 0; i < 50; ++i) unsetenv(("ROAMTEST_" + std::to_string(i)).c_str());
    });
  }
}

SCENARIO(Process, LocaltimeAndTimeZones) {
  call_everywhere([] {
    const std::time_t moment = 1'700'000'000;
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    std::tm* local = std::localtime(&moment);
    expect_eq(local->tm_min, 13, "minute");
    setenv("TZ", "UTC", 1);
    tzset();
    char text[64];
    std::strftime(text, sizeof(text), "%F %T %Z", std::localtime(&moment));
    expect_eq(std::string(text), "2023-11-14 22:13:20 UTC", "local time");
    expect_eq(std::string(std::ctime(&moment)), "Tue Nov 14 22:13:20 2023\n", "ctime");
  });
}

SCENARIO(Process, MessagesForErrorsUnknown) {
  static int number = 5000;
  call_everywhere([] {
    for (int i = 0; i < 5; ++i) {
      const int n = ++number;
      expect_eq(std::string(strerror(n)), "Unknown error " + std::to_string(n), "strerror");
      expect_contains(strsignal(1000 + i), {std::to_string(1000 + i)});
    }
  });
}

SCENARIO(Process, LocaleOfTheProcess) {
  call_everywhere([] {
    expect(setlocale(LC_ALL, "C.UTF-8") != nullptr, "setlocale(C.UTF-8)");
    wchar_t wide[10];
    expect_eq(std::mbstowcs(wide, "aé", 10), std::size_t{2}, "characters");
    locale_t locale = newlocale(LC_ALL_MASK, "C.UTF-8", nullptr);
    expect(locale != nullptr, "newlocale");
    freelocale(locale);
    expect(setlocale(LC_ALL, "C") != nullptr, "setlocale(C)");
    expect_eq(std::locale("C.UTF-8").name(), "C.UTF-8", "name of a named std::locale");
  });
}

SCENARIO(Process, GlobalStdLocaleSetInAThreadStays) {
  for (int r = 0; r < roam::ranks(); ++r) {
    roam::spawn(roam::SpawnOptions{.rank = r}, [] {
      std::locale::global(std::locale("C.UTF-8"));
    }).join();
    on_rank(r, [] {
      reuse_memory();
      {
        std::ostringstream out;
        out << 12345 << std::locale().name();
        expect_eq(out.str(), "12345C.UTF-8", "text of a stream");
      }
      std::locale::global(std::locale::classic());
    });
  }
}

SCENARIO(Process, KernelThreadsStartedInThreads) {
  call_everywhere([] {
    static thread_local int of_the_kernel_thread = 0;
    std::vector<std::thread> kernel_threads;
    std::vector<int> results(4);
    for (int i = 0; i < 4; ++i) {
      kernel_threads.emplace_back([&results, i] {
        of_the_kernel_thread += i;
        std::vector<std::string> own(50, std::string(100, 'k'));
        try {
          throw std::runtime_error("in a kernel thread");
        } catch (const std::exception&) {
          results[i] = of_the_kernel_thread + 1;
        }
      });
    }
    for (std::thread& thread : kernel_threads) thread.join();
    for (int i = 0; i < 4; ++i) expect_eq(results[i], i + 1, "result of a kernel thread");
    auto future = std::async(std::launch::async, [] { return std::string(1000, 'f'); });
    expect_eq(future.get(), std::string(1000, 'f'), "result of std::async");
  });
}

SCENARIO(Process, LibrariesLoadedInThreads) {
  call_everywhere([] {
    void* library = dlopen("libm.so.6", RTLD_NOW);
    expect(library != nullptr && dlsym(library, "cbrt") != nullptr, "dlopen and dlsym");
    expect(dlsym(library, "no_such_symbol") == nullptr, "a symbol that is not there");
    expect_contains(dlerror(), {"no_such_symbol"});
    dlclose(library);
    expect(dlopen("libno_such_library.so", RTLD_NOW) == nullptr, "a library that is not there");
    expect_contains(dlerror(), {"libno_such_library"});
  });
}

SCENARIO(Process, UsersGroupsAndHosts) {
  call_everywhere([] {
    const passwd* user = getpwuid(0);
    expect(user != nullptr && std::string(user->pw_name) == "root", "getpwuid");
    const group* root = getgrnam("root");
    expect(root != nullptr && root->gr_gid == 0, "getgrnam");
    addrinfo hints{}, *found = nullptr;
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo("localhost", "80", &hints, &found) == 0) freeaddrinfo(found);
    char room[1000];
    group entry{}, *into = nullptr;
    expect_eq(getgrgid_r(0, &entry, room, sizeof room, &into), 0, "getgrgid_r");
    hostent host{}, *host_found = nullptr;
    int why = 0;
    (void)gethostbyname_r("localhost", &host, room, sizeof room, &host_found, &why);
    setgrent();
    expect(getgrent() != nullptr, "getgrent");
    endgrent();
  });
}

SCENARIO(Process, CharacterSetConversion) {
  call_everywhere([] {
    iconv_t convert = iconv_open("UTF-16LE", "ISO-8859-1");
    expect(convert != reinterpret_cast<iconv_t>(-1), "iconv_open");
    char in[] = "\xe9t\xe9", out[16] = "";
    char *from = in, *to = out;
    std::size_t from_bytes = 3, to_bytes = 16;
    expect_eq(iconv(convert, &from, &from_bytes, &to, &to_bytes), std::size_t{0}, "iconv");
    expect(std::memcmp(out, "\xe9\0t\0\xe9\0", 6) == 0, "converted text");
    iconv_close(convert);
  });
}

SCENARIO(Process, ServicesAndProtocols) {
  call_everywhere([] {
    (void)getservbyname("http", "tcp");
    (void)getprotobyname("tcp");
  });
}

SCENARIO(Process, Translations) {
  call_everywhere([] {
    expect_eq(std::string(gettext("untranslated")), "untranslated", "gettext");
    bindtextdomain("roamtest", "/tmp");
    expect_eq(std::string(dgettext("roamtest", "also")), "also", "dgettext");
  });
}

SCENARIO(Process, StandardStreams) {
  call_everywhere([] {
    fprintf(stdout, "%s", "");
    fflush(stdout);
    std::cout << "" << std::flush;
    std::cerr << "";
    fprintf(stderr, "%*s", 0, "");
    fwide(stdout, 0);
    std::wcerr << L"";
    std::ios_base::sync_with_stdio(true);
  });
}

SCENARIO(Process, TablesAndGeneratorsOfTheProcess) {
  call_everywhere([] {
    srandom(7);
    const long first = random();
    srandom(7);
    expect_eq(random(), first, "random() with the same seed");
    expect(hcreate(50) != 0, "hcreate");
    char key[] = "key";
    expect(hsearch({key, nullptr}, ENTER) != nullptr, "hsearch");
    hdestroy();
    openlog("roamtest", 0, LOG_USER);
    closelog();
    std::random_device device;
    expect(device() != device() || device() != device(), "a random device gives numbers");
  });
}

struct RunsAtExit {
  explicit RunsAtExit(std::string t) : text(std::move(t)) {}
  ~RunsAtExit() {
    if (text != std::string(200, 'x')) abort();
  }
  std::string text;
};

// Their ends run after run() has returned, when the thread's heap is long gone: a wrong one would
// end the job badly.
SCENARIO(Process, ExitHandlersRegisteredInThreads) {
  for (int r = 0; r < roam::ranks(); ++r) {
    on_rank(r, [] {
      static RunsAtExit object(std::string(200, 'x'));
      for (int i = 0; i < 100; ++i) std::atexit([] {});
      roam::this_thread::migrate(next_rank());
    });
  }
}

std::once_flag once;
std::string* made_once;

SCENARIO(Process, CallOnce) {
  call_everywhere([] {
    std::call_once(once, [] {
      roam::SystemHeap system;
      made_once = new std::string(300, 'o');
    });
    expect_eq(*made_once, std::string(300, 'o'), "what was made once");
  });
}

}  // namespace
}  // namespace roam_test
