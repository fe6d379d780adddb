#include "runtime/trace/trace_text.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/net/thread_id.h"
#include "runtime/trace/trace.h"

namespace roam::runtime {
namespace {

using rapidjson::Value;

// A tick is a nanosecond here, and the trace begins at tick 1000.
constexpr std::uint64_t kBegin = 1000;

// What the trace of one rank says, parsed.
class Written {
 public:
  explicit Written(Trace& trace, int rank = 0, int ranks = 2) {
    TraceText text(rank, ranks, 0, TimeScale{kBegin, 0, 1});
    EventStore::Reader reader(trace.events());
    while (const Event* event = reader.next()) text.add(*event);
    text.end();
    counts = text.counts();
    const std::string all = "[{}" + std::string(text.data(), text.bytes()) + "]";
    document_.Parse<rapidjson::kParseValidateEncodingFlag>(all.c_str());
    EXPECT_FALSE(document_.HasParseError()) << all;
    EXPECT_EQ(std::count(all.begin(), all.end(), '\n') + 1,
              static_cast<std::ptrdiff_t>(document_.Size()));
  }
  std::vector<const Value*> find(const std::string& phase, const std::string& category) const {
    std::vector<const Value*> found;
    for (const Value& event : document_.GetArray()) {
      if (!event.HasMember("ph") || event["ph"].GetString() != phase) continue;
      if (event.HasMember("cat") ? event["cat"].GetString() == category
                                 : event["name"].GetString() == category)
        found.push_back(&event);
    }
    return found;
  }
  std::vector<const Value*> all() const {
    std::vector<const Value*> found;
    for (const Value& event : document_.GetArray()) found.push_back(&event);
    return found;
  }
  std::vector<const Value*> turns() const& { return find("X", "run"); }
  std::vector<const Value*> turns() const&& = delete;  // they are in this object

  TraceCounts counts;

 private:
  rapidjson::Document document_;
};

double time(const Value& event) { return event["ts"].GetDouble(); }

TEST(TraceText, NamesTheRank) {
  Trace trace(1, kBegin);
  const Written written(trace, 7);
  const auto names = written.find("M", "process_name");
  ASSERT_EQ(names.size(), 1u);
  EXPECT_EQ((*names[0])["pid"].GetInt(), 8);
  EXPECT_STREQ((*names[0])["args"]["name"].GetString(), "rank 7, node 0");
}

TEST(TraceText, WritesATurnWithTheThreadsName) {
  Trace trace(1, kBegin);
  trace.named(5, "a \"quoted\" \\ name,\n\x01 caf\xc3\xa9");
  trace.ran(5, 3500, 4750);
  trace.close(5000, 0, 0);
  const Written written(trace);
  const auto turns = written.turns();
  ASSERT_EQ(turns.size(), 1u);
  const Value& turn = *turns[0];
  EXPECT_STREQ(turn["name"].GetString(), "a \"quoted\" \\ name,\n\x01 caf\xc3\xa9");
  EXPECT_DOUBLE_EQ(time(turn), 2.5);
  EXPECT_DOUBLE_EQ(turn["dur"].GetDouble(), 1.25);
  EXPECT_EQ(turn["args"]["thread"].GetUint64(), 5u);
}

TEST(TraceText, ReplacesWhatIsNotUtf8) {
  for (const std::string name : {"\xff", "caf\xc3", "\xc0\xaf", "ok\x80ok", "\xf0\x9f\x98"}) {
    Trace trace(1, kBegin);
    trace.named(5, name);
    trace.ran(5, 2000, 3000);
    trace.close(5000, 0, 0);
    const Written written(trace);
    const auto turns = written.turns();
    ASSERT_EQ(turns.size(), 1u);
    EXPECT_NE(std::string((*turns[0])["name"].GetString()).find("\xef\xbf\xbd"), std::string::npos);
  }
}

// What a character that is cut announces is not looked for behind the name: names of these lengths
// fill what malloc gives for their copies, so that the allocator's own numbers follow.
TEST(TraceText, ReplacesACharacterThatTheNamesEndCuts) {
  for (const std::size_t length : {std::size_t{23}, std::size_t{39}, std::size_t{55}, kMostText}) {
    const std::string start(length - 1, 'n');
    Trace trace(1, kBegin);
    trace.named(5, start + "\xc3\xa9");
    trace.named(6, start + "\xc3");
    trace.ran(5, 2000, 3000);
    trace.ran(6, 3000, 4000);
    trace.close(5000, 0, 0);
    const Written written(trace);
    const auto turns = written.turns();
    ASSERT_EQ(turns.size(), 2u);
    if (length == kMostText) {
      EXPECT_EQ((*turns[0])["name"].GetString(), start + "\xef\xbf\xbd");
    }
    EXPECT_EQ((*turns[1])["name"].GetString(), start + "\xef\xbf\xbd");
  }
}

TEST(TraceText, CutsALongName) {
  Trace trace(1, kBegin);
  trace.named(5, std::string(10'000, 'n'));
  trace.ran(5, 2000, 3000);
  trace.close(5000, 0, 0);
  const Written written(trace);
  EXPECT_EQ((*written.turns()[0])["name"].GetString(), std::string(kMostText, 'n'));
}

TEST(TraceText, CallsAThreadWithoutANameByItsId) {
  Trace trace(1, kBegin);
  trace.named(make_id(3, 9), "");
  trace.ran(make_id(3, 9), 2000, 3000);
  trace.close(5000, 0, 0);
  const Written written(trace);
  EXPECT_STREQ((*written.turns()[0])["name"].GetString(), "thread 3:9");
}

TEST(TraceText, PutsNothingBeforeTheTraceBegins) {
  Trace trace(1, kBegin);
  trace.ran(5, 500, 1500);
  trace.close(5000, 0, 0);
  const Written written(trace);
  const auto turns = written.turns();
  EXPECT_DOUBLE_EQ(time(*turns[0]), 0);
  EXPECT_DOUBLE_EQ((*turns[0])["dur"].GetDouble(), 0.5);
}

TEST(TraceText, JoinsTheEndsOfAMigration) {
  Trace source(2, kBegin), target(2, kBegin);
  source.named(5, "mover");
  source.departed(5, 3, 1, 4711, 2000, false);
  target.arrived(5, 3, "mover");
  const Written left(source, 0), came(target, 1);
  const auto departure = left.find("X", "move"), arrival = came.find("X", "move");
  const auto tail = left.find("s", "move"), head = came.find("f", "move");
  ASSERT_EQ(departure.size() + arrival.size() + tail.size() + head.size(), 4u);
  EXPECT_STREQ((*tail[0])["id"].GetString(), (*head[0])["id"].GetString());
  EXPECT_DOUBLE_EQ(time(*tail[0]), time(*departure[0]));
  EXPECT_EQ((*departure[0])["args"]["to"].GetInt(), 1);
  EXPECT_EQ((*departure[0])["args"]["bytes"].GetInt(), 4711);
  EXPECT_STREQ((*arrival[0])["name"].GetString(), "mover");
  EXPECT_EQ((*arrival[0])["pid"].GetInt(), 2);
}

TEST(TraceText, SaysWhetherOthersAskedForAMove) {
  Trace trace(2, kBegin);
  trace.departed(5, 1, 1, 0, 2000, false);
  trace.departed(5, 2, (1 << 21) - 1, 0, 3000, true);
  const Written written(trace);
  const auto moves = written.find("X", "move");
  ASSERT_EQ(moves.size(), 2u);
  EXPECT_FALSE((*moves[0])["args"].HasMember("asked"));
  EXPECT_EQ((*moves[1])["args"]["asked"].GetInt(), 1);
  EXPECT_EQ((*moves[1])["args"]["to"].GetInt(), (1 << 21) - 1);
}

TEST(TraceText, AnotherHopHasAnotherArrow) {
  Trace trace(2, kBegin);
  trace.departed(5, 1, 1, 0, 2000, false);
  trace.departed(5, 2, 1, 0, 3000, false);
  trace.departed(6, 1, 1, 0, 4000, false);
  const Written written(trace);
  const auto arrows = written.find("s", "move");
  ASSERT_EQ(arrows.size(), 3u);
  EXPECT_STRNE((*arrows[0])["id"].GetString(), (*arrows[1])["id"].GetString());
  EXPECT_STRNE((*arrows[0])["id"].GetString(), (*arrows[2])["id"].GetString());
}

TEST(TraceText, ManyArrowsHaveNumbersOfTheirOwn) {
  constexpr std::uint32_t kThreads = 40, kHops = 600;
  Trace trace(2, kBegin);
  for (int home = 0; home < 3; ++home) {
    for (std::uint32_t i = 1; i <= kThreads; ++i) {
      for (std::uint32_t hop = 1; hop <= kHops; ++hop)
        trace.departed(make_id(home, i), hop, 1, 0, 2000, false);
    }
  }
  std::set<std::string> ids;
  const Written written(trace);
  for (const Value* arrow : written.find("s", "move")) ids.insert((*arrow)["id"].GetString());
  EXPECT_EQ(ids.size(), 3 * kThreads * kHops);
}

TEST(TraceText, AThreadThatWasRefusedHasItsNameAgain) {
  Trace trace(2, kBegin);
  trace.named(5, "stays");
  trace.departed(5, 1, 1, 0, 2000, false);
  trace.refused(5, 1, 1, "stays");
  trace.ran(5, 3000, 4000);
  trace.close(5000, 0, 0);
  const Written written(trace);
  EXPECT_STREQ((*written.turns()[0])["name"].GetString(), "stays");
  EXPECT_EQ((*written.find("X", "move")[1])["args"]["refused_by"].GetInt(), 1);
  EXPECT_STREQ((*written.find("s", "move")[0])["id"].GetString(),
               (*written.find("f", "move")[0])["id"].GetString());
}

TEST(TraceText, SaysHowBusyTheRankWasBetweenSamples) {
  Trace trace(1, kBegin);
  trace.sample(1000, 3, 2, 0, 0);
  trace.sample(2000, 5, 9, 250, 0);  // ready, but moving: more than are here
  trace.close(4000, 2250, 0);
  const Written written(trace);
  const auto busy = written.find("C", "busy");
  ASSERT_EQ(busy.size(), 2u);
  EXPECT_DOUBLE_EQ(time(*busy[0]), 0);
  EXPECT_DOUBLE_EQ((*busy[0])["args"]["%"].GetDouble(), 75);
  EXPECT_DOUBLE_EQ((*busy[1])["args"]["%"].GetDouble(), 0);
  const auto threads = written.find("C", "threads");
  EXPECT_EQ((*threads[0])["args"]["ready"].GetInt(), 2);
  EXPECT_EQ((*threads[0])["args"]["waiting"].GetInt(), 1);
  EXPECT_EQ((*threads[1])["args"]["waiting"].GetInt(), 0);
}

TEST(TraceText, SaysWhatShareOfACoreTheRankHadBetweenSamples) {
  Trace trace(1, kBegin);
  trace.sample(1000, 3, 2, 0, 7'000);
  trace.sample(2000, 3, 2, 0, 7'500);
  trace.close(3000, 0, 9'500);
  const Written written(trace);
  const auto core = written.find("C", "core");
  ASSERT_EQ(core.size(), 2u);
  EXPECT_DOUBLE_EQ(time(*core[0]), 0);
  EXPECT_DOUBLE_EQ((*core[0])["args"]["%"].GetDouble(), 50);
  EXPECT_DOUBLE_EQ((*core[1])["args"]["%"].GetDouble(), 100);  // more than there was: clocks differ
}

TEST(TraceText, WritesABalancingStep) {
  Trace trace(2, kBegin);
  trace.balanced({.strategy = "greedy",
                  .begin_ticks = 2000,
                  .end_ticks = 3000,
                  .before = {3.0, 1.0},
                  .after = {2.0, NAN},
                  .moves = {{.thread = 5, .from = 0, .to = 1, .bytes = 100}}});
  const Written written(trace);
  const auto steps = written.find("X", "balancing");
  ASSERT_EQ(steps.size(), 1u);
  const Value& args = (*steps[0])["args"];
  EXPECT_STREQ(args["strategy"].GetString(), "greedy");
  EXPECT_DOUBLE_EQ(args["imbalance_before"].GetDouble(), 1.5);
  EXPECT_EQ(args["moves"].GetInt(), 1);
  EXPECT_EQ(args["bytes"].GetInt(), 100);
  EXPECT_EQ(args["moved"][0]["to"].GetInt(), 1);
  EXPECT_DOUBLE_EQ(args["before"][0].GetDouble(), 3);
  EXPECT_DOUBLE_EQ(args["after"][1].GetDouble(), 0);  // JSON has no word for it
  const auto loads = written.find("C", "load");
  ASSERT_EQ(loads.size(), 2u);
  EXPECT_EQ((*loads[0])["pid"].GetInt(), 1);
  EXPECT_DOUBLE_EQ((*loads[0])["args"]["load"].GetDouble(), 3);
  EXPECT_EQ((*loads[1])["pid"].GetInt(), 2);
  EXPECT_EQ(written.counts.counters, 2u);
}

TEST(TraceText, JoinsTheEndsOfAMessageAndAddsUpTheTraffic) {
  Trace sender(2, kBegin), receiver(2, kBegin);
  sender.sent(5, 6, 1, 100, -7, 99, 1, 2000);
  sender.sent(5, 0, 1, 50, 0, 99, 0, 3000);
  receiver.received(5, 6, 0, 100, -7, 99, 1);
  sender.close(5000, 0, 0);
  const Written from(sender, 0), to(receiver, 1);
  const auto tail = from.find("s", "message"), head = to.find("f", "message");
  ASSERT_EQ(tail.size(), 1u);  // without a sequence there is no arrow
  ASSERT_EQ(head.size(), 1u);
  EXPECT_STREQ((*tail[0])["id"].GetString(), (*head[0])["id"].GetString());
  const auto slices = from.find("X", "message");
  EXPECT_EQ((*slices[0])["args"]["tag"].GetInt(), -7);
  EXPECT_EQ((*slices[0])["args"]["bytes"].GetInt(), 100);
  EXPECT_EQ((*slices[0])["args"]["to"].GetInt(), 6);
  EXPECT_DOUBLE_EQ(time(*slices[0]), 1);  // when it was begun
  EXPECT_DOUBLE_EQ(time(*tail[0]), 1);
  EXPECT_FALSE((*slices[1])["args"].HasMember("to"));  // the sender did not know
  const auto summary = from.find("X", "summary");
  ASSERT_EQ(summary.size(), 1u);
  const Value& traffic = (*summary[0])["args"]["to"][0];
  EXPECT_EQ(traffic["rank"].GetInt(), 1);
  EXPECT_EQ(traffic["messages"].GetInt(), 2);
  EXPECT_EQ(traffic["bytes"].GetInt(), 150);
}

// The arrow of a message whose sender does not know the receiver's thread yet.
TEST(TraceText, TiesAMessageByItsPair) {
  Trace sender(2, kBegin), receiver(2, kBegin);
  sender.sent(5, 0, 1, 100, 0, 99, 1, 2000);
  receiver.received(5, 6, 0, 100, 0, 99, 1);
  const Written from(sender, 0), to(receiver, 1);
  EXPECT_STREQ((*from.find("s", "message")[0])["id"].GetString(),
               (*to.find("f", "message")[0])["id"].GetString());
}

// Whatever comes at the same time, in any lane: one slice after the other, the arrow in its own.
TEST(TraceText, SlicesOfALaneNeitherOverlapNorTouch) {
  Trace trace(2, kBegin);
  for (std::uint64_t i = 0; i < 50; ++i) {
    trace.ran(1 + i % 2, 2000 + 10 * i, 2010 + 10 * i);
    trace.departed(1 + i % 2, static_cast<std::uint32_t>(i), 1, 0, 100, false);  // before it begins
    trace.sent(1, 2, 1, 8, 0, 99, i + 1, 2000 + i / 5);
    trace.received(1, 2, 0, 8, 0, 99, i + 1);
    trace.balanced({.strategy = "greedy",
                    .begin_ticks = 2000 + i,
                    .end_ticks = 2100 + i,
                    .before = {1.0, 2.0},
                    .after = {1.0, 2.0},
                    .moves = {}});
  }
  trace.close(5000, 0, 0);
  const Written written(trace);
  std::map<int, std::int64_t> ends;  // by lane
  std::map<int, std::int64_t> begins;
  std::uint64_t slices = 0, arrows = 0;
  for (const Value* event : written.all()) {
    if (!event->HasMember("ph") || !event->HasMember("ts")) continue;
    const std::string phase = (*event)["ph"].GetString();
    const auto ns = static_cast<std::int64_t>(std::llround(time(*event) * 1000));
    if (phase == "X") {
      const int lane = (*event)["tid"].GetInt();
      EXPECT_GT(lane, 2);  // processes are 1 and 2
      const std::int64_t length = std::llround((*event)["dur"].GetDouble() * 1000);
      EXPECT_GE(length, 1);
      if (ends.count(lane) != 0) {
        EXPECT_GT(ns, ends[lane]) << "lane " << lane;
      }
      ends[lane] = ns + length;
      begins[lane] = ns;
      ++slices;
    } else if (phase == "s" || phase == "f") {
      EXPECT_EQ(ns, begins[(*event)["tid"].GetInt()]);
      ++arrows;
    }
  }
  EXPECT_EQ(slices, written.counts.slices);
  EXPECT_EQ(arrows, written.counts.tails + written.counts.heads);
  EXPECT_EQ(written.counts.heads, 50u);
}

TEST(TraceText, LanesOfARankHaveNumbersOfTheirOwn) {
  std::set<int> lanes;
  for (const int rank : {0, 1, 9, 10, 99, 100}) {
    Trace trace(101, kBegin);
    trace.ran(5, 2000, 3000);
    trace.departed(5, 1, 1, 0, 3000, false);
    trace.close(5000, 0, 0);
    const Written written(trace, rank, 101);
    for (const Value* event : written.find("M", "thread_name")) {
      const int lane = (*event)["tid"].GetInt();
      EXPECT_TRUE(lanes.insert(lane).second) << lane;
      EXPECT_GT(lane, 101);  // the last process
    }
  }
  EXPECT_EQ(lanes.size(), 12u);
}

TEST(TraceText, ListsTheLongestThreads) {
  Trace trace(1, kBegin);
  for (std::uint64_t i = 1; i <= 200; ++i) {
    trace.named(i, "n" + std::to_string(i));
    trace.ended(i, 1000 * i);
  }
  const Written written(trace);
  const auto summary = written.find("X", "summary");
  ASSERT_EQ(summary.size(), 1u);
  const auto threads = (*summary[0])["args"]["threads"].GetArray();
  ASSERT_EQ(threads.Size(), 64u);
  for (const Value& thread : threads) {
    EXPECT_GT(thread["ran_ns"].GetUint64(), 136'000u);
    EXPECT_EQ(thread["name"].GetString(), "n" + std::to_string(thread["thread"].GetUint64()));
  }
}

}  // namespace
}  // namespace roam::runtime
