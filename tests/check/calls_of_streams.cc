// The C++ library's streams and locales of every kind, files, and what came with C++20.
#include <cxxabi.h>

#include <atomic>
#include <barrier>
#include <bitset>
#include <chrono>
#include <codecvt>
#include <complex>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <future>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <latch>
#include <locale>
#include <memory>
#include <memory_resource>
#include <new>
#include <random>
#include <regex>
#include <semaphore>
#include <sstream>
#include <stop_token>
#include <string>
#include <syncstream>
#include <system_error>
#include <thread>
#include <typeinfo>
#include <valarray>
#include <vector>
#include <version>
#if __has_include(<format>)
#include <format>
#endif

#include "tests/check/library_calls.h"

namespace roam_test {
namespace {

namespace fs = std::filesystem;

fs::path scratch_folder() {
  char name[] = "/tmp/roam_check_XXXXXX";
  return mkdtemp(name);
}

const Call kCalls[] = {
    {"codecvt_utf8, wstring_convert, wbuffer_convert",
     [] {
       std::wstring_convert<std::codecvt_utf8<wchar_t>> convert;
       use(convert.from_bytes("\xc3\xa4 text"));
       use(convert.to_bytes(L"\x20ac"));
       std::wstring_convert<std::codecvt_utf8_utf16<char16_t>, char16_t> utf16;
       use(utf16.from_bytes("\xf0\x9f\x98\x80"));
       std::stringbuf bytes;
       std::wbuffer_convert<std::codecvt_utf8<wchar_t>> wide(&bytes);
       std::wostream out(&wide);
       out << L"\x20ac" << std::flush;
     }},
    {"wide streams of a file in a named locale",
     [] {
       const fs::path folder = scratch_folder();
       {
         std::wofstream out;
         out.imbue(std::locale("C.UTF-8"));
         out.open(folder / "text");
         out << L"\x20ac " << 1234567 << L' ' << 2.5 << std::endl;
       }
       {
         std::wifstream in;
         in.imbue(std::locale("C.UTF-8"));
         in.open(folder / "text");
         std::wstring word;
         in >> word;
         std::getline(in, word);
         in.seekg(0);
         in.putback(L'x');
       }
       fs::remove_all(folder);
     }},
    {"every facet of a named locale, narrow and wide",
     [] {
       const std::locale named("C.UTF-8");
       std::tm moment{};
       std::ostringstream out;
       out.imbue(named);
       out << std::put_time(&moment, "%c %A %p") << std::showbase << std::put_money(125.0L);
       std::wostringstream wide;
       wide.imbue(named);
       wide << 1234.5 << std::put_time(&moment, L"%c") << std::put_money(L"125");
       std::wistringstream in(L"1234 true 2026");
       in.imbue(named);
       int n = 0;
       bool flag = false;
       in >> n >> std::boolalpha >> flag >> std::get_time(&moment, L"%Y");
       use(std::use_facet<std::ctype<wchar_t>>(named).toupper(L'a'));
       use(std::use_facet<std::ctype<char>>(named).narrow('a', '?'));
       use(std::use_facet<std::collate<wchar_t>>(named).compare(L"a", &L"a"[1], L"b", &L"b"[1]));
       use(std::use_facet<std::moneypunct<char, true>>(named).curr_symbol());
       const auto& messages = std::use_facet<std::messages<wchar_t>>(named);
       const auto catalogue = messages.open("none", named);
       use(messages.get(catalogue, 1, 1, L"a text"));
       if (catalogue >= 0) messages.close(catalogue);
     }},
    {"locales that are combined, compared and renamed",
     [] {
       const std::locale named("C.UTF-8");
       const std::locale mixed(std::locale::classic(), named, std::locale::numeric);
       use(mixed.name());
       use(mixed == named);
       use(std::locale::classic().combine<std::numpunct<char>>(named).name());
       use(std::has_facet<std::numpunct<wchar_t>>(mixed));
       use(std::locale("").name());
       use(named(std::string("a"), std::string("b")));
     }},
    {"codecvt of four kinds",
     [] {
       const std::locale named("C.UTF-8");
       std::mbstate_t state{};
       const auto& wide = std::use_facet<std::codecvt<wchar_t, char, std::mbstate_t>>(named);
       const char from[] = "\xe2\x82\xac";
       const char* from_next = nullptr;
       wchar_t to[4];
       wchar_t* to_next = nullptr;
       use(wide.in(state, from, from + 3, from_next, to, to + 4, to_next));
       use(std::use_facet<std::codecvt<char16_t, char8_t, std::mbstate_t>>(named).encoding());
       use(std::use_facet<std::codecvt<char32_t, char8_t, std::mbstate_t>>(named).max_length());
     }},
    {"osyncstream",
     [] {
       std::ostringstream sink;
       {
         std::osyncstream out(sink);
         out << "a line of " << 5 << std::flush_emit;
       }
       std::osyncstream(std::clog) << std::flush;
     }},
    {"stringbuf that moves, seeks and is swapped",
     [] {
       std::stringstream one("1 2 3"), other;
       other = std::move(one);
       other.seekp(0, std::ios::end);
       other << " 4";
       std::vector<int> numbers{std::istream_iterator<int>(other), std::istream_iterator<int>()};
       std::swap(one, other);
       use(numbers.size());
       use(std::move(one).str());
     }},
    {"quoted, complex, bitset, valarray on streams",
     [] {
       std::stringstream stream;
       stream << std::quoted("a \"text\"") << std::complex<double>(1, 2) << std::bitset<10>(5)
              << std::hexfloat << 1.5 << std::setfill('*') << std::setw(20) << 1.0L;
       std::string text;
       std::complex<double> number;
       stream >> std::quoted(text) >> number;
       std::valarray<double> values(1.5, 100);
       use(std::sqrt(values).sum());
     }},
    {"tie, rdbuf, exceptions, sync_with_stdio, register_callback",
     [] {
       std::stringstream stream;
       std::ostream* const before = std::cin.tie();
       std::cin.tie(before);
       stream.register_callback([](std::ios_base::event, std::ios_base&, int) {}, 5);
       stream.pword(std::ios_base::xalloc()) = nullptr;
       stream.copyfmt(std::stringstream());
       std::streambuf* const buffer = std::clog.rdbuf(std::cerr.rdbuf());
       std::clog.rdbuf(buffer);
     }},
    {"a file that is opened again, moved, with a buffer of its own",
     [] {
       char buffer[200];
       std::fstream file;
       file.rdbuf()->pubsetbuf(buffer, sizeof buffer);
       file.open("/dev/null", std::ios::in | std::ios::out);
       std::fstream other = std::move(file);
       other << std::string(1000, 'x');
       other.close();
       other.open("/dev/zero", std::ios::in | std::ios::binary);
       char c = 0;
       other.read(&c, 1);
       use(c);
     }},
    {"filesystem: makes, copies, renames, removes",
     [] {
       const fs::path folder = scratch_folder();
       fs::create_directories(folder / "a/b/c");
       std::ofstream(folder / "a/file") << "text";
       fs::copy_file(folder / "a/file", folder / "a/copy", fs::copy_options::overwrite_existing);
       fs::copy(folder / "a", folder / "d", fs::copy_options::recursive);
       fs::rename(folder / "a/copy", folder / "a/renamed");
       fs::create_symlink("renamed", folder / "a/link");
       fs::create_hard_link(folder / "a/file", folder / "a/hard");
       use(fs::read_symlink(folder / "a/link"));
       use(fs::weakly_canonical(folder / "a/none/x"));
       use(fs::equivalent(folder / "a/file", folder / "a/hard"));
       use(fs::hard_link_count(folder / "a/file"));
       fs::resize_file(folder / "a/file", 100);
       fs::permissions(folder / "a/file", fs::perms::owner_all);
       fs::last_write_time(folder / "a/file", fs::file_time_type::clock::now());
       use(fs::relative(folder / "a/b", folder));
       use(fs::proximate(folder / "a/b", folder));
       int n = 0;
       for (auto it = fs::recursive_directory_iterator(folder); it != end(it); ++it) ++n;
       for (fs::directory_entry entry : fs::directory_iterator(folder)) entry.refresh();
       use(n);
       fs::remove_all(folder);
     }},
    {"filesystem: paths of every kind of character",
     [] {
       const fs::path path(L"/tmp/wide");
       use(path.u8string());
       use(path.u16string());
       use(path.wstring());
       use(fs::hash_value(path));
       for (const fs::path& part : fs::path("/a/b/../c.d")) use(part.native());
       std::ostringstream out;
       out << path;
       use(fs::path("a/b").replace_extension(".x").lexically_relative("a"));
     }},
    {"filesystem: errors of every call",
     [] {
       std::error_code code;
       fs::create_directory("/proc/none", code);
       fs::copy("/no/such", "/tmp/none", code);
       fs::remove("/proc/version", code);
       use(code.message());
       try {
         use(fs::directory_iterator("/no/such/folder"));
       } catch (const fs::filesystem_error& error) {
         use(error.path1());
       }
     }},
    {"regex: wide, in a locale, with iterators",
     [] {
       const std::wregex wide(L"([[:alpha:]]+)", std::regex::collate);
       std::wsmatch found;
       const std::wstring wide_text = L"a text";
       use(std::regex_search(wide_text, found, wide));
       std::regex named;
       named.imbue(std::locale("C.UTF-8"));
       named.assign("[[:alnum:]_-]+|(?:x|y)*?z", std::regex::ECMAScript);
       const std::string text = "one two three";
       for (std::sregex_iterator it(text.begin(), text.end(), named), end; it != end; ++it)
         use(it->str());
       for (const auto grammar : {std::regex::basic, std::regex::extended, std::regex::awk,
                                  std::regex::grep, std::regex::egrep}) {
         use(std::regex_search(text, std::regex("o.e", grammar)));
       }
     }},
    {"random_device by name, engines, distributions, seed_seq",
     [] {
       std::random_device urandom("/dev/urandom");
       std::seed_seq seeds{1, 2, 3};
       std::mt19937_64 engine(seeds);
       std::ranlux48 luxury(urandom());
       std::knuth_b shuffled(5);
       std::stringstream stream;
       stream << engine;
       stream >> engine;
       use(std::poisson_distribution<>(10)(engine) + std::gamma_distribution<>(2)(luxury) +
           std::binomial_distribution<>(100, 0.3)(shuffled));
       std::piecewise_linear_distribution<> linear({0.0, 1.0, 2.0}, [](double x) { return x + 1; });
       use(linear(engine));
       try {
         std::random_device none("no such device");
       } catch (const std::exception& error) {
         use(error.what());
       }
     }},
    {"jthread, stop_token, stop_callback",
     [] {
       std::jthread other([](std::stop_token stop) {
         while (!stop.stop_requested()) std::this_thread::yield();
       });
       std::stop_callback callback(other.get_stop_token(), [] {});
       other.request_stop();
       other.join();
     }},
    {"latch, barrier, semaphore, atomic wait",
     [] {
       std::latch latch(1);
       latch.count_down();
       latch.wait();
       std::barrier barrier(1, []() noexcept {});
       barrier.arrive_and_wait();
       std::counting_semaphore<5> semaphore(1);
       semaphore.acquire();
       semaphore.release();
       std::atomic<int> value = 1;
       value.wait(0);
       value.notify_all();
       std::atomic<std::shared_ptr<int>> shared(std::make_shared<int>(5));
       shared.store(std::make_shared<int>(7));
       use(shared.load());
     }},
    {"condition_variable_any, timed waits, shared futures",
     [] {
       using namespace std::chrono_literals;
       std::mutex mutex;
       std::condition_variable_any condition;
       std::unique_lock hold(mutex);
       use(condition.wait_for(hold, 1ms));
       std::timed_mutex timed;
       use(timed.try_lock_for(1ms));
       timed.unlock();
       std::shared_future<int> future = std::async(std::launch::async, [] { return 5; }).share();
       use(future.wait_for(1s));
       use(future.get());
     }},
    {"promise set at the end of a thread, an exception through a future",
     [] {
       std::promise<int> promise;
       std::future<int> future = promise.get_future();
       std::thread([&] { promise.set_value_at_thread_exit(5); }).join();
       use(future.get());
       auto failing = std::async(std::launch::async, []() -> int { throw std::string("text"); });
       try {
         use(failing.get());
       } catch (const std::string& text) {
         use(text);
       }
     }},
    {"terminate and new handlers, uncaught_exceptions",
     [] {
       const auto end = std::set_terminate(std::get_terminate());
       std::set_terminate(end);
       std::set_new_handler(std::get_new_handler());
       use(std::uncaught_exceptions());
       use(std::current_exception());
       use(::operator new (std::size_t{1} << 60, std::nothrow));
     }},
    {"exceptions that cross, are kept and thrown again",
     [] {
       std::exception_ptr kept;
       for (int i = 0; i < 5; ++i) {
         try {
           if (kept != nullptr) std::rethrow_exception(kept);
           throw std::system_error(std::make_error_code(std::errc::io_error), "text");
         } catch (...) {
           kept = std::current_exception();
         }
       }
       try {
         use(dynamic_cast<const std::ostream&>(static_cast<const std::ios&>(std::cin)));
       } catch (const std::bad_cast& error) {
         use(error.what());
       }
     }},
    {"demangling, names of types",
     [] {
       int status = 0;
       char* name =
           abi::__cxa_demangle(typeid(std::vector<std::string>).name(), nullptr, nullptr, &status);
       use(name);
       free(name);
     }},
    {"default memory resource, pools of large blocks",
     [] {
       std::pmr::memory_resource* before = std::pmr::set_default_resource(nullptr);
       std::pmr::set_default_resource(before);
       std::pmr::synchronized_pool_resource pool(
           {.max_blocks_per_chunk = 10, .largest_required_pool_block = 1 << 12});
       std::pmr::vector<std::pmr::string> texts(&pool);
       for (int i = 0; i < 300; ++i) texts.emplace_back(static_cast<std::size_t>(i * 20), 'x');
       std::thread([&pool] { pool.deallocate(pool.allocate(100), 100); }).join();
     }},
    {"chrono: clocks, calendars, durations as text",
     [] {
       using namespace std::chrono;
       use(high_resolution_clock::now());
       use(duration_cast<hours>(system_clock::now().time_since_epoch()));
       use(year_month_weekday(sys_days(2026y / 11 / 27)));
       use(hh_mm_ss(3725s).minutes());
       use(file_clock::now());
     }},
#if defined(__cpp_lib_format)
    {"format: wide, to an iterator, with a locale, of chrono",
     [] {
       use(std::format(L"{:*^20} {:e}", L"text", 1e300));
       std::string text;
       std::format_to(std::back_inserter(text), "{0:+d} {0:b} {1:a} {2:p}", 5, 1.5,
                      static_cast<void*>(nullptr));
       use(std::formatted_size("{}", text));
       use(std::format(std::locale("C.UTF-8"), "{:L} {:.400f}", 1234567.5, 1e300));
#if defined(__cpp_lib_chrono) && __cpp_lib_chrono >= 201907L
       use(std::format("{:%c %Z %j}", std::chrono::system_clock::now()));
       use(std::format(std::locale("C.UTF-8"), "{:L%x %X}", std::chrono::system_clock::now()));
#endif
     }},
#endif
#if defined(__cpp_lib_chrono) && __cpp_lib_chrono >= 201907L
    {"time zones: zoned times, parsing, all zones",
     [] {
       using namespace std::chrono;
       try {
         const zoned_time berlin("Europe/Berlin", system_clock::now());
         use(std::format("{:%F %T %Z}", berlin));
         use(zoned_time("Asia/Tokyo", berlin).get_info().abbrev);
         for (const time_zone& zone : get_tzdb().zones) use(zone.name());
         use(get_tzdb_list().front().version);
         sys_seconds moment;
         std::istringstream("2026-11-27 10:11:12") >> parse("%F %T", moment);
         use(clock_cast<utc_clock>(moment));
       } catch (const std::runtime_error& error) {
         use(error.what());
       }
     }},
#endif
};

}  // namespace

std::span<const Call> calls_of_streams() { return kCalls; }

}  // namespace roam_test
