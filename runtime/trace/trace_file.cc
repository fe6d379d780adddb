#include "runtime/trace/trace_file.h"

#include <x86intrin.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/os/clock_name.h"
#include "base/text.h"
#include "roam/error.h"
#include "runtime/trace/trace_text.h"

namespace roam::runtime {
namespace {

// A rank sends so much text at a time.
constexpr std::size_t kPartBytes = 1 << 20;

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

void TraceFile::put_head() {
  // Lines of ranks begin with a comma.
  const std::string head = text(
      "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
      "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_labels\",\"args\":{\"labels\":\"Roam\"}}");
  put(head.data(), head.size());
}

// Its presence says that nothing is missing.
void TraceFile::put_tail(std::uint64_t ranks, std::uint64_t error_ns, std::uint64_t dropped) {
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
  json.Uint64(ranks);
  json.Key("clock_error_ns");
  json.Uint64(error_ns);
  json.Key("dropped_rows");
  json.Uint64(dropped);
  json.EndObject();
  const std::string tail = "\n],\"otherData\":" + std::string(buffer.GetString()) + "}\n";
  put(tail.data(), tail.size());
}

void TraceFile::write(Trace& trace, int node) {
  const Moment end = look_at_the_clock();
  const std::uint64_t zero = mpi_.min(static_cast<std::uint64_t>(begin_.ns));
  const TimeScale scale{
      begin_.ticks, static_cast<double>(begin_.ns - static_cast<std::int64_t>(zero)),
      static_cast<double>(end.ns - begin_.ns) / static_cast<double>(end.ticks - begin_.ticks)};

  TraceText text_of_mine(mpi_.rank(), node, scale);
  EventStore::Reader reader(trace.events());
  bool ended = false;
  // Fills the text with the next part of this rank's events. False: there is none.
  const auto write_part = [&] {
    if (ended) return false;
    while (text_of_mine.bytes() < kPartBytes) {
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
  const std::uint64_t dropped = mpi_.sum(trace.events().dropped());
  if (mpi_.rank() != 0) {
    for (; write_part(); text_of_mine.take())
      mpi_.send_now(0, text_of_mine.data(), text_of_mine.bytes());
    mpi_.send_now(0, nullptr, 0);
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
  put_tail(static_cast<std::uint64_t>(mpi_.ranks()), error_ns, dropped);
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
