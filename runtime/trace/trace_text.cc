#include "runtime/trace/trace_text.h"

#include <rapidjson/memorystream.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/text.h"
#include "runtime/net/thread_id.h"

namespace roam::runtime {
namespace {

constexpr std::size_t kLongest = 64;
// Of the moves of a balancing step so many are listed.
constexpr std::size_t kMostMoves = 10'000;
// What is not UTF-8 becomes U+FFFD.
std::string clean(std::string_view raw) {
  rapidjson::StringBuffer out;
  const std::string whole(raw);
  // It knows its end, which one that looks for a zero does not see in the midst of a character.
  rapidjson::MemoryStream in(whole.data(), whole.size());
  while (in.Tell() < whole.size()) {
    unsigned code = 0;
    if (!rapidjson::UTF8<>::Decode(in, &code)) code = 0xfffd;
    rapidjson::UTF8<>::Encode(out, code);
  }
  return {out.GetString(), out.GetSize()};
}

std::string_view text_of(const Event& event) {
  const char* begin = reinterpret_cast<const char*>(&event + 1);
  return {begin, strnlen(begin, event.rows * sizeof(Event))};
}

// Source: Vigna, splitmix64.
std::uint64_t spread(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// Well spread, the same on both ends of an arrow. Threads and hops both differ in a few bits only,
// and must not cancel: so `a` is spread before `b` comes in.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) { return spread(spread(a) ^ b); }

// JSON has no word for what is not a number or infinite.
double load_of(std::uint64_t bits) {
  const auto load = std::bit_cast<double>(bits);
  return std::isfinite(load) ? load : 0;
}

// The most that a rank has, over the mean.
double imbalance(const std::vector<double>& loads) {
  double most = 0;
  long double sum = 0;  // of the largest numbers too
  for (const double load : loads) {
    most = std::max(most, load);
    sum += load;
  }
  return sum > 0 ? static_cast<double>(most * static_cast<long double>(loads.size()) / sum) : 1;
}

// A power of ten that is more than `ranks`.
int above(int ranks) {
  int power = 10;
  while (power <= ranks) power *= 10;
  return power;
}

}  // namespace

TraceText::TraceText(int rank, int ranks, int node, const TimeScale& scale)
    : rank_(rank), lane_base_(above(ranks)), scale_(scale), json_(buffer_) {
  process("process_name", "name", ::roam::text("rank %d, node %d", rank, node));
  begin("M", rank_, "process_sort_index");
  json_.Key("args");
  json_.StartObject();
  number("sort_index", static_cast<std::uint64_t>(rank));
  json_.EndObject();
  finish();
}

// ---- the parts of a line ----

void TraceText::begin(const char* phase, int rank, std::string_view name) {
  buffer_.Put(',');
  buffer_.Put('\n');
  json_.Reset(buffer_);
  json_.StartObject();
  text("ph", phase);
  // Perfetto takes 0 for the kernel's. No lane has the number of a process or of another's lane:
  // viewers would make them one.
  number("pid", static_cast<std::uint64_t>(rank) + 1);
  text("name", name);
}

void TraceText::finish() { json_.EndObject(); }

void TraceText::text(const char* key, std::string_view value) {
  json_.Key(key);
  json_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

void TraceText::number(const char* key, std::uint64_t value) {
  json_.Key(key);
  json_.Uint64(value);
}

void TraceText::real(const char* key, double value) {
  json_.Key(key);
  json_.Double(value);
}

// In microseconds, as the format has it.
void TraceText::time(const char* key, std::uint64_t ns) {
  json_.Key(key);
  char digits[32];
  char* end = std::to_chars(digits, digits + 24, ns / 1000).ptr;
  const auto thousandths = static_cast<unsigned>(ns % 1000);
  *end++ = '.';
  *end++ = static_cast<char>('0' + thousandths / 100);
  *end++ = static_cast<char>('0' + thousandths / 10 % 10);
  *end++ = static_cast<char>('0' + thousandths % 10);
  json_.RawValue(digits, static_cast<std::size_t>(end - digits), rapidjson::kNumberType);
}

void TraceText::process(const char* what, const char* key, std::string_view name) {
  begin("M", rank_, what);
  json_.Key("args");
  json_.StartObject();
  text(key, name);
  json_.EndObject();
  finish();
}

void TraceText::name_lane(int lane) {
  static constexpr const char* kNames[] = {"threads", "departures", "arrivals", "messages sent",
                                           "messages received"};
  if (lane_named_[lane]) return;
  lane_named_[lane] = true;
  begin("M", rank_, "thread_name");
  number("tid", static_cast<std::uint64_t>(lane_number(lane)));
  json_.Key("args");
  json_.StartObject();
  text("name", lane < kSteps    ? kNames[lane]
               : lane == kSteps ? "balancing"
                                : ::roam::text("balancing %d", lane - kSteps + 1));
  json_.EndObject();
  finish();
}

// Leaves the event open, for its arguments. Returns when it begins.
std::uint64_t TraceText::slice(int lane, const char* category, std::string_view name,
                               std::uint64_t begin_ns, std::uint64_t end_ns) {
  name_lane(lane);
  begin_ns = std::max(begin_ns, free_ns_[lane]);
  end_ns = std::max(end_ns, begin_ns + 1);
  free_ns_[lane] = end_ns + 1;
  ++counts_.slices;
  begin("X", rank_, name);
  text("cat", category);
  number("tid", static_cast<std::uint64_t>(lane_number(lane)));
  time("ts", begin_ns);
  time("dur", end_ns - begin_ns);
  json_.Key("args");
  json_.StartObject();
  return begin_ns;
}

void TraceText::flow(const char* phase, Lane lane, const char* category, std::uint64_t id,
                     std::uint64_t ns) {
  ++(*phase == 's' ? counts_.tails : counts_.heads);
  begin(phase, rank_, category);
  text("cat", category);
  char hex[24];  // as text: a JavaScript number would lose bits
  std::snprintf(hex, sizeof hex, "0x%llx", static_cast<unsigned long long>(id));
  text("id", hex);
  if (*phase == 'f') text("bp", "e");
  number("tid", static_cast<std::uint64_t>(lane_number(lane)));
  time("ts", ns);
  finish();
}

// Leaves the event open, for its values.
void TraceText::counter(int rank, const char* name, std::uint64_t ns) {
  begin("C", rank, name);
  time("ts", ns);
  json_.Key("args");
  json_.StartObject();
}

// ---- events ----

void TraceText::add(const Event& event) {
  switch (static_cast<Event::Kind>(event.kind)) {
    case Event::kTurns:
      return turns(event);
    case Event::kNamed:
      return learn(event);
    case Event::kEnded:
      return ended(event);
    case Event::kDeparted:
      return departed(event);
    case Event::kArrived:
    case Event::kRefused:
      return came(event);
    case Event::kSample:
      return sample(event);
    case Event::kSent:
    case Event::kReceived:
      return message(event);
    case Event::kTraffic:
      traffic_.push_back(event);
      return;
    case Event::kStep:
      step_ = event;
      strategy_ = clean(text_of(event));
      step_ranks_.clear();
      step_moves_.clear();
      return;
    case Event::kStepRank:
      step_ranks_.push_back(
          {static_cast<int>(event.peer), load_of(event.value), load_of(event.thread)});
      return;
    case Event::kStepMove:
      step_moves_.push_back(event);
      return;
    case Event::kStepEnd:
      return step();
  }
}

void TraceText::learn(const Event& event) {
  if (event.rows != 0) names_[event.thread] = clean(text_of(event));
}

// Valid until the next call.
std::string_view TraceText::name_of(std::uint64_t thread) {
  if (thread == 0) return "several threads";
  const auto it = names_.find(thread);
  if (it != names_.end()) return it->second;
  unnamed_ = ::roam::text("thread %d:%llu", home_of(thread),
                          static_cast<unsigned long long>(number_of(thread)));
  return unnamed_;
}

void TraceText::turns(const Event& event) {
  slice(kRuns, "run", name_of(event.thread), scale_.at(event.ticks), scale_.at(event.value));
  if (event.thread != 0) number("thread", event.thread);
  if (event.number != 1) number("turns", event.number);
  json_.EndObject();
  finish();
}

void TraceText::ended(const Event& event) {
  const auto shorter = [](const Ended& a, const Ended& b) { return a.ran_ns > b.ran_ns; };
  if (event.value != 0 && (longest_.size() < kLongest || longest_[0].ran_ns < event.value)) {
    longest_.push_back({event.value, event.thread, std::string(name_of(event.thread))});
    std::push_heap(longest_.begin(), longest_.end(), shorter);
    if (longest_.size() > kLongest) {
      std::pop_heap(longest_.begin(), longest_.end(), shorter);
      longest_.pop_back();
    }
  }
  names_.erase(event.thread);
}

void TraceText::departed(const Event& event) {
  const std::uint64_t ticks = event.value & ((1 << 24) - 1);
  const std::uint64_t begin_ns = slice(kDepartures, "move", name_of(event.thread),
                                       scale_.at(event.ticks), scale_.at(event.ticks + ticks));
  number("thread", event.thread);
  number("hop", event.number);
  number("to", event.peer);
  number("bytes", event.value >> 24);
  if (event.asked != 0) number("asked", 1);
  json_.EndObject();
  finish();
  flow("s", kDepartures, "move", mix(event.thread, event.number), begin_ns);
  names_.erase(event.thread);
}

void TraceText::came(const Event& event) {
  learn(event);
  const std::uint64_t at_ns = scale_.at(event.ticks);
  const std::uint64_t ns = slice(kArrivals, "move", name_of(event.thread), at_ns, at_ns);
  number("thread", event.thread);
  number("hop", event.number);
  if (event.kind == Event::kRefused) number("refused_by", event.peer);
  json_.EndObject();
  finish();
  flow("f", kArrivals, "move", mix(event.thread, event.number), ns);
}

void TraceText::sample(const Event& event) {
  Core core;
  std::memcpy(&core, &event + 1, sizeof core);
  // How busy the rank was is known afterwards, and drawn from the sample before; so is how much of
  // a core it had.
  if (sampled_ && event.ticks > last_sample_.ticks) {
    const double idle = static_cast<double>(event.value - last_sample_.value) /
                        static_cast<double>(event.ticks - last_sample_.ticks);
    ++counts_.counters;
    counter(rank_, "busy", scale_.at(last_sample_.ticks));
    json_.Key("%");
    json_.Double(static_cast<int>(1000 * (1 - std::clamp(idle, 0.0, 1.0)) + 0.5) / 10.0);
    json_.EndObject();
    finish();
    const double ns = static_cast<double>(scale_.at(event.ticks) - scale_.at(last_sample_.ticks));
    if (ns > 0) {
      const double share = static_cast<double>(core.ns - last_core_ns_) / ns;
      ++counts_.counters;
      counter(rank_, "core", scale_.at(last_sample_.ticks));
      json_.Key("%");
      json_.Double(static_cast<int>(1000 * std::clamp(share, 0.0, 1.0) + 0.5) / 10.0);
      json_.EndObject();
      finish();
    }
  }
  sampled_ = true;
  last_core_ns_ = core.ns;
  last_sample_ = event;
  const std::uint64_t ready = std::min<std::uint64_t>(event.number, event.thread);
  counts_.counters += 2;
  counter(rank_, "threads", scale_.at(event.ticks));
  number("ready", ready);
  number("waiting", event.thread - ready);
  json_.EndObject();
  finish();
}

void TraceText::message(const Event& event) {
  MessageRow row;
  std::memcpy(&row, &event + 1, sizeof row);
  const bool sent = event.kind == Event::kSent;
  const Lane lane = sent ? kSends : kReceipts;
  const std::uint64_t ns = slice(lane, "message", sent ? "send" : "receive", scale_.at(event.ticks),
                                 scale_.at(row.end_ticks));
  const std::uint64_t to = sent ? event.value : event.thread;
  number("from", sent ? event.thread : event.value);
  if (to != 0) number("to", to);
  number(sent ? "to_rank" : "from_rank", event.peer);
  number("bytes", row.bytes);
  json_.Key("tag");
  json_.Int(static_cast<int>(event.number));
  json_.EndObject();
  finish();
  if (row.sequence != 0) flow(sent ? "s" : "f", lane, "message", mix(row.pair, row.sequence), ns);
}

void TraceText::step() {
  std::vector<double> before, after;
  for (const Rank& rank : step_ranks_) {
    before.push_back(rank.before);
    after.push_back(rank.after);
  }
  std::uint64_t bytes = 0;
  for (const Event& move : step_moves_) bytes += move.value;
  const std::uint64_t begin_ns = scale_.at(step_.ticks);
  int lane = kSteps;
  while (lane + 1 < kLanes && begin_ns < free_ns_[lane]) ++lane;
  slice(lane, "balancing", strategy_.empty() ? "balancing" : strategy_, begin_ns,
        scale_.at(step_.value));
  text("strategy", strategy_);
  number("moves", step_moves_.size());
  number("bytes", bytes);
  real("imbalance_before", imbalance(before));
  real("imbalance_after", imbalance(after));
  const auto list = [this](const char* key, const std::vector<double>& loads) {
    json_.Key(key);
    json_.StartArray();
    for (const double load : loads) json_.Double(load);
    json_.EndArray();
  };
  list("before", before);
  list("after", after);
  json_.Key("moved");
  json_.StartArray();
  for (std::size_t i = 0; i < std::min(step_moves_.size(), kMostMoves); ++i) {
    const Event& move = step_moves_[i];
    json_.StartObject();
    number("thread", move.thread);
    number("from", move.number);
    number("to", move.peer);
    number("bytes", move.value);
    json_.EndObject();
  }
  json_.EndArray();
  json_.EndObject();
  finish();
  for (const Rank& rank : step_ranks_) {
    ++counts_.counters;
    counter(rank.rank, "load", begin_ns);
    real("load", rank.before);
    json_.EndObject();
    finish();
  }
  step_ranks_.clear();
  step_moves_.clear();
}

void TraceText::end() {
  if (!traffic_.empty()) {
    const std::uint64_t ns = scale_.at(traffic_[0].ticks);
    slice(kSends, "summary", "messages sent in all", ns, ns);
    json_.Key("to");
    json_.StartArray();
    for (const Event& to : traffic_) {
      json_.StartObject();
      number("rank", to.peer);
      number("messages", to.value);
      number("bytes", to.thread);
      json_.EndObject();
    }
    json_.EndArray();
    json_.EndObject();
    finish();
  }
  if (longest_.empty()) return;
  const std::uint64_t ns = scale_.at(last_sample_.ticks);
  slice(kRuns, "summary", "longest threads that ended here", ns, ns);
  json_.Key("threads");
  json_.StartArray();
  for (const Ended& ended : longest_) {
    json_.StartObject();
    number("thread", ended.thread);
    text("name", ended.name);
    number("ran_ns", ended.ran_ns);
    json_.EndObject();
  }
  json_.EndArray();
  json_.EndObject();
  finish();
}

}  // namespace roam::runtime
