// The C++ library.
#include <any>
#include <atomic>
#include <charconv>
#include <chrono>
#include <codecvt>
#include <complex>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iomanip>
#include <iostream>
#include <locale>
#include <memory_resource>
#include <mutex>
#include <new>
#include <optional>
#include <random>
#include <regex>
#include <set>
#include <shared_mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <typeindex>
#include <valarray>
#include <variant>
#include <vector>
#include <version>
#if __has_include(<format>)
#include <format>
#endif

#include "tests/check/library_calls.h"

namespace roam_test {
namespace {

namespace fs = std::filesystem;

struct Grouped : std::numpunct<char> {
  std::string do_grouping() const override { return "\3"; }
};

const Call kCalls[] = {
    {"string streams",
     [] {
       std::ostringstream out;
       out << 5 << ' ' << 2.5 << std::hex << 255 << std::setprecision(20) << 1.0 / 3 << true;
       std::istringstream in(out.str());
       int n = 0;
       in >> n;
       std::wostringstream wide;
       wide << L"wide " << 5;
       use(n);
     }},
    {"file streams",
     [] {
       std::ofstream out("/dev/null");
       out << "text " << 5 << std::endl;
       std::ifstream in("/dev/zero");
       char c = 0;
       in.get(c);
       std::wofstream wide("/dev/null");
       wide << L"wide";
     }},
    {"streams that throw",
     [] {
       std::ifstream in;
       in.exceptions(std::ios::failbit);
       try {
         in.open("/no/such/file");
       } catch (const std::ios_base::failure& failure) {
         use(failure.what());
       }
     }},
    {"cout, clog, wcout",
     [] {
       std::cout << std::flush;
       std::clog << std::flush;
       std::cout.copyfmt(std::ios(nullptr));
       std::cout.clear();
     }},
    {"xalloc, iword, register_callback",
     [] {
       static const int index = std::ios_base::xalloc();
       std::ostringstream out;
       for (int i = 0; i < 30; ++i) out.iword(index + i) = i;
     }},
    {"put_time, get_time, put_money",
     [] {
       std::tm moment{};
       moment.tm_year = 126;
       std::ostringstream out;
       out << std::put_time(&moment, "%c %Z %EC") << std::put_money("125");
       std::istringstream in("2026-11-27");
       in >> std::get_time(&moment, "%Y-%m-%d");
     }},
    {"named locale",
     [] {
       const std::locale named("C.UTF-8");
       std::ostringstream out;
       out.imbue(named);
       out << 1234567 << 2.5;
       use(named.name());
       use(std::use_facet<std::collate<char>>(named).hash("a", &"a"[1]));
     }},
    {"locale with a facet of its own",
     [] {
       const std::locale own(std::locale::classic(), new Grouped);
       std::ostringstream out;
       out.imbue(own);
       out << 1234567;
     }},
    {"locale that does not exist",
     [] {
       try {
         const std::locale none("no_such_locale");
       } catch (const std::runtime_error& error) {
         use(error.what());
       }
     }},
    {"locale::global",
     [] {
       const std::locale before = std::locale::global(std::locale("C.UTF-8"));
       std::locale::global(std::locale::classic());
     }},
    {"codecvt, wstring_convert",
     [] {
       const auto& convert =
           std::use_facet<std::codecvt<wchar_t, char, std::mbstate_t>>(std::locale());
       use(convert.max_length());
     }},
    {"messages, ctype, time_get",
     [] {
       const std::locale& classic = std::locale::classic();
       use(std::toupper('a', classic));
       use(std::use_facet<std::time_get<char>>(classic).date_order());
       const auto& messages = std::use_facet<std::messages<char>>(classic);
       const auto catalogue = messages.open("no_such_catalogue", classic);
       if (catalogue >= 0) messages.close(catalogue);
     }},
    {"regex",
     [] {
       const std::regex expression("([a-z]+) ([0-9]+)", std::regex::icase | std::regex::optimize);
       std::smatch found;
       const std::string text = "Word 125";
       use(std::regex_match(text, found, expression));
       use(std::regex_replace(text, expression, "$2 $1"));
     }},
    {"regex that is none",
     [] {
       try {
         const std::regex expression("[a");
       } catch (const std::regex_error& error) {
         use(error.what());
       }
     }},
    {"exceptions",
     [] {
       try {
         try {
           throw std::runtime_error("one");
         } catch (...) {
           std::throw_with_nested(std::logic_error("two"));
         }
       } catch (const std::exception& error) {
         try {
           std::rethrow_if_nested(error);
         } catch (const std::exception& nested) {
           use(nested.what());
         }
       }
       std::exception_ptr kept = std::make_exception_ptr(std::string("text"));
     }},
    {"bad_alloc, length_error",
     [] {
       try {
         std::string text;
         text.resize(text.max_size());
       } catch (const std::exception& error) {
         use(error.what());
       }
     }},
    {"system_error, error_code",
     [] {
       const std::system_error error(2, std::generic_category(), "text");
       use(error.what());
       use(std::make_error_code(std::errc::io_error).message());
       use(std::system_category().message(54321));
       use(std::future_category().message(1));
     }},
    {"random_device, engines",
     [] {
       std::random_device device;
       std::mt19937 engine(device());
       use(std::normal_distribution<>()(engine));
       use(std::discrete_distribution<>({1.0, 2.0})(engine));
     }},
    {"filesystem: paths",
     [] {
       const fs::path path = fs::path("/usr") / "share" / "../lib/./x.so";
       use(path.lexically_normal().string());
       use(fs::canonical("/tmp").string());
       use(fs::current_path().string());
       use(fs::temp_directory_path().string());
     }},
    {"filesystem: folders",
     [] {
       int n = 0;
       for (const auto& entry : fs::directory_iterator("/")) n += entry.is_directory();
       for (auto it = fs::recursive_directory_iterator("/usr/share/doc/base-files");
            it != fs::recursive_directory_iterator(); ++it) {
         ++n;
       }
       use(fs::space("/").free);
       use(fs::last_write_time("/tmp"));
       use(n);
     }},
    {"filesystem: errors",
     [] {
       try {
         use(fs::file_size("/no/such/file"));
       } catch (const fs::filesystem_error& error) {
         use(error.what());
       }
       std::error_code code;
       use(fs::status("/no/such/file", code));
     }},
    {"thread, mutex, condition_variable",
     [] {
       std::mutex mutex;
       int n = 0;
       std::thread other([&] {
         const std::lock_guard hold(mutex);
         ++n;
       });
       other.join();
       use(std::thread::hardware_concurrency());
     }},
    {"call_once, shared_mutex, recursive_mutex",
     [] {
       std::once_flag once;
       std::call_once(once, [] {});
       std::shared_mutex shared;
       { const std::shared_lock hold(shared); }
       std::recursive_mutex recursive;
       const std::scoped_lock hold(recursive);
     }},
    {"async, promise, packaged_task",
     [] {
       use(std::async(std::launch::async, [] { return 5; }).get());
       use(std::async(std::launch::deferred, [] { return 5; }).get());
       std::promise<int> promise;
       promise.set_value(7);
       use(promise.get_future().get());
       std::packaged_task<int()> task([] { return 7; });
       task();
     }},
    {"promise that is broken",
     [] {
       std::future<int> future = std::promise<int>().get_future();
       try {
         use(future.get());
       } catch (const std::future_error& error) {
         use(error.what());
       }
     }},
    {"memory resources",
     [] {
       std::pmr::monotonic_buffer_resource buffer;
       std::pmr::unsynchronized_pool_resource pool(&buffer);
       std::pmr::synchronized_pool_resource shared;
       std::pmr::vector<std::pmr::string> strings(&pool);
       std::pmr::vector<int> numbers(1000, &shared);
       for (int i = 0; i < 100; ++i) strings.emplace_back("a text that is not short at all");
       use(std::pmr::get_default_resource());
     }},
    {"from_chars, to_chars, stod",
     [] {
       double value = 0;
       const char text[] = "1.25e300";
       std::from_chars(text, text + 8, value);
       char digits[400];
       std::to_chars(digits, digits + 400, 1e300, std::chars_format::fixed);
       use(std::stod("1.25"));
       use(std::to_string(1.5));
       use(std::stoll("125"));
     }},
    {"shared_ptr, weak_ptr",
     [] {
       auto shared = std::make_shared<std::string>("a text");
       const std::weak_ptr<std::string> weak = shared;
       use(weak.lock().use_count());
     }},
    {"function, any, variant, optional",
     [] {
       const std::function<int()> function = [text = std::string("a text that is long enough")] {
         return static_cast<int>(text.size());
       };
       std::any any = std::vector<int>(10);
       std::variant<int, std::string> variant = std::string("a text");
       std::optional<std::string> optional = "a text";
       use(function());
     }},
    {"type_index, type_info",
     [] {
       use(std::type_index(typeid(std::string)).hash_code());
       use(std::type_index(typeid(int)).name());
     }},
    {"chrono",
     [] {
       const auto now = std::chrono::system_clock::now();
       use(std::chrono::system_clock::to_time_t(now));
       use(std::chrono::steady_clock::now());
       using namespace std::chrono_literals;
       use(std::chrono::year_month_day(2026y / 11 / 27));
     }},
#if defined(__cpp_lib_format)
    {"format",
     [] {
       use(std::format("{:>10} {:.3f} {:#x} {}", "text", 2.5, 255, true));
       use(std::format(std::locale::classic(), "{:L}", 1234567));
       try {
         const int n = 5;
         use(std::vformat("{:q}", std::make_format_args(n)));
       } catch (const std::format_error& error) {
         use(error.what());
       }
     }},
#endif
#if defined(__cpp_lib_chrono) && __cpp_lib_chrono >= 201907L
    {"time zones",
     [] {
       try {
         const auto* zone = std::chrono::locate_zone("Europe/Berlin");
         use(zone->to_local(std::chrono::system_clock::now()));
         use(std::chrono::current_zone()->name());
         use(std::chrono::get_tzdb().version);
         use(std::chrono::get_leap_second_info(std::chrono::utc_clock::now()));
       } catch (const std::runtime_error& error) {
         use(error.what());
       }
     }},
    {"time zone that is none",
     [] {
       try {
         use(std::chrono::locate_zone("No/Such"));
       } catch (const std::runtime_error& error) {
         use(error.what());
       }
     }},
#endif
};

}  // namespace

std::span<const Call> calls_of_cpp() { return kCalls; }

}  // namespace roam_test
