// Texts, tables and registrations of libc: wide and multibyte characters, searching, formats of
// one's own, what is called at the end.
#include <argp.h>
#include <complex.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fenv.h>
#include <fmtmsg.h>
#include <glob.h>
#include <iconv.h>
#include <inttypes.h>
#include <langinfo.h>
#include <libintl.h>
#include <locale.h>
#include <malloc.h>
#include <math.h>
#include <nl_types.h>
#include <obstack.h>
#include <printf.h>
#include <pthread.h>
#include <regex.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <uchar.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>
#include <wordexp.h>

#include "tests/check/library_calls.h"

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

namespace roam_test {
namespace {

const time_t kMoment = 1'700'000'000;

int compare_numbers(const void* a, const void* b) {
  return *static_cast<const int*>(a) - *static_cast<const int*>(b);
}

int print_nothing(FILE*, const printf_info*, const void* const*) { return 0; }
int one_pointer(const printf_info*, size_t n, int* types, int* sizes) {
  if (n > 0) {
    types[0] = PA_POINTER;
    sizes[0] = sizeof(void*);
  }
  return 1;
}

const Call kCalls[] = {
    {"tsearch, tfind, twalk, tdestroy",
     [] {
       static const int numbers[] = {3, 1, 2, 5, 4};
       void* root = nullptr;
       for (const int& n : numbers) tsearch(&n, &root, compare_numbers);
       use(tfind(&numbers[2], &root, compare_numbers));
       twalk(root, [](const void*, VISIT, int) {});
       twalk_r(
           root, [](const void*, VISIT, void*) {}, nullptr);
       tdestroy(root, [](void*) {});
     }},
    {"lsearch, lfind, insque, remque",
     [] {
       int table[10] = {1, 2, 3}, four = 4;
       size_t count = 3;
       use(lsearch(&four, table, &count, sizeof(int), compare_numbers));
       use(lfind(&four, table, &count, sizeof(int), compare_numbers));
       struct Item {
         Item *next, *previous;
         char text[8];
       } one{}, two{};
       insque(&one, nullptr);
       insque(&two, &one);
       remque(&two);
     }},
    {"hsearch with keys of the process",
     [] {
       hcreate(30);
       static char key[] = "key";
       ENTRY entry{key, nullptr};
       use(hsearch(entry, ENTER));
       use(hsearch(entry, FIND));
       hdestroy();
     }},
    {"qsort of much, of large elements",
     [] {
       const size_t n = 40000;
       int* numbers = static_cast<int*>(malloc(n * sizeof(int)));
       for (size_t i = 0; i < n; ++i) numbers[i] = static_cast<int>(i * 7919 % n);
       qsort(numbers, n, sizeof(int), compare_numbers);
       qsort(numbers, n / 100, 100 * sizeof(int), compare_numbers);
       free(numbers);
     }},
    {"glob of home, with an error function, appended",
     [] {
       glob_t found{};
       use(glob(
           "~/*", GLOB_TILDE | GLOB_NOSORT, [](const char*, int) { return 0; }, &found));
       use(glob("/etc/p*", GLOB_APPEND | GLOB_MARK | GLOB_BRACE, nullptr, &found));
       globfree(&found);
       use(glob("~nobody_of_that_name/x", GLOB_TILDE_CHECK, nullptr, &found));
     }},
    {"wordexp of variables, a home and a command",
     [] {
       wordexp_t words{};
       if (wordexp("$HOME ~root ${NONE:-other} $(echo one two) /etc/p*", &words, 0) == 0)
         wordfree(&words);
       use(wordexp("a | b", &words, WRDE_NOCMD));
     }},
    {"getsubopt",
     [] {
       char options[] = "ro,size=5,none", ro[] = "ro", size[] = "size";
       char* const names[] = {ro, size, nullptr};
       char *rest = options, *value = nullptr;
       while (*rest != '\0') use(getsubopt(&rest, names, &value));
     }},
    {"argp_parse",
     [] {
       static const argp_option options[] = {{"size", 's', "N", 0, "a size", 0}, {}};
       static const argp parser = {
           options, [](int key, char*, argp_state*) { return key == 's' ? 0 : ARGP_ERR_UNKNOWN; },
           nullptr, nullptr,
           nullptr, nullptr,
           nullptr};
       char name[] = "program", option[] = "--size=5";
       char* words[] = {name, option, nullptr};
       use(argp_parse(&parser, 2, words, ARGP_NO_EXIT | ARGP_NO_ERRS, nullptr, nullptr));
       optarg = nullptr;
     }},
    {"register_printf_function, of a type, of a modifier",
     [] {
       register_printf_specifier('Y', print_nothing, one_pointer);
       char text[50];
       const char* format = "%Y and %d";
       use(snprintf(text, sizeof text, format, nullptr, 5));
       register_printf_specifier('Y', nullptr, nullptr);
       use(register_printf_modifier(L"Q"));
     }},
    {"obstack, obstack_printf",
     [] {
       obstack stack;
       obstack_init(&stack);
       for (int i = 0; i < 1000; ++i) obstack_grow(&stack, "text", 4);
       obstack_printf(&stack, "%d", 5);
       use(obstack_finish(&stack));
       obstack_free(&stack, nullptr);
     }},
    {"fmtmsg, addseverity",
     [] {
       addseverity(7, "SEVEN");
       use(fmtmsg(0, "roam:check", 7, "a text", "an action", "roam:check:1"));
       addseverity(7, nullptr);
     }},
    {"atexit, on_exit, at_quick_exit, pthread_atfork",
     [] {
       for (int i = 0; i < 40; ++i) {
         atexit([] {});
         on_exit([](int, void*) {}, nullptr);
         at_quick_exit([] {});
       }
       pthread_atfork([] {}, [] {}, [] {});
     }},
    {"c16rtomb, mbrtoc32, mbtowc, mblen, mbsnrtowcs",
     [] {
       char bytes[16];
       mbstate_t state{};
       char32_t point = 0;
       use(c16rtomb(bytes, u'a', &state));
       use(mbrtoc32(&point, "a", 1, nullptr));
       wchar_t wide[10];
       use(mbtowc(wide, "a", 1));
       use(mblen("a", 1));
       const char* from = "text";
       use(mbsnrtowcs(wide, &from, 4, 10, nullptr));
       const wchar_t* back = L"text";
       use(wcsrtombs(bytes, &back, sizeof bytes, nullptr));
     }},
    {"multibyte characters in a named locale",
     [] {
       locale_t named = newlocale(LC_ALL_MASK, "C.UTF-8", nullptr);
       const locale_t before = uselocale(named);
       wchar_t wide[20];
       use(mbstowcs(wide, "\xc3\xa4\xe2\x82\xac", 20));
       use(mbrtowc(wide, "\xe2\x82", 2, nullptr));
       use(mbrtowc(nullptr, nullptr, 0, nullptr));
       FILE* file = tmpfile();
       fputws(L"\x20ac \xe4", file);
       rewind(file);
       use(fgetws(wide, 20, file));
       fclose(file);
       char text[40];
       use(snprintf(text, sizeof text, "%'d %ls", 1234567, L"\x20ac"));
       uselocale(before);
       freelocale(named);
     }},
    {"wcsftime, wcsxfrm, wcscasecmp, wcsstr, wmemset",
     [] {
       tm moment{};
       wchar_t text[100];
       use(wcsftime(text, 100, L"%A %c %Z", &moment));
       use(wcsxfrm(text, L"text", 100));
       use(wcscasecmp(L"a", L"B"));
       use(wcsstr(L"a text", L"text"));
       use(wcspbrk(L"text", L"x"));
       use(wcstoull(L"0x10", nullptr, 0));
       use(wcstold(L"1.5e300", nullptr));
       use(wcswidth(L"text", 4));
     }},
    {"wctype, iswctype, wctrans, towctrans",
     [] {
       use(iswctype(L'a', wctype("alpha")));
       use(towctrans(L'a', wctrans("toupper")));
       use(wctype("no such class"));
     }},
    {"wide scanning that allocates",
     [] {
       wchar_t* word = nullptr;
       char* narrow = nullptr;
       if (swscanf(L"word other", L"%mls %ms", &word, &narrow) == 2) use(word);
       free(word);
       free(narrow);
     }},
    {"strxfrm, strcoll_l, strcasestr, memmem, strtoumax",
     [] {
       char key[100];
       use(strxfrm(key, "text", sizeof key));
       locale_t named = newlocale(LC_ALL_MASK, "C.UTF-8", nullptr);
       use(strcoll_l("a", "b", named));
       use(strxfrm_l(key, "text", sizeof key, named));
       use(strtod_l("1.5", nullptr, named));
       use(strftime_l(key, sizeof key, "%c", gmtime(&kMoment), named));
       use(strerror_l(2, named));
       freelocale(named);
       use(strcasestr("a TEXT", "text"));
       use(memmem("a text", 6, "te", 2));
       use(strtoumax("10", nullptr, 10));
     }},
    {"strerrorname_np, sigabbrev_np, sigdescr_np, strsignal",
     [] {
       use(strerrorname_np(2));
       use(strerrordesc_np(2));
       use(sigabbrev_np(11));
       use(sigdescr_np(11));
       use(strsignal(40));
     }},
    {"messages in a translated locale",
     [] {
       use(setlocale(LC_ALL, "C.UTF-8"));
       setenv("LANGUAGE", "de:fr", 1);
       use(strerror(2));
       use(dgettext("libc", "No such file or directory"));
       use(dngettext("libc", "%d file", "%d files", 2));
       use(bindtextdomain("roam_check_2", "/usr/share/locale"));
       use(dcngettext("roam_check_2", "one", "many", 3, LC_MESSAGES));
       unsetenv("LANGUAGE");
       use(setlocale(LC_ALL, "C"));
     }},
    {"iconv of many sets, with a translation, of none",
     [] {
       for (const char* set : {"UTF-16LE", "UTF-32", "ISO-8859-15", "EUC-JP", "ASCII//TRANSLIT",
                               "KOI8-R//IGNORE", "CP1252", "UTF-7", "NO-SUCH-SET"}) {
         iconv_t converter = iconv_open(set, "UTF-8");
         if (converter == reinterpret_cast<iconv_t>(-1)) continue;
         char from[] = "text \xc3\xa4", to[100];
         char *in = from, *out = to;
         size_t in_bytes = sizeof from, out_bytes = sizeof to;
         use(iconv(converter, &in, &in_bytes, &out, &out_bytes));
         use(iconv(converter, nullptr, nullptr, &out, &out_bytes));
         iconv_close(converter);
       }
     }},
    {"re_compile_pattern, re_search",
     [] {
       re_pattern_buffer pattern{};
       re_registers found{};
       use(re_set_syntax(RE_SYNTAX_POSIX_EXTENDED));
       if (re_compile_pattern("([a-z]+) [0-9]+", 15, &pattern) == nullptr) {
         use(re_search(&pattern, "word 125", 8, 0, 8, &found));
         free(found.start);
         free(found.end);
       }
       regfree(&pattern);
     }},
    {"regexec of many, with classes and back references",
     [] {
       regex_t expression;
       if (regcomp(&expression, "([[:alpha:]]+)[[:space:]]\\1|([[=a=]]b{2,5})*", REG_EXTENDED) != 0)
         return;
       regmatch_t found[3];
       for (const char* text : {"word word", "abbabbb", "", "nothing of all that"})
         use(regexec(&expression, text, 3, found, 0));
       regfree(&expression);
     }},
    {"initstate, setstate, srandom_r, erand48, arc4random",
     [] {
       static char state[64];
       char* before = initstate(5, state, sizeof state);
       use(random());
       setstate(before);
       unsigned short seed[3] = {1, 2, 3};
       use(erand48(seed));
       use(arc4random());
       use(arc4random_uniform(10));
     }},
    {"a64l, gcvt, qecvt, fcvt_r, strfromd",
     [] {
       char text[100];
       int point = 0, sign = 0;
       use(a64l("abc"));
       use(gcvt(1.5, 10, text));
       use(qecvt(1.5L, 10, &point, &sign));
       use(fcvt_r(1.5, 3, &point, &sign, text, sizeof text));
       use(strfromd(text, sizeof text, "%.3f", 1.5));
     }},
    {"fenv, lgamma, signgam, nan",
     [] {
       fenv_t state;
       fegetenv(&state);
       use(feraiseexcept(FE_INEXACT));
       fesetenv(&state);
       use(lgamma(0.5));
       use(nan("0x5"));
       int quotient = 0;
       use(remquo(5.5, 2, &quotient));
     }},
    {"pthread_rwlock, spin, barrier, setname, affinity in attributes",
     [] {
       pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
       pthread_rwlock_rdlock(&lock);
       pthread_rwlock_unlock(&lock);
       pthread_rwlock_destroy(&lock);
       pthread_spinlock_t spin;
       pthread_spin_init(&spin, 0);
       pthread_spin_trylock(&spin);
       pthread_spin_unlock(&spin);
       pthread_barrier_t barrier;
       pthread_barrier_init(&barrier, nullptr, 1);
       pthread_barrier_wait(&barrier);
       pthread_barrier_destroy(&barrier);
       pthread_attr_t attributes;
       pthread_attr_init(&attributes);
       cpu_set_t set;
       CPU_ZERO(&set);
       CPU_SET(0, &set);
       pthread_attr_setaffinity_np(&attributes, sizeof set, &set);
       sigset_t signals;
       sigemptyset(&signals);
       pthread_attr_setsigmask_np(&attributes, &signals);
       pthread_attr_destroy(&attributes);
       char name[16];
       use(pthread_getname_np(pthread_self(), name, sizeof name));
     }},
    {"many keys of kernel threads",
     [] {
       pthread_key_t keys[40];
       for (pthread_key_t& key : keys) {
         pthread_key_create(&key, nullptr);
         static int value = 0;
         pthread_setspecific(key, &value);
       }
       for (pthread_key_t key : keys) {
         pthread_setspecific(key, nullptr);
         pthread_key_delete(key);
       }
     }},
    {"mtx_init, cnd_init, call_once of C",
     [] {
       mtx_t mutex;
       cnd_t condition;
       mtx_init(&mutex, mtx_plain);
       cnd_init(&condition);
       mtx_lock(&mutex);
       cnd_signal(&condition);
       mtx_unlock(&mutex);
       static once_flag once = ONCE_FLAG_INIT;
       call_once(&once, [] {});
       cnd_destroy(&condition);
       mtx_destroy(&mutex);
     }},
    {"malloc_info, mallopt, malloc_stats of none, posix_memalign",
     [] {
       FILE* out = fopen("/dev/null", "w");
       use(malloc_info(0, out));
       fclose(out);
       void* block = nullptr;
       if (posix_memalign(&block, 4096, 10000) == 0) free(block);
       free(valloc(100));
       free(reallocarray(nullptr, 10, 10));
     }},
    {"__fpurge, __freading, setbuf of none, fread, fwrite, putw",
     [] {
       FILE* file = tmpfile();
       setbuf(file, nullptr);
       use(putw(5, file));
       rewind(file);
       use(getw(file));
       __fpurge(file);
       use(__fbufsize(file));
       use(dprintf(fileno(file), "%d", 5));
       use(fputc_unlocked('a', file));
       char text[8];
       use(fread(text, 1, sizeof text, file));
       fclose(file);
     }},
    {"a stream that is filled over its buffer, ungetc of much",
     [] {
       FILE* file = tmpfile();
       for (int i = 0; i < 5000; ++i) fprintf(file, "%d ", i);
       rewind(file);
       int n = 0;
       for (int i = 0; i < 5000; ++i) use(fscanf(file, "%d", &n));
       for (int i = 0; i < 2000; ++i) ungetc('a', file);
       use(fgetc(file));
       fclose(file);
     }},
    {"getdate with a file, strptime, tzname of a zone with rules",
     [] {
       char name[] = "/tmp/roam_check_XXXXXX";
       const int file = mkstemp(name);
       use(write(file, "%Y-%m-%d\n%H:%M\n", 15));
       close(file);
       setenv("DATEMSK", name, 1);
       use(getdate("2026-11-27"));
       tm moment;
       use(getdate_r("10:11", &moment));
       unsetenv("DATEMSK");
       unlink(name);
       setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
       tzset();
       use(localtime(&kMoment));
       setenv("TZ", ":Europe/Berlin", 1);
       use(mktime(&moment));
       unsetenv("TZ");
       tzset();
     }},
    {"catopen of a file that is none, by a path",
     [] {
       setenv("NLSPATH", "/tmp/%N:/usr/share/%L/%N", 1);
       nl_catd none = catopen("roam_check", NL_CAT_LOCALE);
       if (none != reinterpret_cast<nl_catd>(-1)) catclose(none);
       unsetenv("NLSPATH");
     }},
    {"dladdr1, dlinfo of paths, dlopen of a library with thread-local data",
     [] {
       Dl_info info;
       void* entry = nullptr;
       use(dladdr1(reinterpret_cast<void*>(&qsort), &info, &entry, RTLD_DL_SYMENT));
       void* library = dlopen("libgomp.so.1", RTLD_NOW);
       if (library == nullptr) return;
       if (auto* threads = reinterpret_cast<int (*)()>(dlsym(library, "omp_get_max_threads")))
         use(threads());
       Dl_serinfo size;
       use(dlinfo(library, RTLD_DI_SERINFOSIZE, &size));
       dlclose(library);
     }},
};

}  // namespace

std::span<const Call> calls_of_text() { return kCalls; }

}  // namespace roam_test
