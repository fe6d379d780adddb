// The rest of libc: times, locales, conversions, expressions, environment, searching, kernel
// threads.
#include <aio.h>
#include <argp.h>
#include <argz.h>
#include <envz.h>
#include <error.h>
#include <execinfo.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <iconv.h>
#include <langinfo.h>
#include <libintl.h>
#include <locale.h>
#include <malloc.h>
#include <math.h>
#include <monetary.h>
#include <mqueue.h>
#include <nl_types.h>
#include <poll.h>
#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <search.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <wctype.h>
#include <wordexp.h>

#include "tests/check/library_calls.h"

namespace roam_test {
namespace {

const Call kCalls[] = {
    {"time, clock_gettime, gettimeofday",
     [] {
       timespec now;
       clock_gettime(CLOCK_REALTIME, &now);
       use(time(nullptr));
       use(clock());
     }},
    {"localtime, gmtime, mktime, timegm",
     [] {
       const time_t moment = 1'700'000'000;
       use(localtime(&moment));
       use(gmtime(&moment));
       tm broken_down{};
       localtime_r(&moment, &broken_down);
       use(mktime(&broken_down));
       use(timegm(&broken_down));
     }},
    {"tzset of another zone",
     [] {
       setenv("TZ", "Asia/Tokyo", 1);
       tzset();
       const time_t moment = 1'700'000'000;
       use(localtime(&moment));
       setenv("TZ", "UTC", 1);
       tzset();
       unsetenv("TZ");
       tzset();
     }},
    {"strftime, strptime, ctime, asctime",
     [] {
       tm broken_down{};
       char text[200];
       use(strptime("2026-11-27 10:11:12", "%Y-%m-%d %H:%M:%S", &broken_down));
       strftime(text, sizeof text, "%c %Z %A %EC", &broken_down);
       use(asctime(&broken_down));
       const time_t moment = 0;
       use(ctime(&moment));
     }},
    {"getdate", [] { use(getdate("10:11")); }},
    {"setlocale",
     [] {
       use(setlocale(LC_ALL, "C.UTF-8"));
       use(setlocale(LC_ALL, nullptr));
       use(setlocale(LC_ALL, "no_such_locale"));
       use(setlocale(LC_ALL, "C"));
     }},
    {"newlocale, duplocale, freelocale",
     [] {
       locale_t named = newlocale(LC_ALL_MASK, "C.UTF-8", nullptr);
       locale_t copy = duplocale(named);
       use(nl_langinfo_l(CODESET, named));
       freelocale(copy);
       freelocale(named);
     }},
    {"uselocale, *_l",
     [] {
       locale_t named = newlocale(LC_ALL_MASK, "C.UTF-8", nullptr);
       const locale_t before = uselocale(named);
       use(strtod("1.5", nullptr));
       use(towupper(L'x'));
       uselocale(before);
       freelocale(named);
     }},
    {"localeconv, nl_langinfo, strfmon",
     [] {
       use(localeconv());
       use(nl_langinfo(RADIXCHAR));
       char text[100];
       use(strfmon(text, sizeof text, "%n", 12.5));
     }},
    {"gettext, textdomain, bindtextdomain",
     [] {
       use(bindtextdomain("roam_check", "/tmp"));
       use(bind_textdomain_codeset("roam_check", "UTF-8"));
       use(textdomain("roam_check"));
       use(gettext("a text"));
       use(ngettext("one", "many", 5));
       use(dcgettext("roam_check", "another", LC_MESSAGES));
       use(textdomain("messages"));
     }},
    {"catopen",
     [] {
       nl_catd catalogue = catopen("no_such_catalogue", 0);
       if (catalogue != reinterpret_cast<nl_catd>(-1)) catclose(catalogue);
     }},
    {"iconv",
     [] {
       iconv_t converter = iconv_open("UTF-16", "ISO-8859-1");
       char from[] = "text", to[50];
       char *in = from, *out = to;
       size_t in_bytes = 4, out_bytes = sizeof to;
       use(iconv(converter, &in, &in_bytes, &out, &out_bytes));
       iconv_close(converter);
       use(iconv_open("no such set", "UTF-8"));
     }},
    {"iconv of a loaded set",
     [] {
       iconv_t converter = iconv_open("SJIS//TRANSLIT", "UTF-8");
       if (converter != reinterpret_cast<iconv_t>(-1)) iconv_close(converter);
     }},
    {"regcomp, regexec, regerror",
     [] {
       regex_t expression;
       regmatch_t found[3];
       if (regcomp(&expression, "([a-z]+) ([0-9]+)", REG_EXTENDED) != 0) abort();
       use(regexec(&expression, "word 125", 3, found, 0));
       regfree(&expression);
       char text[100];
       const int error = regcomp(&expression, "[a", REG_EXTENDED);
       use(regerror(error, &expression, text, sizeof text));
     }},
    {"fnmatch, glob, wordexp",
     [] {
       use(fnmatch("*.cc", "file.cc", 0));
       glob_t names;
       if (glob("/usr/*", 0, nullptr, &names) == 0) globfree(&names);
       if (glob("~/*", GLOB_TILDE, nullptr, &names) == 0) globfree(&names);
       wordexp_t words;
       if (wordexp("a $HOME ~", &words, 0) == 0) wordfree(&words);
     }},
    {"ftw, nftw",
     [] {
       use(nftw(
           "/usr/share/zoneinfo", [](const char*, const struct stat*, int, FTW*) { return 0; }, 5,
           FTW_PHYS));
     }},
    {"fts",
     [] {
       char path[] = "/usr/share/doc/base-files";
       char* const paths[] = {path, nullptr};
       FTS* tree = fts_open(paths, FTS_PHYSICAL, nullptr);
       while (tree != nullptr && fts_read(tree) != nullptr) {
       }
       if (tree != nullptr) fts_close(tree);
     }},
    {"setenv, putenv, unsetenv, getenv",
     [] {
       setenv("ROAM_CHECK_A", "a value", 1);
       setenv("ROAM_CHECK_A", "another value that is longer", 1);
       char text[] = "ROAM_CHECK_B=b";
       putenv(text);
       use(getenv("ROAM_CHECK_B"));
       unsetenv("ROAM_CHECK_A");
       unsetenv("ROAM_CHECK_B");
     }},
    {"hcreate_r, hsearch_r",
     [] {
       hsearch_data table{};
       hcreate_r(10, &table);
       char key[] = "key";
       ENTRY entry{key, nullptr}, *found = nullptr;
       hsearch_r(entry, ENTER, &found, &table);
       hdestroy_r(&table);
     }},
    {"hcreate, hdestroy",
     [] {
       hcreate(10);
       hdestroy();
     }},
    {"tsearch, tdelete",
     [] {
       void* root = nullptr;
       static const auto order = [](const void* a, const void* b) {
         return static_cast<const char*>(a) < static_cast<const char*>(b) ? -1 : a != b;
       };
       int keys[3];
       for (int& key : keys) tsearch(&key, &root, order);
       for (int& key : keys) tdelete(&key, &root, order);
     }},
    {"qsort, bsearch, qsort_r",
     [] {
       int values[5000];
       for (int i = 0; i < 5000; ++i) values[i] = i * 7919 % 5000;
       qsort(values, 5000, sizeof(int), [](const void* a, const void* b) {
         return *static_cast<const int*>(a) - *static_cast<const int*>(b);
       });
       use(values);
     }},
    {"argz, envz",
     [] {
       char* list = nullptr;
       size_t bytes = 0;
       argz_create_sep("a:b:c", ':', &list, &bytes);
       argz_add(&list, &bytes, "d");
       envz_add(&list, &bytes, "name", "value");
       free(list);
     }},
    {"random, rand, drand48, random_r",
     [] {
       srandom(5);
       use(random());
       use(rand());
       use(drand48());
       char state[64];
       random_data data{};
       initstate_r(5, state, sizeof state, &data);
       int32_t value = 0;
       random_r(&data, &value);
     }},
    {"getentropy, getrandom",
     [] {
       char bytes[16];
       use(getentropy(bytes, sizeof bytes));
     }},
    {"strtok_r, strsep, strdup, strndup",
     [] {
       char text[] = "a b c";
       char* rest = nullptr;
       use(strtok_r(text, " ", &rest));
       free(strdup("a text"));
       free(strndup("a text", 3));
     }},
    {"strverscmp, strfry, memfrob, l64a, ecvt",
     [] {
       char text[] = "text";
       strfry(text);
       use(l64a(12345));
       int point = 0, sign = 0;
       use(ecvt(1.25, 5, &point, &sign));
       use(fcvt(1.25, 5, &point, &sign));
     }},
    {"strtod, strtold, strtol of long texts",
     [] {
       char digits[2000];
       memset(digits, '7', sizeof digits - 1);
       digits[sizeof digits - 1] = '\0';
       use(strtod(digits, nullptr));
       use(strtold(digits, nullptr));
       use(strtoll("123456789", nullptr, 10));
     }},
    {"math",
     [] {
       use(sin(1e300));
       use(pow(2.5, 7.1));
       use(lgamma(5.5));
       use(nan("5"));
     }},
    {"backtrace, backtrace_symbols",
     [] {
       void* frames[20];
       const int n = backtrace(frames, 20);
       free(backtrace_symbols(frames, n));
     }},
    {"getopt_long",
     [] {
       char name[] = "program", option[] = "-a";
       char* words[] = {name, option, nullptr};
       optind = 0;
       use(getopt(2, words, "ab"));
       optarg = nullptr;
     }},
    {"malloc family",
     [] {
       free(malloc(100));
       free(calloc(10, 10));
       free(aligned_alloc(64, 128));
       free(realloc(malloc(10), 10000));
       use(mallinfo2());
       use(malloc_trim(0));
     }},
    {"sigaction, sigprocmask, sigaltstack",
     [] {
       struct sigaction before;
       sigaction(SIGUSR2, nullptr, &before);
       sigset_t set;
       sigemptyset(&set);
       pthread_sigmask(SIG_BLOCK, &set, nullptr);
       stack_t stack;
       sigaltstack(nullptr, &stack);
     }},
    {"getrusage, uname, times, statvfs",
     [] {
       rusage usage;
       getrusage(RUSAGE_SELF, &usage);
       utsname name;
       uname(&name);
       struct statvfs system;
       statvfs("/", &system);
     }},
    {"poll, select, nanosleep",
     [] {
       poll(nullptr, 0, 1);
       const timespec short_time{0, 1000};
       nanosleep(&short_time, nullptr);
     }},
    {"posix_spawn, waitpid",
     [] {
       char name[] = "true";
       char* const words[] = {name, nullptr};
       posix_spawn_file_actions_t actions;
       posix_spawn_file_actions_init(&actions);
       posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
       pid_t child = 0;
       if (posix_spawnp(&child, name, &actions, nullptr, words, environ) == 0)
         waitpid(child, nullptr, 0);
       posix_spawn_file_actions_destroy(&actions);
     }},
    {"system", [] { use(system("true")); }},
    {"pthread_create, pthread_join",
     [] {
       pthread_t id;
       if (pthread_create(
               &id, nullptr, [](void*) -> void* { return nullptr; }, nullptr) == 0)
         pthread_join(id, nullptr);
     }},
    {"pthread_attr, pthread_getattr_np",
     [] {
       pthread_attr_t attributes;
       if (pthread_getattr_np(pthread_self(), &attributes) == 0) pthread_attr_destroy(&attributes);
       cpu_set_t* cores = CPU_ALLOC(64);
       CPU_FREE(cores);
     }},
    {"thrd_create, tss_create",
     [] {
       thrd_t id;
       if (thrd_create(
               &id, [](void*) { return 0; }, nullptr) == thrd_success)
         thrd_join(id, nullptr);
       tss_t key;
       if (tss_create(&key, nullptr) == thrd_success) tss_delete(key);
     }},
    {"pthread_key, pthread_once, pthread_mutex",
     [] {
       pthread_key_t key;
       if (pthread_key_create(&key, nullptr) == 0) {
         pthread_setspecific(key, &key);
         pthread_setspecific(key, nullptr);
         pthread_key_delete(key);
       }
       pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
       pthread_mutex_lock(&mutex);
       pthread_mutex_unlock(&mutex);
     }},
    {"sem_open, sem_init",
     [] {
       sem_t semaphore;
       sem_init(&semaphore, 0, 1);
       sem_wait(&semaphore);
       sem_post(&semaphore);
       sem_destroy(&semaphore);
       char name[40];
       snprintf(name, sizeof name, "/roam_check_%d", getpid());
       if (sem_t* named = sem_open(name, O_CREAT, 0600, 1); named != SEM_FAILED) {
         sem_unlink(name);
         sem_close(named);
       }
     }},
    {"timer_create, timer_delete",
     [] {
       timer_t timer;
       sigevent event{};
       event.sigev_notify = SIGEV_NONE;
       if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) timer_delete(timer);
     }},
    {"aio_read",
     [] {
       const int fd = open("/dev/zero", O_RDONLY);
       char byte = 0;
       aiocb request{};
       request.aio_fildes = fd;
       request.aio_buf = &byte;
       request.aio_nbytes = 1;
       if (aio_read(&request) == 0) {
         const aiocb* const list[] = {&request};
         while (aio_error(&request) == EINPROGRESS) aio_suspend(list, 1, nullptr);
         use(aio_return(&request));
       }
       close(fd);
     }},
    {"error, error_at_line",
     [] {
       const int to = dup(2);
       const int null = open("/dev/null", O_WRONLY);
       dup2(null, 2);
       error(0, 2, "of %d", 5);
       error_at_line(0, 0, "file", 5, "text");
       dup2(to, 2);
       close(to);
       close(null);
     }},
    {"getcontext",
     [] {
       ucontext_t context;
       use(getcontext(&context));
     }},
    {"mmap, munmap, mlock",
     [] {
       void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
       mlock(page, 4096);
       munmap(page, 4096);
     }},
};

}  // namespace

std::span<const Call> calls_of_libc() { return kCalls; }

}  // namespace roam_test
