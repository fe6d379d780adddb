#include "runtime/check/process_map.h"

#include <locale.h>
#include <stdio.h>

#include <algorithm>
#include <cerrno>
#include <coroutine>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/process_blocks.h"
#include "runtime/check/own_mappings.h"

namespace roam::runtime {
namespace {

// Larger blocks that are looked through for pointers are taken for buffers.
constexpr std::size_t kLargestHolder = std::size_t{16} << 20;

bool is_roam(const os::Module& module) {
  return module.program || std::string_view(module.name()).starts_with("libroam.so");
}

// MPI's library and what it is made of: a program has handles of it, which are numbers.
bool is_mpi(const os::Module& module) {
  const std::string_view name = module.name();
  for (const char* start : {"libmpi", "libucp.so", "libuct.so", "libucs.so", "libucm.so"}) {
    if (name.starts_with(start)) return true;
  }
  return module.path.find("/ucx/") != std::string::npos;
}

OwnMappings& own_mappings() {
  static OwnMappings own;
  return own;
}

// ld.so's list of modules, the same in every process, is all that is there before the program's
// first constructor.
[[gnu::constructor(102)]] void note_loader() {
  if (std::getenv("ROAM_CHECK") != nullptr) own_mappings().add_new({}, os::mappings());
}

std::vector<os::Mapping>& before_start() {
  static std::vector<os::Mapping> mappings;
  return mappings;
}

}  // namespace

bool Place::has_name(Address address) const {
  static const std::time_t moment = 0;
  static const std::tm* const broken_down = std::localtime(&moment);
  return Range{reinterpret_cast<Address>(broken_down), sizeof *broken_down}.contains(address) ||
         !os::symbol_at(address).empty();
}

std::string Place::describe(Address address) const {
  switch (kind) {
    case Kind::kNothing:
      return "no memory in use";
    case Kind::kConstant:
      return "code or constants";
    case Kind::kVariable:
    case Kind::kThreadLocal: {
      const char* what = kind == Kind::kThreadLocal ? "thread-local data" : "data";
      const char* owner = module != nullptr ? module->name() : "libc.so.6";
      const std::string symbol = os::symbol_at(address);
      if (!symbol.empty()) return text("variable %s of %s", symbol.c_str(), owner);
      if (module == nullptr) return text("what %s keeps of the kernel thread", owner);
      return text("%s of %s, 0x%zx behind its begin", what, owner,
                  address - (kind == Kind::kThreadLocal ? range : module->segments[0]).begin);
    }
    case Kind::kBlock:
      return text("a block of glibc's heap, %p of %zu bytes", range.pointer(), range.bytes);
    case Kind::kMapping:
      return text("a mapping of %s, %p of %zu bytes",
                  name.empty() ? "anonymous memory" : name.c_str(), range.pointer(), range.bytes);
    case Kind::kStack:
      return "the stack of the rank's kernel thread, where arguments and environment are too";
  }
  return {};
}

// Where ROAM_CHECK is not in the rank's own environment it comes here late: nothing is new then.
void ProcessMap::runtime_starts() {
  if (before_start().empty()) before_start() = os::mappings();
}

void ProcessMap::runtime_started() {
  own_mappings().add_new(before_start(), os::mappings());
  before_start().clear();
}

void ProcessMap::refresh() {
  memory_read_ = false;
  if (const unsigned long long changes = os::module_changes();
      changes != module_changes_ || modules_.empty()) {
    module_changes_ = changes;
    read_modules();
  }
}

void ProcessMap::read_modules() {
  modules_ = os::modules();
  module_parts_.clear();
  const auto add = [this](Range range, Place::Kind kind, const os::Module* module) {
    const Address begin = round_up(range.begin, sizeof(Address));  // what is looked at are words
    range = Range{begin, range.end() > begin ? range.end() - begin : 0};
    if (range.bytes != 0) module_parts_.push_back({range, Place{kind, range, module, {}}});
  };
  for (const os::Module& module : modules_) {
    for (const Range& segment : module.segments) {
      Range constants = segment;
      for (const Range& variables : module.variables) {
        if (!segment.contains(variables.begin)) continue;
        constants.bytes = variables.begin - segment.begin;
        // What is behind them in the last page belongs to nobody else.
        add(Range{variables.begin, round_up(variables.end(), kPageBytes) - variables.begin},
            Place::Kind::kVariable, &module);
      }
      add(constants, Place::Kind::kConstant, &module);
    }
    add(module.thread_local_data, Place::Kind::kThreadLocal, &module);
  }
  add(os::kernel_thread_descriptor(), Place::Kind::kThreadLocal, nullptr);
  std::sort(module_parts_.begin(), module_parts_.end(),
            [](const Part& a, const Part& b) { return a.range.begin < b.range.begin; });
}

void ProcessMap::read_memory() {
  memory_read_ = true;
  memory_.clear();
  blocks_.clear();
  const Range arena = iso::arena().whole();
  const std::vector<os::Mapping> mappings = os::mappings();
  own_mappings().forget_unmapped(mappings);
  for (const os::Mapping& mapping : mappings) {
    if (arena.contains(mapping.range.begin)) continue;
    for (const Range& part : own_mappings().rest_of(mapping.range)) {
      Place place{Place::Kind::kMapping, part, nullptr, mapping.name};
      if (!mapping.writable) place.kind = Place::Kind::kConstant;
      if (place.name == "[stack]") place.kind = Place::Kind::kStack;
      if (place.name == "[heap]") blocks_ = iso::process_blocks(part);
      memory_.push_back({part, std::move(place)});
    }
  }
}

ProcessMap::Part* ProcessMap::part_of(std::vector<Part>& parts, Address address) {
  auto after = std::upper_bound(parts.begin(), parts.end(), address,
                                [](Address a, const Part& part) { return a < part.range.begin; });
  if (after == parts.begin() || !(after - 1)->range.contains(address)) return nullptr;
  return &*(after - 1);
}

// Large blocks have mappings of their own, of which the kernel makes one where they meet.
Place ProcessMap::block_at(Range mapping, Address address) const {
  while (mapping.bytes != 0) {
    const Range block = iso::block_in_mapping(mapping);
    if (block.bytes == 0) return {};
    if (block.contains(address)) return {Place::Kind::kBlock, block, nullptr, {}};
    const Address next = std::min(round_up(block.end(), kPageBytes), mapping.end());
    mapping = Range{next, mapping.end() - next};
  }
  return {};
}

// Objects that each process has at the same address, and which mean the same in each: streams,
// locales, what the C++ library hands out of its own, MPI. Some of the C++ library's are in the
// program. What
// libc has with a first value and without a name, such as the lists of malloc and the global
// locale, it gives to nobody: results that it keeps for its callers have none.
bool ProcessMap::known_everywhere(const os::Module& module, Address address) const {
  const std::string_view name = module.name();
  if (module.program) {
    // Of all that the linker keeps to itself, this is what programs hold.
    return address == reinterpret_cast<Address>(std::noop_coroutine().address()) ||
           os::symbol_at(address).starts_with("std::");
  }
  if (name.starts_with("libstdc++.so") || name.starts_with("ld-linux") ||
      name.starts_with("libgcc_s.so") || is_mpi(module))
    return true;
  if (name != "libc.so.6") return false;
  const auto in = [address](const void* object, std::size_t bytes) {
    return Range{reinterpret_cast<Address>(object), bytes}.contains(address);
  };
  if (in(stdin, sizeof *stdin) || in(stdout, sizeof *stdout) || in(stderr, sizeof *stderr))
    return true;
  static const locale_t classic = newlocale(LC_ALL_MASK, "C", nullptr);
  return in(classic, sizeof *classic) ||
         (std::any_of(module.stored.begin(), module.stored.end(),
                      [address](const Range& stored) { return stored.contains(address); }) &&
          os::symbol_at(address).empty());
}

Place ProcessMap::find(Address address) {
  if (const Part* part = part_of(module_parts_, address); part != nullptr) {
    Place place = part->place;
    if (place.kind == Place::Kind::kVariable && known_everywhere(*place.module, address))
      place.kind = Place::Kind::kConstant;
    if (place.kind == Place::Kind::kThreadLocal && address == reinterpret_cast<Address>(&errno))
      place.kind = Place::Kind::kConstant;
    return place;
  }
  if (iso::memory_of_notes().contains(address)) return {};
  if (!memory_read_) read_memory();
  const Part* part = part_of(memory_, address);
  if (part == nullptr) return {};
  Place place = part->place;
  if (place.name == "[heap]") {
    place = {};
    const auto after = std::upper_bound(blocks_.begin(), blocks_.end(), address,
                                        [](Address a, const Range& b) { return a < b.begin; });
    if (after != blocks_.begin() && (after - 1)->contains(address))
      place = {Place::Kind::kBlock, *(after - 1), nullptr, {}};
  } else if (place.kind == Place::Kind::kMapping && place.name.empty()) {
    if (Place block = block_at(place.range, address); block.kind == Place::Kind::kBlock)
      place = std::move(block);
  }
  if (place.kind == Place::Kind::kBlock && iso::is_runtime_block(place.range.pointer())) return {};
  return place;
}

// Other kernel threads may free what has a mapping of its own while it is looked at.
void ProcessMap::visit_copied(Range block, const Visit& visit) {
  std::vector<Address> words(std::min(block.bytes, std::size_t{64} << 10) / sizeof(Address));
  for (Address at = block.begin; at < block.end();) {
    const Range part{at, std::min(block.end() - at, words.size() * sizeof(Address))};
    if (!os::copy_memory(part, words.data())) return;
    visit(part, words.data(), Place{Place::Kind::kBlock, block, nullptr, {}});
    at = part.end();
  }
}

void ProcessMap::for_each_holder(const Visit& visit) {
  const auto is_holder = [](Range block) {
    return block.bytes != 0 && block.bytes <= kLargestHolder &&
           !iso::is_runtime_block(block.pointer());
  };
  for (const Part& part : module_parts_) {
    const os::Module* module = part.place.module;
    const bool variable =
        part.place.kind == Place::Kind::kVariable || part.place.kind == Place::Kind::kThreadLocal;
    if (!variable || (module != nullptr && is_roam(*module))) continue;
    visit(part.range, static_cast<const Address*>(part.range.pointer()), part.place);
  }
  if (!memory_read_) read_memory();
  for (const Range& block : blocks_) {
    if (!is_holder(block)) continue;
    visit(block, static_cast<const Address*>(block.pointer()),
          Place{Place::Kind::kBlock, block, nullptr, {}});
  }
  for (const Part& part : memory_) {
    if (part.place.kind != Place::Kind::kMapping || !part.place.name.empty()) continue;
    for (Range rest = part.range; rest.bytes != 0;) {
      const Range block = iso::block_in_mapping(rest);
      if (block.bytes == 0) break;
      if (is_holder(block)) visit_copied(block, visit);
      const Address next = std::min(round_up(block.end(), kPageBytes), rest.end());
      rest = Range{next, rest.end() - next};
    }
  }
}

}  // namespace roam::runtime
