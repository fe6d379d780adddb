// What comes together in a collective, and what it becomes.

#include <algorithm>
#include <cstring>

#include "runtime/gathering.h"

namespace roam::runtime {

bool entry_each(CollectiveKind what) {
  return what == CollectiveKind::kScatter || what == CollectiveKind::kScan ||
         what == CollectiveKind::kBalance;
}

double shorter(double a_s, double b_s) {
  return a_s == 0 || b_s == 0 ? a_s + b_s : std::min(a_s, b_s);
}

void Parts::combine(const char* from, std::size_t bytes, bool has) {
  if (!has) return;
  if (head.has_blob == 0) {
    blob.assign(from, from + bytes);
    head.has_blob = 1;
  } else if (head.combine != nullptr) {
    head.combine(head.op, blob.data(), from, head.count);
  }
}

void Parts::add(const CollectiveCall& call, int index) {
  const char* in = static_cast<const char*>(call.in);
  ++head.parts;
  switch (call.kind) {
    case CollectiveKind::kBarrier:
    case CollectiveKind::kBalanceApart:
      return;
    case CollectiveKind::kBroadcast:
      return combine(in, call.bytes, index == call.root);
    case CollectiveKind::kReduce:
    case CollectiveKind::kAllreduce:
      return combine(in, call.bytes, true);
    case CollectiveKind::kScatter:
      entries.push_back({index, 0});
      return combine(in, call.bytes * call.count, index == call.root);
    default:
      entries.push_back({index, static_cast<std::uint32_t>(call.bytes)});
      data.insert(data.end(), in, in + call.bytes);
  }
}

void Parts::add(const char* message) {
  const auto from = read<GatherHead>(message);
  const char* at = message + sizeof from;
  head.parts += from.parts;
  head.load_s += from.load_s;
  head.busiest_s = std::max(head.busiest_s, from.busiest_s);
  head.balancing_s = shorter(head.balancing_s, from.balancing_s);
  head.not_blocking += from.not_blocking;
  if (from.root_member.id != 0) {
    head.root_member = from.root_member;
    head.root_request = from.root_request;
  }
  combine(at, from.blob, from.has_blob != 0);
  at += from.blob;
  const std::size_t first = entries.size();
  entries.resize(first + from.entries);
  if (from.entries != 0) std::memcpy(&entries[first], at, from.entries * sizeof(EntryHead));
  at += from.entries * sizeof(EntryHead);
  std::size_t bytes = 0;
  for (std::size_t i = first; i < entries.size(); ++i) bytes += entries[i].bytes;
  data.insert(data.end(), at, at + bytes);
}

void Parts::clear() {
  head.parts = head.has_blob = head.not_blocking = 0;
  head.load_s = head.busiest_s = head.balancing_s = 0;
  head.root_member = {};
  blob.clear();
  entries.clear();
  data.clear();
}

std::vector<char> Parts::pack() const {
  GatherHead packed = head;
  packed.blob = blob.size();
  packed.has_blob = head.has_blob != 0 || !blob.empty();
  packed.entries = entries.size();
  std::vector<char> message(sizeof packed + blob.size() + entries.size() * sizeof(EntryHead) +
                            data.size());
  char* at = message.data();
  std::memcpy(at, &packed, sizeof packed);
  at += sizeof packed;
  at = std::copy(blob.begin(), blob.end(), at);
  if (!entries.empty()) std::memcpy(at, entries.data(), entries.size() * sizeof(EntryHead));
  std::copy(data.begin(), data.end(), at + entries.size() * sizeof(EntryHead));
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
      head.combine(head.op, sum.data(), ordered.data() + i * head.bytes, head.count);
      std::copy(sum.begin(), sum.end(),
                ordered.begin() + static_cast<std::ptrdiff_t>(i * head.bytes));
    }
  }
  parts->data = std::move(ordered);
  for (int i = 0; i < size; ++i)
    parts->entries.push_back({i, static_cast<std::uint32_t>(head.bytes)});
}

}  // namespace roam::runtime
