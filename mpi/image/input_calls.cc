// Calls that read from a stream, or ask about one: of the standard input the virtual rank's own is
// meant (standard_input.h).

#include <cstdarg>
#include <cstdio>
#include <cwchar>
#include <iterator>
#include <string>
#include <utility>

#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

StandardInput& input() { return Image::running()->standard_input(); }

// Of all of these the arguments are integers and pointers, at most six, handed on as they are.
using Real = long (*)(long, long, long, long, long, long);

enum class Does { kReads, kStays, kBeginsAgain };
struct Call {
  const char* name;
  unsigned stream;  // which argument, from 1 on
  Does does = Does::kReads;
};
constexpr Call kCalls[] = {
    {"fgetc", 1},
    {"getc", 1},
    {"_IO_getc", 1},
    {"fgetc_unlocked", 1},
    {"getc_unlocked", 1},
    {"__uflow", 1},
    {"__underflow", 1},
    {"getw", 1},
    {"fgets", 3},
    {"_IO_fgets", 3},
    {"fgets_unlocked", 3},
    {"__fgets_chk", 4},
    {"__fgets_unlocked_chk", 4},
    {"fread", 4},
    {"_IO_fread", 4},
    {"fread_unlocked", 4},
    {"__fread_chk", 5},
    {"__fread_unlocked_chk", 5},
    {"getline", 3},
    {"getdelim", 4},
    {"__getdelim", 4},
    {"fgetwc", 1},
    {"getwc", 1},
    {"fgetwc_unlocked", 1},
    {"getwc_unlocked", 1},
    {"__wuflow", 1},
    {"__wunderflow", 1},
    {"fgetws", 3},
    {"fgetws_unlocked", 3},
    {"__fgetws_chk", 4},
    {"__fgetws_unlocked_chk", 4},
    {"fseek", 1, Does::kBeginsAgain},
    {"fseeko", 1, Does::kBeginsAgain},
    {"fseeko64", 1, Does::kBeginsAgain},
    {"ftell", 1, Does::kStays},
    {"_IO_ftell", 1, Does::kStays},
    {"ftello", 1, Does::kStays},
    {"ftello64", 1, Does::kStays},
    {"rewind", 1, Does::kBeginsAgain},
    {"fgetpos", 1, Does::kStays},
    {"fgetpos64", 1, Does::kStays},
    {"fsetpos", 1, Does::kBeginsAgain},
    {"fsetpos64", 1, Does::kBeginsAgain},
    {"__fpurge", 1, Does::kStays},
};
constexpr std::size_t kCount = std::size(kCalls);
Real real_calls[kCount];

template <std::size_t kIndex>
long on_stream(long a, long b, long c, long d, long e, long f) {
  long arguments[] = {a, b, c, d, e, f};
  long& stream = arguments[kCalls[kIndex].stream - 1];
  auto* const given = reinterpret_cast<FILE*>(stream);
  if (StandardInput::is_meant(given)) [[unlikely]] {
    stream = reinterpret_cast<long>(kCalls[kIndex].does == Does::kReads ? input().stream(given)
                                                                        : input().acted_stream());
    if (kCalls[kIndex].does == Does::kBeginsAgain) input().begin_again();
  }
  return real_calls[kIndex](arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                            arguments[5]);
}
template <std::size_t... kIndex>
void add_on_stream(std::index_sequence<kIndex...>) {
  (add_call_before(kCalls[kIndex].name, &on_stream<kIndex>, &real_calls[kIndex]), ...);
}

// ---- what is asked of a stream, or put back into it ----

template <int (*kCall)(FILE*)>
int is_at_end(FILE* stream) {
  if (!StandardInput::is_meant(stream)) return kCall(stream);
  return input().has_it() ? kCall(input().asked_stream()) : input().is_at_end();
}
template <int (*kCall)(FILE*)>
int has_error(FILE* stream) {
  return kCall(StandardInput::is_meant(stream) ? input().asked_stream() : stream);
}
int orient(FILE* stream, int mode) {
  return ::fwide(StandardInput::is_meant(stream) ? input().asked_stream() : stream, mode);
}
template <void (*kCall)(FILE*)>
void clear_error(FILE* stream) {
  if (StandardInput::is_meant(stream)) {
    input().begin_again();
    stream = input().asked_stream();
  }
  kCall(stream);
}
int put_back(int c, FILE* stream) {
  if (StandardInput::is_meant(stream) && !input().has_it()) return EOF;
  return ::ungetc(c, input().stream(stream));
}
wint_t put_back_wide(wint_t c, FILE* stream) {
  if (StandardInput::is_meant(stream) && !input().has_it()) return WEOF;
  return ::ungetwc(c, input().stream(stream));
}

// ---- those that mean the standard input without saying so ----

int get_char() { return ::getc(input().stream(stdin)); }
int get_char_unlocked() { return ::getc_unlocked(input().stream(stdin)); }
wint_t get_wide_char() { return ::getwc(input().stream(stdin)); }
wint_t get_wide_char_unlocked() { return ::getwc_unlocked(input().stream(stdin)); }

// The headers have no gets any more; programs that were compiled long ago do.
using Gets = char* (*)(char*);
using CheckedGets = char* (*)(char*, std::size_t);
Gets real_gets = nullptr;
CheckedGets real_checked_gets = nullptr;
// It reads what the variable stdin says.
bool has_line() { return input().stream(stdin) == stdin; }
char* get_line(char* to) { return has_line() ? real_gets(to) : nullptr; }
char* get_line_checked(char* to, std::size_t room) {
  return has_line() ? real_checked_gets(to, room) : nullptr;
}

// ---- scanf and its kin ----

// libc has each by the standard that the program was compiled for.
constexpr const char* kStandards[] = {"", "__isoc99_", "__isoc23_"};
constexpr std::size_t kStandardCount = std::size(kStandards);

template <class Char>
using RealScan = int (*)(FILE*, const Char*, va_list);
template <class Char>
RealScan<Char> real_scans[kStandardCount];

template <class Char, std::size_t kStandard>
int scan_list_of(FILE* stream, const Char* format, va_list arguments) {
  return real_scans<Char>[kStandard](input().stream(stream), format, arguments);
}
template <class Char, std::size_t kStandard>
int scan_list(const Char* format, va_list arguments) {
  return scan_list_of<Char, kStandard>(stdin, format, arguments);
}
template <class Char, std::size_t kStandard>
int scan_of(FILE* stream, const Char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int count = scan_list_of<Char, kStandard>(stream, format, arguments);
  va_end(arguments);
  return count;
}
template <class Char, std::size_t kStandard>
int scan(const Char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int count = scan_list_of<Char, kStandard>(stdin, format, arguments);
  va_end(arguments);
  return count;
}

template <class Char, std::size_t kStandard>
void add_scans(const std::string& name) {  // "scanf" or "wscanf"
  const std::string standard = kStandards[kStandard];
  const void* real = process_symbol(standard + "vf" + name, {});
  if (real == nullptr) return;  // not in this libc
  real_scans<Char>[kStandard] = as_function<RealScan<Char>>(real);
  add_launcher_call(standard + name, &scan<Char, kStandard>);
  add_launcher_call(standard + "f" + name, &scan_of<Char, kStandard>);
  add_launcher_call(standard + "v" + name, &scan_list<Char, kStandard>);
  add_launcher_call(standard + "vf" + name, &scan_list_of<Char, kStandard>);
}
template <std::size_t... kStandard>
void add_all_scans(std::index_sequence<kStandard...>) {
  (add_scans<char, kStandard>("scanf"), ...);
  (add_scans<wchar_t, kStandard>("wscanf"), ...);
}

}  // namespace

void add_input_calls() {
  add_on_stream(std::make_index_sequence<kCount>());
  for (const char* name : {"feof", "_IO_feof"}) add_launcher_call(name, &is_at_end<::feof>);
  add_launcher_call("feof_unlocked", &is_at_end<::feof_unlocked>);
  for (const char* name : {"ferror", "_IO_ferror"}) add_launcher_call(name, &has_error<::ferror>);
  add_launcher_call("ferror_unlocked", &has_error<::ferror_unlocked>);
  add_launcher_call("clearerr", &clear_error<::clearerr>);
  add_launcher_call("clearerr_unlocked", &clear_error<::clearerr_unlocked>);
  add_launcher_call("fwide", &orient);
  for (const char* name : {"ungetc", "_IO_ungetc"}) add_launcher_call(name, &put_back);
  add_launcher_call("ungetwc", &put_back_wide);
  add_launcher_call("getchar", &get_char);
  add_launcher_call("getchar_unlocked", &get_char_unlocked);
  add_launcher_call("getwchar", &get_wide_char);
  add_launcher_call("getwchar_unlocked", &get_wide_char_unlocked);
  for (const char* name : {"gets", "_IO_gets"}) add_call_before(name, &get_line, &real_gets);
  add_call_before("__gets_chk", &get_line_checked, &real_checked_gets);
  add_all_scans(std::make_index_sequence<kStandardCount>());
}

}  // namespace roam::mpi
