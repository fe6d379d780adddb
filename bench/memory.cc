// What does a suspended thread take away from the machine's memory?
#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <memory>

#include "bench/contest.h"
#include "bench/fibers.h"
#include "bench/process_memory.h"
#include "roam/roam.h"

namespace {

constexpr const char* kQuestion =
    "How much memory does a suspended thread take, beside a suspended raw fiber on a stack of the "
    "same\n"
    "size? Resident memory in proportion (Pss) and page tables (VmPTE) of the process, over the "
    "number of\n"
    "threads; and what the kernel's own tables (slab) grew by, on the whole machine. (bytes a "
    "thread)";
const std::initializer_list<bench::Option> kOptions = {
    {"threads", "suspended threads (100000)"},
    {"object", "heap object that each thread holds; 0, the default: none"},
};

struct Memory {
  double pss, page_tables, slab;
};

Memory memory_now() {
  const bench::ProcessMemory own = bench::process_memory();
  return {own.pss, own.page_tables, bench::machine_memory().slab};
}

Memory per_head(const Memory& before, const Memory& after, std::size_t count) {
  const auto each = [count](double grown) { return std::max(0.0, grown) / count; };
  return {each(after.pss - before.pss), each(after.page_tables - before.page_tables),
          each(after.slab - before.slab)};
}

Memory measure_fibers(std::size_t count) {
  const Memory before = memory_now();
  bench::FiberRing ring(count, false);
  ring.lap();
  return per_head(before, memory_now(), count);
}

Memory measure_threads(std::size_t count, std::size_t object_bytes) {
  const Memory before = memory_now();
  roam::Latch begun(static_cast<std::ptrdiff_t>(count));
  roam::Latch end(1);
  std::vector<roam::Thread> threads(count);
  for (roam::Thread& t : threads) {
    t = roam::spawn([&begun, &end, object_bytes] {
      std::unique_ptr<char[]> object;
      if (object_bytes != 0) {
        object = std::make_unique_for_overwrite<char[]>(object_bytes);
        std::memset(object.get(), 1, object_bytes);
      }
      begun.count_down();
      end.wait();
    });
  }
  begun.wait();
  const Memory each = per_head(before, memory_now(), count);
  end.count_down();
  for (const roam::Thread t : threads) t.join();
  return each;
}

void measure(const bench::Options& options) {
  const std::size_t count = options.number("threads", options.quick ? 10'000 : 100'000);
  const std::size_t object_bytes = options.number("object", 0);
  const Memory fiber = measure_fibers(count);
  const Memory thread = measure_threads(count, object_bytes);
  const std::string of =
      "/object=" + std::to_string(object_bytes) + "/ranks=" + std::to_string(roam::ranks());
  bench::print_row("memory" + of, "B", {thread.pss + thread.page_tables},
                   {fiber.pss + fiber.page_tables});
  bench::print_row("page_tables" + of, "B", {thread.page_tables}, {fiber.page_tables});
  bench::print_row("slab" + of, "B", {thread.slab}, {fiber.slab});
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, kOptions);
  return roam::run(argc, argv, [&options] { measure(options); });
}
