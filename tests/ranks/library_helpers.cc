// Helper threads that libc makes, and those that it makes for C11; calls that call back; and
// pointers that libc would keep to the caller's memory.
#include <aio.h>
#include <dirent.h>
#include <ftw.h>
#include <link.h>
#include <mntent.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/everywhere.h"
#include "tests/ranks/on_rank.h"
#include "tests/ranks/pinning.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

SCENARIO(LibraryHelpers, ReadsAndWritesThatLibcDoesLaterPin) {
  call_everywhere([] {
    int ends[2];
    expect_eq(pipe(ends), 0, "pipe");
    std::vector<char> room(100);
    aiocb request{};
    request.aio_fildes = ends[0];
    request.aio_buf = room.data();
    request.aio_nbytes = room.size();
    expect_eq(aio_read(&request), 0, "aio_read");
    expect_pinned({"aiocb"});
    expect_eq(write(ends[1], "some text", 9), ssize_t{9}, "write");
    yield_until([&] { return aio_error(&request) != EINPROGRESS; });
    expect_eq(aio_return(&request), ssize_t{9}, "aio_return");
    expect_eq(std::string(room.data()), std::string("some text"), "what was read");
    close(ends[0]);
    close(ends[1]);
  });
  on_rank(0, [] {
    FILE* file = nullptr;
    {
      const roam::SystemHeap plain;
      file = tmpfile();
    }
    char text[] = "listed";
    aiocb request{};
    request.aio_fildes = fileno(file);
    request.aio_buf = text;
    request.aio_nbytes = 6;
    request.aio_lio_opcode = LIO_WRITE;
    aiocb* list[] = {&request, nullptr};
    expect_eq(lio_listio(LIO_NOWAIT, list, 2, nullptr), 0, "lio_listio");
    expect_pinned({"aiocb"});
    yield_until([&] { return aio_error(&request) != EINPROGRESS; });
    expect_eq(aio_return(&request), ssize_t{6}, "aio_return");
    expect_eq(lio_listio(LIO_WAIT, list, 2, nullptr), 0, "lio_listio that waits");
    expect_free();
  });
}

SCENARIO(LibraryHelpers, AddressesThatLibcLooksUpLater) {
  call_everywhere([] {
    for (const int mode : {GAI_NOWAIT, GAI_WAIT}) {
      gaicb request{};
      request.ar_name = "127.0.0.1";
      gaicb* list[] = {&request};
      expect_eq(getaddrinfo_a(mode, list, 1, nullptr), 0, "getaddrinfo_a");
      if (mode == GAI_NOWAIT) {
        expect_pinned({"gaicb"});
        yield_until([&] { return gai_error(&request) != EAI_INPROGRESS; });
      }
      expect_free();
      reuse_memory();
      char host[100] = {};
      getnameinfo(request.ar_result->ai_addr, request.ar_result->ai_addrlen, host, sizeof host,
                  nullptr, 0, NI_NUMERICHOST);
      expect_eq(std::string(host), std::string("127.0.0.1"), "the address");
      freeaddrinfo(request.ar_result);
    }
  });
}

SCENARIO(LibraryHelpers, TimersWhoseHelperIsLibcs) {
  static std::atomic<int> ticks;
  call_everywhere([] {
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = [](sigval) { ++ticks; };
    timer_t timer;
    expect_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0, "timer_create");
    const int before = ticks;
    const itimerspec soon{{}, {0, 1'000'000}};
    timer_settime(timer, 0, &soon, nullptr);
    yield_until([&] { return ticks > before; });
    timer_delete(timer);
  });
}

SCENARIO(LibraryHelpers, AThreadOfC11PinsUntilItIsJoined) {
  call_everywhere([] {
    thrd_t id;
    char* made = nullptr;
    const auto body = [](void* given) {
      *static_cast<char**>(given) = strdup("of a kernel thread");
      return 17;
    };
    expect_eq(thrd_create(&id, body, &made), int{thrd_success}, "thrd_create");
    expect_pinned({"kernel thread"});
    int value = 0;
    expect_eq(thrd_join(id, &value), int{thrd_success}, "thrd_join");
    expect_eq(value, 17, "its value");
    expect_pinned({"kernel thread"});
    expect_eq(std::string(made), std::string("of a kernel thread"), "its text");
    free(made);
    expect_free();
  });
}

SCENARIO(LibraryHelpers, AThreadStaysInACallBack) {
  on_rank(0, [] {
    dirent** entries = nullptr;
    const int count = scandir(
        "/proc/self", &entries,
        [](const dirent* entry) {
          if (strcmp(entry->d_name, "maps") == 0) expect_pinned({"scandir"});
          return int{entry->d_name[0] == 'm'};
        },
        alphasort);
    expect(count > 1, "scandir");
    for (int i = 0; i < count; ++i) free(entries[i]);
    free(entries);
    expect_eq(nftw(
                  "/proc/self/fdinfo",
                  [](const char*, const struct stat*, int, FTW*) {
                    expect_pinned({"nftw"});
                    return 7;
                  },
                  5, 0),
              7, "nftw");
    expect_eq(dl_iterate_phdr(
                  [](dl_phdr_info*, size_t, void*) {
                    expect_pinned({"dl_iterate_phdr"});
                    return 3;
                  },
                  nullptr),
              3, "dl_iterate_phdr");
    expect_free();
  });
}

SCENARIO(LibraryHelpers, MountsPinUntilTheyAreClosed) {
  on_rank(0, [] {
    FILE* mounts = setmntent("/proc/self/mounts", "r");
    expect(mounts != nullptr && getmntent(mounts) != nullptr, "getmntent");
    expect_pinned({"setmntent"});
    endmntent(mounts);
    expect_free();
  });
}

SCENARIO(LibraryHelpers, WideTextsOfAMemoryStreamTravel) {
  on_rank(0, [] {
    wchar_t* text = nullptr;
    std::size_t count = 0;
    FILE* file = open_wmemstream(&text, &count);
    for (int i = 0; i < 1000; ++i) fwprintf(file, L"%d ", i);
    expect_pinned({"FILE*"});
    fclose(file);
    expect_eq(count, std::size_t{3890}, "characters");
    for (int hop = 0; hop < roam::ranks(); ++hop) {
      expect_free();
      reuse_memory();
      expect(wcsncmp(text, L"0 1 2 ", 6) == 0 && wcscmp(text + 3886, L"999 ") == 0, "the text");
    }
    free(text);
  });
}

SCENARIO(LibraryHelpers, LibcKeepsNoPointerToAThreadsMemory) {
  static FILE* file = nullptr;  // of the rank
  for (int r = 0; r < roam::ranks(); ++r) {
    for (int turn = 0; turn < 2; ++turn) {
      on_rank(r, [] {
        if (file == nullptr) {
          const roam::SystemHeap plain;
          file = tmpfile();
        }
        reuse_memory();
        std::vector<char> buffer(BUFSIZ);
        std::string name(200, 'n');
        std::vector<char> state(128);
        fprintf(file, "some text\n");
        fflush(file);
        setvbuf(file, buffer.data(), _IOFBF, buffer.size());
        fprintf(file, "%s", "of the buffer\n");
        setbuf(file, buffer.data());
        openlog(name.c_str(), LOG_NDELAY, LOG_USER);
        syslog(LOG_DEBUG, "a line of a test");
        char* before = initstate(17, state.data(), state.size());
        const long drawn = random();
        expect(setstate(before) != nullptr, "the state of before");
        expect(setstate(state.data()) != nullptr, "the thread's own");
        initstate(17, state.data(), state.size());
        expect_eq(random(), drawn, "the first number of the same seed");
        roam::this_thread::migrate(next_rank());
      });
    }
    on_rank(r, [] {
      reuse_memory();
      static_cast<void>(random());
      syslog(LOG_DEBUG, "another line of a test");
      fprintf(file, "more\n");
      rewind(file);
      char line[100];
      expect(fgets(line, sizeof line, file) != nullptr, "fgets");
      expect_eq(std::string(line), std::string("some text\n"), "a line");
      fseek(file, 0, SEEK_END);
    });
  }
}

}  // namespace
}  // namespace roam_test
