// Time zones. libc has one for the process, and looks at TZ again in some calls and not in others.
// Around each call it has the one of the virtual rank that makes it; what it says of the zone is
// the virtual rank's own then.

#include <time.h>
#include <wchar.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "mpi/image/image.h"
#include "mpi/image/libc_environment.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

extern "C" {
size_t __strftime_l(char*, size_t, const char*, const tm*, locale_t);
size_t __wcsftime_l(wchar_t*, size_t, const wchar_t*, const tm*, locale_t);
}

namespace roam::mpi {
namespace {

LibcState& state() { return Image::running()->libc_state(); }

// A line of an environment, for a list that is not changed.
char* line_of(const std::string& line) { return const_cast<char*>(line.c_str()); }

class InZone {
 public:
  // `anew`: as TZ is now; else as it was when it was last looked at.
  explicit InZone(bool anew) : environment_(list_.data()) {
    Image* image = Image::running();
    LibcState::Zone& zone = image->libc_state().zone;
    if (anew || !zone.known) {
      const char* line = image->environment().line("TZ");
      zone = {.known = true, .is_set = line != nullptr, .line = line != nullptr ? line : ""};
    }
    std::size_t count = 0;
    if (zone.is_set) list_[count++] = line_of(zone.line);
    for (const char* name : {"TZDIR", "DATEMSK"}) {
      if (char* line = image->environment().line(name); line != nullptr) list_[count++] = line;
    }
    ::tzset();
  }
  ~InZone() {
    Image* image = Image::running();
    image->variable<long>(LibcVariable::kTimezone) = ::timezone;
    image->variable<int>(LibcVariable::kDaylight) = ::daylight;
    auto& names = image->variable<std::array<char*, 2>>(LibcVariable::kZoneNames);
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = state().texts.keep(::tzname[i]);
  }

 private:
  std::array<char*, 4> list_{};
  LibcEnvironment environment_;
};

std::tm* with_own_name(std::tm* time) {
  if (time != nullptr) time->tm_zone = state().texts.keep(time->tm_zone);
  return time;
}

// Has `call` fill in `time`, whose name of a zone may be anything, and be what it was afterwards:
// where the call fails, and in scans of formats that have no zone.
template <class Call>
auto filled_by(Call call, std::tm* time) {
  const char* const before = std::exchange(time->tm_zone, nullptr);
  const auto result = call();
  if (time->tm_zone == nullptr) {
    time->tm_zone = before;
  } else {
    with_own_name(time);
  }
  return result;
}

void set_zone() { const InZone zone(true); }
std::tm* local_time(const std::time_t* when) {
  const InZone zone(true);
  return with_own_name(localtime_r(when, &state().time));
}
std::tm* local_time_to(const std::time_t* when, std::tm* time) {
  const InZone zone(false);
  return with_own_name(localtime_r(when, time));
}
char* text_of(const std::time_t* when) {
  const std::tm* time = local_time(when);
  return time == nullptr ? nullptr : asctime_r(time, state().time_text);
}
char* text_of_to(const std::time_t* when, char* text) {
  std::tm room;
  const std::tm* time = local_time_to(when, &room);
  return time == nullptr ? nullptr : asctime_r(time, text);
}
std::time_t time_of(std::tm* time) {
  const InZone zone(true);
  return filled_by([&] { return mktime(time); }, time);
}

// Of all formats only that of seconds (%s) has TZ looked at.
template <class Character>
bool asks_for_seconds(const Character* format) {
  for (; *format != 0; ++format) {
    if (*format != '%') continue;
    constexpr Character kBetween[] = {'_', '-', '0', '^', '#', '+', 'E', 'O', '1',
                                      '2', '3', '4', '5', '6', '7', '8', '9'};
    do ++format;
    while (std::find(std::begin(kBetween), std::end(kBetween), *format) != std::end(kBetween));
    if (*format == 's') return true;
    if (*format == 0) return false;
  }
  return false;
}
template <auto kCall, class Character, class... More>
std::size_t format(Character* to, std::size_t count, const Character* format, const std::tm* time,
                   More... more) {
  const InZone zone(asks_for_seconds(format));
  return kCall(to, count, format, time, more...);
}
template <auto kCall, class... More>
char* scan(const char* text, const char* format, std::tm* time, More... more) {
  const InZone zone(false);
  return filled_by([&] { return kCall(text, format, time, more...); }, time);
}

std::tm* date_of(const char* text) {
  const InZone zone(true);
  int& error = Image::running()->variable<int>(LibcVariable::kDateError);
  std::tm* const date = &state().date;
  error = filled_by([&] { return getdate_r(text, date); }, date);
  return error == 0 ? date : nullptr;
}
int date_of_to(const char* text, std::tm* time) {
  const InZone zone(true);
  return filled_by([&] { return getdate_r(text, time); }, time);
}

}  // namespace

void add_zone_calls() {
  add_launcher_call("tzset", &set_zone);
  add_launcher_call("localtime", &local_time);
  add_launcher_call("localtime_r", &local_time_to);
  add_launcher_call("ctime", &text_of);
  add_launcher_call("ctime_r", &text_of_to);
  add_launcher_call("mktime", &time_of);
  add_launcher_call("timelocal", &time_of);
  add_launcher_call("strftime", &format<strftime, char>);
  add_launcher_call("strftime_l", &format<strftime_l, char, locale_t>);
  add_launcher_call("__strftime_l", &format<__strftime_l, char, locale_t>);
  add_launcher_call("wcsftime", &format<wcsftime, wchar_t>);
  add_launcher_call("wcsftime_l", &format<__wcsftime_l, wchar_t, locale_t>);
  add_launcher_call("__wcsftime_l", &format<__wcsftime_l, wchar_t, locale_t>);
  add_launcher_call("strptime", &scan<strptime>);
  add_launcher_call("strptime_l", &scan<strptime_l, locale_t>);
  add_launcher_call("getdate", &date_of);
  add_launcher_call("getdate_r", &date_of_to);
}

}  // namespace roam::mpi
