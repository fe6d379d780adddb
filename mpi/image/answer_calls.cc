// Functions of libc that answer with a place of the process, or keep a position in it: a virtual
// rank has its own (libc_answers.h), by the forms of them that are given the place.

#include <arpa/inet.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <uchar.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "isomalloc/heap.h"
#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

LibcAnswers& answers() { return Image::running()->libc_answers(); }

// ---- users, hosts, services ----

// Asks with more and more room. `ask(entry, room, bytes, found)` returns an error number.
template <class T, class Ask>
T* ask_for(LibcAnswers::Entry<T>* answer, Ask ask) {
  if (answer->room.empty()) answer->room.resize(1024);
  for (;;) {
    T* found = nullptr;
    const int error = ask(&answer->entry, answer->room.data(), answer->room.size(), &found);
    if (error == ERANGE && answer->room.size() < (std::size_t{16} << 20)) {
      answer->room.resize(answer->room.size() * 4);
      continue;
    }
    if (error != 0) errno = error;
    return found;
  }
}
template <auto kMember, auto kCall, class... A>
auto* answer_of(A... arguments) {
  return ask_for(&(answers().*kMember),
                 [&](auto* entry, char* room, std::size_t bytes, auto** found) {
                   return kCall(arguments..., entry, room, bytes, found);
                 });
}
// The same of calls that have an error number of their own.
template <auto kMember, auto kCall, class... A>
auto* name_service_answer_of(A... arguments) {
  return ask_for(&(answers().*kMember),
                 [&](auto* entry, char* room, std::size_t bytes, auto** found) {
                   int why = 0;
                   const int error = kCall(arguments..., entry, room, bytes, found, &why);
                   if (*found == nullptr) h_errno = why;
                   return error;
                 });
}
mntent* next_mount(FILE* stream) {
  LibcAnswers::Entry<mntent>& mount = answers().mount;
  mount.room.resize(8192);
  return getmntent_r(stream, &mount.entry, mount.room.data(), static_cast<int>(mount.room.size()));
}

// ---- texts ----

// Those that are told apart by small numbers are kept each; of others the last one.
char* text_of(std::string LibcAnswers::*last, const char* text, bool is_known) {
  if (text == nullptr) return nullptr;
  if (is_known) return answers().texts.keep(text);
  (answers().*last) = text;
  return (answers().*last).data();
}
char* text_of_error(int error) {
  const int before = errno;
  char* text = text_of(&LibcAnswers::error, ::strerror(error), strerrordesc_np(error) != nullptr);
  errno = before;
  return text;
}
char* text_of_signal(int signal) {
  return text_of(&LibcAnswers::signal, ::strsignal(signal), sigdescr_np(signal) != nullptr);
}
char* text_of_address(in_addr address) {
  return text_of(&LibcAnswers::address, ::inet_ntoa(address), false);
}
char* text_of_ether(const ether_addr* address) {
  char text[32];
  return text_of(&LibcAnswers::ether_text, ether_ntoa_r(address, text), false);
}
ether_addr* ether_of(const char* text) { return ether_aton_r(text, &answers().ether); }
char* digits_of(long number) { return text_of(&LibcAnswers::digits, ::l64a(number), false); }
// `ask(room, bytes)` returns an error number.
template <class Ask>
char* name_of(std::string LibcAnswers::*last, Ask ask) {
  char room[4096];
  const int error = ask(room, sizeof room);
  if (error != 0) errno = error;
  return error == 0 ? text_of(last, room, false) : nullptr;
}
char* terminal_of(int descriptor) {
  return name_of(&LibcAnswers::terminal, [&](char* room, std::size_t bytes) {
    return ::ttyname_r(descriptor, room, bytes);
  });
}
char* other_terminal_of(int descriptor) {
  return name_of(&LibcAnswers::other_terminal, [&](char* room, std::size_t bytes) {
    return ::ptsname_r(descriptor, room, bytes);
  });
}
char* login_name() { return name_of(&LibcAnswers::login, ::getlogin_r); }
char* password_for(const char* prompt) {
  const char* text;
  {
    const iso::HeapScope process;  // libc keeps the line
    text = ::getpass(prompt);
  }
  return text_of(&LibcAnswers::password, text, false);
}
char* controlling_terminal(char* room) {
  return room != nullptr ? ::ctermid(room)
                         : text_of(&LibcAnswers::controlling, ::ctermid(nullptr), false);
}
// By its address: linkers warn of who names it.
char* temporary_name(char* room) {
  static const auto name = as_function<char* (*)(char*)>(process_symbol("tmpnam_r", ""));
  return name(room != nullptr ? room : answers().temporary);
}

template <auto kRoom, auto kCall, class Real>
char* number_text(Real value, int digits, int* point, int* sign) {
  auto& room = answers().*kRoom;
  return kCall(value, digits, point, sign, room, sizeof room) == 0 ? room : nullptr;
}

// Of the process's locale, whose texts lie in the process.
lconv* conventions() {
  lconv& own = answers().conventions;
  own = *::localeconv();
  for (char* lconv::*text :
       {&lconv::decimal_point, &lconv::thousands_sep, &lconv::grouping, &lconv::int_curr_symbol,
        &lconv::currency_symbol, &lconv::mon_decimal_point, &lconv::mon_thousands_sep,
        &lconv::mon_grouping, &lconv::positive_sign, &lconv::negative_sign})
    own.*text = answers().texts.keep(own.*text);
  return &own;
}

// The same; of items that are numbers, the number.
char* kept_item(char* found) {
  constexpr std::uintptr_t kLeastAddress = 1 << 16;
  if (reinterpret_cast<std::uintptr_t>(found) < kLeastAddress) return found;
  return answers().texts.keep(found);
}
char* item(nl_item which) { return kept_item(::nl_langinfo(which)); }
char* item_of(nl_item which, locale_t of) { return kept_item(::nl_langinfo_l(which, of)); }

// ---- the table of hcreate ----

int make_table(std::size_t count) { return hcreate_r(count, &answers().table); }
void drop_table() { hdestroy_r(&answers().table); }
ENTRY* look_up(ENTRY entry, ACTION action) {
  ENTRY* found = nullptr;
  return hsearch_r(entry, action, &found, &answers().table) != 0 ? found : nullptr;
}

// ---- conversions of characters, of a state that is not given ----

template <auto kState>
mbstate_t* own_if_null(mbstate_t* state) {
  return state != nullptr ? state : &(answers().shifts.*kState);
}
// The last parameter is the state.
template <auto kState, auto kCall, class... A>
std::size_t convert(A... arguments, mbstate_t* state) {
  return kCall(arguments..., own_if_null<kState>(state));
}
using Shifts = LibcAnswers::Shifts;

int as_int(std::size_t bytes) {  // -1 and -2 are one error here
  return static_cast<std::ptrdiff_t>(bytes) < 0 ? -1 : static_cast<int>(bytes);
}
// Encodings of glibc's locales have no shifts, which is what 0 says.
int to_wide(wchar_t* to, const char* from, std::size_t bytes) {
  mbstate_t& state = answers().shifts.plain_to_wide;
  if (from == nullptr) return state = {}, 0;
  return as_int(std::mbrtowc(to, from, bytes, &state));
}
int to_bytes(char* to, wchar_t from) {
  mbstate_t& state = answers().shifts.plain_to_bytes;
  if (to == nullptr) return state = {}, 0;
  return as_int(std::wcrtomb(to, from, &state));
}
int length_of(const char* from, std::size_t bytes) {
  mbstate_t state{};
  return from == nullptr ? 0 : as_int(std::mbrtowc(nullptr, from, bytes, &state));
}

// ---- the log of the system ----

void open_log(const char* name, int options, int facility) {
  const int mask = answers().log.mask;
  answers().log = {.open = true,
                   .named = name != nullptr,
                   .name = name != nullptr ? name : "",
                   .options = options,
                   .facility = facility,
                   .mask = mask};
}
void close_log() {
  const int mask = answers().log.mask;
  answers().log = {};
  answers().log.mask = mask;
}
int set_log_mask(int mask) {
  int& own = answers().log.mask;
  const int before = own;
  if (mask != 0) own = mask;
  return before;
}
void log_with(int priority, const char* format, va_list arguments) {
  const LibcAnswers::Log& log = answers().log;
  const char* name = log.named ? log.name.c_str()
                               : Image::running()->variable<char*>(LibcVariable::kProgramShortName);
  static char name_of_process[256];  // libc keeps the pointer
  std::snprintf(name_of_process, sizeof name_of_process, "%s", name);
  const iso::HeapScope process;
  const int mask = ::setlogmask(log.mask);
  ::openlog(name_of_process, log.options, log.facility);
  ::vsyslog(priority, format, arguments);
  ::closelog();
  ::setlogmask(mask);
}
void log_checked_with(int priority, int, const char* format, va_list arguments) {
  log_with(priority, format, arguments);
}
void log_of(int priority, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  log_with(priority, format, arguments);
  va_end(arguments);
}
void log_checked(int priority, int, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  log_with(priority, format, arguments);
  va_end(arguments);
}

// ---- what is left ----

char* refuse_pattern(const char*) {
  {
    const iso::HeapScope process;
    report("re_comp in a virtual rank is refused: the process has one pattern. Use regcomp");
  }
  static char why[] = "refused in a virtual rank";
  return why;
}

}  // namespace

void add_answer_calls() {
  using A = LibcAnswers;
  add_launcher_call("getpwnam", &answer_of<&A::user, ::getpwnam_r, const char*>);
  add_launcher_call("getpwuid", &answer_of<&A::user, ::getpwuid_r, uid_t>);
  add_launcher_call("fgetpwent", &answer_of<&A::user_of_file, ::fgetpwent_r, FILE*>);
  add_launcher_call("getgrnam", &answer_of<&A::users, ::getgrnam_r, const char*>);
  add_launcher_call("getgrgid", &answer_of<&A::users, ::getgrgid_r, gid_t>);
  add_launcher_call("fgetgrent", &answer_of<&A::users_of_file, ::fgetgrent_r, FILE*>);
  add_launcher_call("getspnam", &answer_of<&A::shadow, ::getspnam_r, const char*>);
  add_launcher_call("fgetspent", &answer_of<&A::shadow_of_file, ::fgetspent_r, FILE*>);
  add_launcher_call("sgetspent", &answer_of<&A::shadow_of_file, ::sgetspent_r, const char*>);
  add_launcher_call("getservbyname",
                    &answer_of<&A::service, ::getservbyname_r, const char*, const char*>);
  add_launcher_call("getservbyport", &answer_of<&A::service, ::getservbyport_r, int, const char*>);
  add_launcher_call("getprotobyname", &answer_of<&A::protocol, ::getprotobyname_r, const char*>);
  add_launcher_call("getprotobynumber", &answer_of<&A::protocol, ::getprotobynumber_r, int>);
  add_launcher_call("gethostbyname",
                    &name_service_answer_of<&A::host, ::gethostbyname_r, const char*>);
  add_launcher_call("gethostbyname2",
                    &name_service_answer_of<&A::host, ::gethostbyname2_r, const char*, int>);
  add_launcher_call(
      "gethostbyaddr",
      &name_service_answer_of<&A::host, ::gethostbyaddr_r, const void*, socklen_t, int>);
  add_launcher_call("getnetbyname",
                    &name_service_answer_of<&A::network, ::getnetbyname_r, const char*>);
  add_launcher_call("getnetbyaddr",
                    &name_service_answer_of<&A::network, ::getnetbyaddr_r, std::uint32_t, int>);
  add_launcher_call("getrpcbyname", &answer_of<&A::program, ::getrpcbyname_r, const char*>);
  add_launcher_call("getrpcbynumber", &answer_of<&A::program, ::getrpcbynumber_r, int>);
  add_launcher_call("getaliasbyname", &answer_of<&A::alias, ::getaliasbyname_r, const char*>);
  add_launcher_call("getmntent", &next_mount);

  add_launcher_call("strerror", &text_of_error);
  add_launcher_call("strsignal", &text_of_signal);
  add_launcher_call("inet_ntoa", &text_of_address);
  add_launcher_call("ether_ntoa", &text_of_ether);
  add_launcher_call("ether_aton", &ether_of);
  add_launcher_call("l64a", &digits_of);
  add_launcher_call("ttyname", &terminal_of);
  add_launcher_call("ptsname", &other_terminal_of);
  add_launcher_call("getlogin", &login_name);
  add_launcher_call("getpass", &password_for);
  add_launcher_call("ctermid", &controlling_terminal);
  add_launcher_call("tmpnam", &temporary_name);
  add_launcher_call("ecvt", &number_text<&A::number, ecvt_r, double>);
  add_launcher_call("fcvt", &number_text<&A::fraction, fcvt_r, double>);
  add_launcher_call("qecvt", &number_text<&A::long_number, qecvt_r, long double>);
  add_launcher_call("qfcvt", &number_text<&A::long_fraction, qfcvt_r, long double>);
  add_launcher_call("localeconv", &conventions);
  add_launcher_call("nl_langinfo", &item);
  add_launcher_call("nl_langinfo_l", &item_of);

  add_launcher_call("hcreate", &make_table);
  add_launcher_call("hdestroy", &drop_table);
  add_launcher_call("hsearch", &look_up);

  add_launcher_call("mbtowc", &to_wide);
  add_launcher_call("wctomb", &to_bytes);
  add_launcher_call("mblen", &length_of);
  add_launcher_call("mbrtowc",
                    &convert<&Shifts::to_wide, std::mbrtowc, wchar_t*, const char*, std::size_t>);
  add_launcher_call("mbrlen", &convert<&Shifts::length, std::mbrlen, const char*, std::size_t>);
  add_launcher_call("__mbrlen", &convert<&Shifts::length, std::mbrlen, const char*, std::size_t>);
  add_launcher_call("wcrtomb", &convert<&Shifts::to_bytes, std::wcrtomb, char*, wchar_t>);
  add_launcher_call(
      "mbsrtowcs",
      &convert<&Shifts::texts_to_wide, std::mbsrtowcs, wchar_t*, const char**, std::size_t>);
  add_launcher_call("mbsnrtowcs", &convert<&Shifts::texts_to_wide, ::mbsnrtowcs, wchar_t*,
                                           const char**, std::size_t, std::size_t>);
  add_launcher_call(
      "wcsrtombs",
      &convert<&Shifts::texts_to_bytes, std::wcsrtombs, char*, const wchar_t**, std::size_t>);
  add_launcher_call("wcsnrtombs", &convert<&Shifts::texts_to_bytes, ::wcsnrtombs, char*,
                                           const wchar_t**, std::size_t, std::size_t>);
  add_launcher_call("mbrtoc16",
                    &convert<&Shifts::to_utf16, ::mbrtoc16, char16_t*, const char*, std::size_t>);
  add_launcher_call("mbrtoc32",
                    &convert<&Shifts::to_utf32, ::mbrtoc32, char32_t*, const char*, std::size_t>);
  add_launcher_call("c16rtomb", &convert<&Shifts::from_utf16, ::c16rtomb, char*, char16_t>);
  add_launcher_call("c32rtomb", &convert<&Shifts::from_utf32, ::c32rtomb, char*, char32_t>);

  add_launcher_call("openlog", &open_log);
  add_launcher_call("closelog", &close_log);
  add_launcher_call("setlogmask", &set_log_mask);
  add_launcher_call("syslog", &log_of);
  add_launcher_call("vsyslog", &log_with);
  add_launcher_call("__syslog_chk", &log_checked);
  add_launcher_call("__vsyslog_chk", &log_checked_with);
  add_launcher_call("re_comp", &refuse_pattern);
}

}  // namespace roam::mpi
