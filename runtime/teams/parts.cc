#include "runtime/teams/parts.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>

#include "base/check.h"
#include "base/float_modes.h"

namespace roam::detail {

const char* to_string(CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::kBarrier:
      return "barrier";
    case CollectiveKind::kBroadcast:
      return "broadcast";
    case CollectiveKind::kReduce:
      return "reduce";
    case CollectiveKind::kAllreduce:
      return "allreduce";
    case CollectiveKind::kGather:
      return "gather";
    case CollectiveKind::kAllgather:
      return "allgather";
    case CollectiveKind::kScatter:
      return "scatter";
    case CollectiveKind::kScan:
      return "scan";
    case CollectiveKind::kBalance:
    case CollectiveKind::kBalanceApart:
      return "balance";
  }
  return "?";
}

}  // namespace roam::detail

namespace roam::runtime {

bool entry_each(CollectiveKind what) {
  return what == CollectiveKind::kScatter || what == CollectiveKind::kScan ||
         what == CollectiveKind::kBalance;
}

bool for_root_only(CollectiveKind what) {
  return what == CollectiveKind::kReduce || what == CollectiveKind::kGather ||
         answered_by_rider(what);
}

bool made_by_rider(CollectiveKind what) { return what == CollectiveKind::kBalance; }

bool answered_by_rider(CollectiveKind what) { return what == CollectiveKind::kBalanceApart; }

namespace {

[[noreturn]] void operation_threw(const GatherHead& head, const char* what) {
  fatal(
      "the operation of %s of team %llu threw: %s. Operations can neither throw nor wait, since "
      "they run for other members too.",
      detail::to_string(head.what), static_cast<unsigned long long>(head.team), what);
}

// Whatever it throws, part of the members' numbers are in what it has changed: nobody could go on.
void run_operation(const GatherHead& head, char* into, const char* from) {
  constexpr std::size_t kAlignment = CollectiveCall::kMostAlignment;
  std::vector<char> aligned;  // a message has no alignment
  if (reinterpret_cast<std::uintptr_t>(from) % kAlignment != 0) [[unlikely]] {
    aligned.assign(from, from + head.bytes);
    from = aligned.data();
  }
  // Where this runs is chance: on the stack of a member or of its rank, or on another rank.
  const FloatModes::Scope modes(FloatModes(static_cast<std::uint16_t>(head.modes)));
  try {
    head.combine(head.op, into, from, head.count);
  } catch (const std::exception& error) {
    operation_threw(head, error.what());
  } catch (...) {
    operation_threw(head, "what is no std::exception");
  }
}

}  // namespace

void Parts::combine(const char* from, std::size_t bytes, bool has) {
  if (!has) return;
  if (head.has_blob == 0) {
    blob.assign(from, from + bytes);
    head.has_blob = 1;
  } else if (head.combine != nullptr) {
    run_operation(head, blob.data(), from);
  }
}

void Parts::insert(std::int32_t first, std::uint32_t level, const char* bytes) {
  std::uint32_t place;
  if (free_places_.empty()) {
    place = static_cast<std::uint32_t>(partials.size());
    // So giving it back takes no memory.
    if (free_places_.capacity() <= place) free_places_.reserve(2 * place + 4);
    places_.resize((place + 1) * place_bytes());
  } else {
    place = free_places_.back();
  }
  // Members mostly come in their order, but who was last in the collective before, first: its place
  // is near the end.
  auto at = partials.end();
  while (at != partials.begin() && (at - 1)->first > first) --at;
  at = partials.insert(at, {first, level, place});
  if (!free_places_.empty()) free_places_.pop_back();
  if (head.bytes != 0) std::memcpy(bytes_of(*at), bytes, head.bytes);
  // It is added. What follows takes no memory: both halves are aligned.
  for (;;) {
    const std::int64_t width = std::int64_t{1} << at->level;
    const bool is_left = (at->first & width) == 0;
    const auto left = is_left ? at : at - 1;
    if (is_left ? at + 1 == partials.end() : at == partials.begin()) return;
    const auto right = left + 1;
    if (left->level != right->level || left->first + width != right->first) return;
    run_operation(head, bytes_of(*left), bytes_of(*right));
    ++left->level;
    free_places_.push_back(right->place);
    at = partials.erase(right) - 1;
  }
}

void Parts::add(const CollectiveCall& call, int index) {
  const char* in = static_cast<const char*>(call.in);
  const std::size_t entries_before = entries.size();
  try {
    switch (call.kind) {
      case CollectiveKind::kBarrier:
      case CollectiveKind::kBalanceApart:
        break;
      case CollectiveKind::kBroadcast:
        combine(in, call.bytes, index == call.root);
        break;
      case CollectiveKind::kReduce:
      case CollectiveKind::kAllreduce:
        if (head.in_order != 0) {
          insert(index, 0, in);
        } else {
          combine(in, call.bytes, true);
        }
        break;
      case CollectiveKind::kScatter:
        entries.push_back({index, 0, 0});
        combine(in, call.bytes * call.count, index == call.root);
        break;
      default:
        entries.push_back({index, 0, call.bytes});
        data.insert(data.end(), in, in + call.bytes);
    }
  } catch (const std::bad_alloc&) {
    entries.resize(entries_before);
    throw;
  }
  ++head.parts;
}

void Parts::add(const char* message) {
  const auto from = read<GatherHead>(message);
  const char* at = message + sizeof from;
  head.parts += from.parts;
  if (from.root_member.id != 0) {
    head.root_member = from.root_member;
    head.root_request = from.root_request;
  }
  combine(at, from.blob, from.has_blob != 0);
  at += from.blob;
  if (head.in_order != 0) {
    const char* bytes = at + from.entries * sizeof(EntryHead);
    for (std::size_t i = 0; i < from.entries; ++i) {
      const auto entry = read<EntryHead>(at + i * sizeof(EntryHead));
      insert(entry.index, entry.level, bytes);
      bytes += entry.bytes;
    }
    return;
  }
  const std::size_t first = entries.size();
  entries.resize(first + from.entries);
  if (from.entries != 0) std::memcpy(&entries[first], at, from.entries * sizeof(EntryHead));
  at += from.entries * sizeof(EntryHead);
  std::size_t bytes = 0;
  for (std::size_t i = first; i < entries.size(); ++i) bytes += entries[i].bytes;
  data.insert(data.end(), at, at + bytes);
}

void Parts::clear() {
  head.parts = head.has_blob = 0;
  head.along = {};
  head.root_member = {};
  blob.clear();
  entries.clear();
  data.clear();
  partials.clear();
  places_.clear();
  free_places_.clear();
}

std::vector<char> Parts::pack() const {
  std::vector<EntryHead> heads = entries;
  std::size_t bytes = data.size();
  for (const Partial& p : partials) {
    heads.push_back({p.first, p.level, head.bytes});
    bytes += head.bytes;
  }
  GatherHead packed = head;
  packed.blob = blob.size();
  packed.has_blob = head.has_blob != 0 || !blob.empty();
  packed.entries = heads.size();
  std::vector<char> message(sizeof packed + blob.size() + heads.size() * sizeof(EntryHead) + bytes);
  char* at = message.data();
  std::memcpy(at, &packed, sizeof packed);
  at += sizeof packed;
  at = std::copy(blob.begin(), blob.end(), at);
  if (!heads.empty()) std::memcpy(at, heads.data(), heads.size() * sizeof(EntryHead));
  at = std::copy(data.begin(), data.end(), at + heads.size() * sizeof(EntryHead));
  for (const Partial& p : partials) at = std::copy_n(bytes_of(p), head.bytes, at);
  return message;
}

std::vector<const char*> Parts::by_index(int size) const {
  std::vector<const char*> at(static_cast<std::size_t>(size));
  const char* next = data.data();
  for (const EntryHead& e : entries) {
    at[static_cast<std::size_t>(e.index)] = next;
    next += e.bytes;
  }
  return at;
}

void complete(Parts* parts, int size) {
  const GatherHead& head = parts->head;
  const std::size_t n = static_cast<std::size_t>(size);
  // What is left of a team whose size is no power of two, the larger halves first.
  for (const Partial& p : parts->partials) {
    if (&p == &parts->partials.front()) {
      parts->blob.assign(parts->bytes_of(p), parts->bytes_of(p) + head.bytes);
    } else {
      run_operation(head, parts->blob.data(), parts->bytes_of(p));
    }
  }
  parts->partials.clear();
  if (parts->entries.empty()) return;
  std::vector<char> ordered;
  if (head.what == CollectiveKind::kScatter) {
    ordered = std::move(parts->blob);
  } else {
    ordered.reserve(n * head.bytes);
    for (const char* part : parts->by_index(size))
      ordered.insert(ordered.end(), part, part + head.bytes);
  }
  parts->blob.clear();
  parts->entries.clear();
  parts->data.clear();
  if (!entry_each(head.what)) {
    parts->blob = std::move(ordered);
    return;
  }
  if (head.what == CollectiveKind::kScan) {
    for (std::size_t i = 1; i < n; ++i) {
      // The lower index goes first: what it has so far is combined with this one's part.
      std::vector<char> sum(ordered.begin() + static_cast<std::ptrdiff_t>((i - 1) * head.bytes),
                            ordered.begin() + static_cast<std::ptrdiff_t>(i * head.bytes));
      run_operation(head, sum.data(), ordered.data() + i * head.bytes);
      std::copy(sum.begin(), sum.end(),
                ordered.begin() + static_cast<std::ptrdiff_t>(i * head.bytes));
    }
  }
  parts->data = std::move(ordered);
  for (int i = 0; i < size; ++i) parts->entries.push_back({i, 0, head.bytes});
}

}  // namespace roam::runtime
