#include "runtime/trace/trace_file.h"

#include <x86intrin.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/os/clock_name.h"
#include "base/os/cores.h"
#include "base/text.h"
#include "roam/error.h"

namespace roam::runtime {
namespace {

// Ranks of a kernel read one time-stamp counter, unless they are further apart than any reading of
// a clock is off.
constexpr double kSameCounterNs = 100'000;

// Of every rank.
std::vector<std::uint64_t> gather(Mpi& mpi, std::uint64_t value) {
  const std::vector<int> low = mpi.gather_ints(static_cast<int>(value & 0xffffffff));
  const std::vector<int> high = mpi.gather_ints(static_cast<int>(value >> 32));
  std::vector<std::uint64_t> all(low.size());
  for (std::size_t r = 0; r < all.size(); ++r) {
    all[r] = static_cast<std::uint64_t>(static_cast<std::uint32_t>(high[r])) << 32 |
             static_cast<std::uint32_t>(low[r]);
  }
  return all;
}

}  // namespace

TraceFile::TraceFile(Mpi& mpi, const std::string& path) : mpi_(mpi), path_(path) {
  std::string error;
  if (mpi_.rank() == 0 && !file_.open(path)) error = file_.error();
  error = mpi_.broadcast_text(error, 0);
  if (!error.empty()) {
    throw Error(Errc::bad_option,
                text("ROAM_TRACE=%s: rank 0 cannot write this file (%s). Name another or unset it.",
                     path.c_str(), error.c_str()));
  }
  begin_ = look_at_the_clock();
  first_begin_ = first_with_clock(begin_);
}

TraceFile::Moment TraceFile::look_at_the_clock() const {
  const ClockOffset offset = compare_clocks(mpi_, os::clock_name());
  Moment best{};
  std::uint64_t shortest = UINT64_MAX;
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t before = __rdtsc();
    const std::int64_t ns = now_ns();
    const std::uint64_t took = __rdtsc() - before;
    if (took >= shortest) continue;
    shortest = took;
    best = {before + took / 2, ns + offset.ns, offset.error_ns};
  }
  return best;
}

TraceFile::Moment TraceFile::first_with_clock(const Moment& own) const {
  const std::uint64_t clock = std::hash<std::string>{}(os::clock_name());
  const std::vector<std::uint64_t> clocks = gather(mpi_, clock);
  const std::vector<std::uint64_t> ticks = gather(mpi_, own.ticks);
  const std::vector<std::uint64_t> ns = gather(mpi_, static_cast<std::uint64_t>(own.ns));
  const auto first =
      static_cast<std::size_t>(std::find(clocks.begin(), clocks.end(), clock) - clocks.begin());
  return {ticks[first], static_cast<std::int64_t>(ns[first]), own.error_ns};
}

// Each rank's own readings differ by some 50 ns, which is longer than a message takes: ranks that
// share a counter go by the readings of one, so that what comes later has the later time.
TimeScale TraceFile::scale_to(const Moment& end) const {
  const std::uint64_t zero = mpi_.min(static_cast<std::uint64_t>(begin_.ns));
  const auto through = [zero](const Moment& a, const Moment& b) {
    return TimeScale{a.ticks, static_cast<double>(a.ns - static_cast<std::int64_t>(zero)),
                     static_cast<double>(b.ns - a.ns) / static_cast<double>(b.ticks - a.ticks)};
  };
  const TimeScale common = through(first_begin_, first_with_clock(end));
  const auto differs = [&](const Moment& own) {
    const double ns =
        common.ns + static_cast<double>(static_cast<std::int64_t>(own.ticks - common.ticks)) *
                        common.ns_per_tick;
    return !(std::abs(ns - static_cast<double>(own.ns - static_cast<std::int64_t>(zero))) <=
             kSameCounterNs);
  };
  return differs(begin_) || differs(end) ? through(begin_, end) : common;
}

void TraceFile::put_head() {
  // Lines of ranks begin with a comma.
  const std::string head = text(
      "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
      "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_labels\",\"args\":{\"labels\":\"Roam\"}}");
  put(head.data(), head.size());
}

std::vector<TraceFile::Total> TraceFile::totals_of(const TraceCounts& written,
                                                   const RankCounts& counts,
                                                   std::uint64_t dropped) const {
  std::vector<Total> totals{{"dropped_rows", dropped},
                            {"slices", written.slices},
                            {"arrow_tails", written.tails},
                            {"arrow_heads", written.heads},
                            {"counter_values", written.counters},
                            {"threads_made", counts.made},
                            {"threads_ended", counts.ended},
                            {"moves", counts.moved},
                            {"moved_bytes", counts.moved_bytes}};
  for (Total& total : totals) total.value = mpi_.sum(total.value);
  return totals;
}

// Its presence says that nothing is missing.
void TraceFile::put_tail(std::uint64_t error_ns, const std::vector<Total>& totals) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
  json.StartObject();
  json.Key("producer");
  json.String("roam");
  json.Key("version");
  json.Uint(1);
  json.Key("program");
  json.String(program_invocation_short_name);
  json.Key("ranks");
  json.Int(mpi_.ranks());
  json.Key("cores");
  json.Int(os::count(os::allowed_cores()));
  json.Key("clock_error_ns");
  json.Uint64(error_ns);
  for (const Total& total : totals) {
    json.Key(total.name);
    json.Uint64(total.value);
  }
  json.EndObject();
  const std::string tail = "\n],\"otherData\":" + std::string(buffer.GetString()) + "}\n";
  put(tail.data(), tail.size());
}

void TraceFile::write(Trace& trace, int node, const RankCounts& counts, std::size_t part_bytes) {
  const Moment end = look_at_the_clock();
  TraceText text_of_mine(mpi_.rank(), mpi_.ranks(), node, scale_to(end));
  EventStore::Reader reader(trace.events());
  bool ended = false;
  // Fills the text with the next part of this rank's events. False: there is none.
  const auto write_part = [&] {
    if (ended) return false;
    while (text_of_mine.bytes() < part_bytes) {
      const Event* event = reader.next();
      if (event == nullptr) {
        text_of_mine.end();
        ended = true;
        break;
      }
      text_of_mine.add(*event);
    }
    return true;
  };

  const std::uint64_t error_ns =
      ~mpi_.min(~static_cast<std::uint64_t>(std::max(begin_.error_ns, end.error_ns)));
  if (mpi_.rank() != 0) {
    for (; write_part(); text_of_mine.take()) {  // the last part may be empty, which is the end
      if (text_of_mine.bytes() != 0) mpi_.send_now(0, text_of_mine.data(), text_of_mine.bytes());
    }
    mpi_.send_now(0, nullptr, 0);
    totals_of(text_of_mine.counts(), counts, trace.events().dropped());
    return;
  }

  put_head();
  // In turn, so that all ranks write their texts at the same time.
  std::vector<int> writing(static_cast<std::size_t>(mpi_.ranks()));
  std::iota(writing.begin(), writing.end(), 0);
  std::vector<char> part;
  while (!writing.empty()) {
    std::erase_if(writing, [&](int rank) {
      if (rank == 0) {
        if (!write_part()) return true;
        put(text_of_mine.data(), text_of_mine.bytes());
        text_of_mine.take();
        return false;
      }
      mpi_.receive_now(rank, &part);
      put(part.data(), part.size());
      return part.empty();
    });
  }
  const std::vector<Total> totals =
      totals_of(text_of_mine.counts(), counts, trace.events().dropped());
  const std::uint64_t dropped = totals[0].value;
  put_tail(error_ns, totals);
  if (!file_.keep()) {
    report(text("ROAM_TRACE=%s: the trace is lost: %s, after %s", path_.c_str(),
                file_.error().c_str(), bytes_text(file_.bytes()).c_str())
               .c_str());
  } else if (dropped != 0) {
    report(text("ROAM_TRACE=%s: %llu rows of 32 bytes are missing: TMPDIR (or /tmp) had no room",
                path_.c_str(), static_cast<unsigned long long>(dropped))
               .c_str());
  }
}

}  // namespace roam::runtime
