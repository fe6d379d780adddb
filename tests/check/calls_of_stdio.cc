// stdio, with wide characters.
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <printf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "tests/check/library_calls.h"

namespace roam_test {
namespace {

FILE* scratch_file(const char* text) {
  FILE* file = tmpfile();
  if (file == nullptr) abort();
  fputs(text, file);
  rewind(file);
  return file;
}

const Call kCalls[] = {
    {"snprintf",
     [] {
       char text[200];
       snprintf(text, sizeof text, "%d %5.2f %s %p %lc", 5, 2.5, "x", text, L'w');
       use(text);
     }},
    {"snprintf of 300 digits",
     [] {
       char text[1200];
       snprintf(text, sizeof text, "%.300f %.*Lf", 1e300, 200, 1.5L);
       use(text);
     }},
    {"printf by position",
     [] {
       char text[200];
       snprintf(text, sizeof text, "%2$s %1$d %3$f", 7, "seven", 7.0);
       use(text);
     }},
    {"vasprintf",
     [] {
       char* text = nullptr;
       if (asprintf(&text, "%0500d", 5) < 0) abort();
       free(text);
     }},
    {"parse_printf_format",
     [] {
       int types[4];
       use(parse_printf_format("%d %s %f", 4, types));
     }},
    {"sscanf",
     [] {
       int n = 0;
       char word[20];
       float f = 0;
       sscanf("12 word 2.5", "%d %19s %f", &n, word, &f);
       use(f);
     }},
    {"sscanf that allocates",
     [] {
       char *word = nullptr, *set = nullptr;
       if (sscanf("word abc", "%ms %m[a-c]", &word, &set) != 2) abort();
       free(word);
       free(set);
     }},
    {"fopen, fprintf, fclose",
     [] {
       FILE* file = fopen("/dev/null", "w");
       fprintf(file, "%d lines", 5);
       fclose(file);
     }},
    {"fopen with a coded character set",
     [] {
       FILE* file = fopen("/dev/null", "w,ccs=UTF-8");
       if (file != nullptr) {
         fwprintf(file, L"%ls", L"wide");
         fclose(file);
       }
     }},
    {"fdopen",
     [] {
       FILE* file = fdopen(open("/dev/zero", O_RDONLY), "r");
       use(fgetc(file));
       fclose(file);
     }},
    {"freopen",
     [] {
       FILE* file = fopen("/dev/null", "r");
       file = freopen("/dev/zero", "r", file);
       use(fgetc(file));
       fclose(file);
     }},
    {"fgets, ungetc",
     [] {
       FILE* file = scratch_file("one line\nanother\n");
       char line[50];
       use(fgets(line, sizeof line, file));
       for (int i = 0; i < 3; ++i) ungetc('a' + i, file);
       use(fgetc(file));
       fclose(file);
     }},
    {"getline, getdelim",
     [] {
       FILE* file = scratch_file("one line\nanother; end");
       char* line = nullptr;
       size_t bytes = 0;
       use(getline(&line, &bytes, file));
       use(getdelim(&line, &bytes, ';', file));
       free(line);
       fclose(file);
     }},
    {"fgetws, ungetwc",
     [] {
       FILE* file = scratch_file("one line\n");
       wchar_t line[50];
       ungetwc(L'x', file);
       use(fgetws(line, 50, file));
       fclose(file);
     }},
    {"fwide, fputws",
     [] {
       FILE* file = tmpfile();
       fwide(file, 1);
       fputws(L"wide text", file);
       fclose(file);
     }},
    {"swprintf, swscanf",
     [] {
       wchar_t text[100];
       int n = 0;
       swprintf(text, 100, L"%d %ls %f", 5, L"wide", 2.5);
       swscanf(text, L"%d", &n);
       use(n);
     }},
    {"setvbuf",
     [] {
       FILE* file = tmpfile();
       char buffer[1000];
       setvbuf(file, buffer, _IOFBF, sizeof buffer);
       fputs("text", file);
       fclose(file);
     }},
    {"setbuffer, setlinebuf",
     [] {
       FILE* file = tmpfile();
       setlinebuf(file);
       fputs("text\nmore", file);
       fclose(file);
     }},
    {"fmemopen",
     [] {
       char text[] = "a text in memory";
       FILE* file = fmemopen(text, sizeof text, "r");
       char word[20];
       use(fscanf(file, "%19s", word));
       fclose(file);
     }},
    {"open_memstream",
     [] {
       char* text = nullptr;
       size_t bytes = 0;
       FILE* file = open_memstream(&text, &bytes);
       fprintf(file, "%0300d", 7);
       fclose(file);
       free(text);
     }},
    {"open_wmemstream",
     [] {
       wchar_t* text = nullptr;
       size_t count = 0;
       FILE* file = open_wmemstream(&text, &count);
       fwprintf(file, L"%0300d", 7);
       fclose(file);
       free(text);
     }},
    {"fopencookie",
     [] {
       cookie_io_functions_t functions{};
       functions.write = [](void*, const char*, size_t bytes) {
         return static_cast<ssize_t>(bytes);
       };
       int cookie = 0;
       FILE* file = fopencookie(&cookie, "w", functions);
       fputs("text", file);
       fclose(file);
     }},
    {"popen",
     [] {
       FILE* file = popen("echo text", "r");
       char line[50];
       use(fgets(line, sizeof line, file));
       pclose(file);
     }},
    {"flockfile, fileno, fflush of all",
     [] {
       flockfile(stdout);
       funlockfile(stdout);
       use(fileno(stderr));
       fflush(nullptr);
     }},
    {"fseek, ftell, fgetpos",
     [] {
       FILE* file = scratch_file("0123456789");
       fpos_t at;
       fseek(file, 5, SEEK_SET);
       fgetpos(file, &at);
       fsetpos(file, &at);
       use(ftell(file));
       fclose(file);
     }},
    {"perror, psignal, strerror",
     [] {
       use(strerror(2));
       use(strerror(54321));
       char text[80];
       use(strerror_r(54322, text, sizeof text));
       use(strsignal(11));
       use(strsignal(4321));
     }},
    {"perror",
     [] {
       const int to = dup(2);
       const int null = open("/dev/null", O_WRONLY);
       dup2(null, 2);
       perror("text");
       warn("a warning of %d", 5);
       dup2(to, 2);
       close(to);
       close(null);
     }},
    {"tmpnam, mkstemp, tempnam",
     [] {
       char name[] = "/tmp/roam_check_XXXXXX";
       close(mkstemp(name));
       unlink(name);
       char folder[] = "/tmp/roam_check_XXXXXX";
       use(mkdtemp(folder));
       rmdir(folder);
     }},
    {"opendir, readdir, scandir",
     [] {
       DIR* folder = opendir("/");
       for (int i = 0; i < 3; ++i) use(readdir(folder));
       closedir(folder);
       dirent** names = nullptr;
       const int n = scandir("/", &names, nullptr, alphasort);
       for (int i = 0; i < n; ++i) free(names[i]);
       free(names);
     }},
    {"realpath, getcwd",
     [] {
       free(realpath("/usr/../tmp", nullptr));
       free(getcwd(nullptr, 0));
       free(canonicalize_file_name("/tmp"));
       free(get_current_dir_name());
     }},
    {"putwchar of no text, btowc, wctob",
     [] {
       use(btowc('a'));
       use(wctob(L'a'));
     }},
    {"mbstowcs, wcstombs, mbrtowc",
     [] {
       wchar_t wide[20];
       char narrow[20];
       use(mbstowcs(wide, "text", 20));
       use(wcstombs(narrow, wide, 20));
       mbstate_t state{};
       use(mbrtowc(wide, "x", 1, &state));
       use(mbrtowc(wide, "x", 1, nullptr));
       use(wcrtomb(narrow, L'x', nullptr));
       const char* from = "text";
       use(mbsrtowcs(wide, &from, 20, nullptr));
     }},
    {"wcstod, wcstol, wcsdup, wcscoll, wcstok",
     [] {
       use(wcstod(L"1.25", nullptr));
       use(wcstol(L"125", nullptr, 10));
       free(wcsdup(L"wide"));
       use(wcscoll(L"a", L"b"));
       wchar_t text[] = L"a b";
       wchar_t* rest = nullptr;
       use(wcstok(text, L" ", &rest));
     }},
};

}  // namespace

std::span<const Call> calls_of_stdio() { return kCalls; }

}  // namespace roam_test
