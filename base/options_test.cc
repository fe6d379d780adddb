#include "base/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "base/sanitizers.h"
#include "roam/error.h"

namespace roam {
namespace {

const char* const kNames[] = {
    "ROAM_NODE_RANKS", "ROAM_ARENA",      "ROAM_VERBOSE", "ROAM_MEMORY",     "ROAM_KEEP",
    "ROAM_EAGER",      "ROAM_REEXEC",     "ROAM_HUGE",    "ROAM_SHARE",      "ROAM_SHUFFLE",
    "ROAM_TRACE",      "ROAM_PROGRESS",   "ROAM_CHECK",   "ROAM_UNRECEIVED", "ROAM_GUARDS",
    "ROAM_STOPPED",    "ROAM_SINGLE",     "ROAM_BALANCE", "ROAM_LOAD_MODEL", "ROAM_BALANCE_TABLE",
    "ROAM_RECORD",     "ROAM_CHECKPOINT", "ROAM_RESTART", "ROAM_KEEPER"};

class OptionsTest : public testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  static void clear() {
    for (const char* name : kNames) unsetenv(name);
  }
  static Options with(const char* name, const std::string& value) {
    clear();
    setenv(name, value.c_str(), 1);
    return read_options();
  }
  // The message must let the user correct it without the manual.
  static void expect_refused(const char* name, const std::string& value, const char* allowed) {
    SCOPED_TRACE(name + ("=" + value));
    try {
      with(name, value);
      ADD_FAILURE() << "was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::bad_option);
      const std::string what = error.what();
      EXPECT_NE(what.find(name), std::string::npos) << what;
      EXPECT_NE(what.find(value), std::string::npos) << what;
      EXPECT_NE(what.find(allowed), std::string::npos) << what;
    }
  }
};

TEST_F(OptionsTest, AnEmptyEnvironmentGivesTheDefaults) {
  const Options options = read_options();
  EXPECT_EQ(options.node_ranks, 0);
  EXPECT_EQ(options.arena_base, sanitizers::kArenaBase);
  EXPECT_EQ(options.arena_bytes, std::min(std::size_t{48} << 40, sanitizers::most_arena_bytes()));
  EXPECT_EQ(options.verbose, 0);
  EXPECT_EQ(options.memory_bytes, 0u);
  EXPECT_EQ(options.keep_bytes, 512u << 20);
  EXPECT_EQ(options.eager_bytes, 24u << 10);
  EXPECT_TRUE(options.reexec);
  EXPECT_TRUE(options.share);
  EXPECT_EQ(options.huge, 2);
  EXPECT_EQ(options.seed, 0u);
  EXPECT_EQ(options.trace, "");
  EXPECT_EQ(options.guards, "");
  EXPECT_EQ(options.progress_s, 0);
  EXPECT_EQ(options.stopped_s, 10);
  EXPECT_FALSE(options.check_pointers);
}

TEST_F(OptionsTest, NamesTheCheckers) {
  EXPECT_TRUE(with("ROAM_CHECK", "pointers").check_pointers);
  for (const char* bad : {"pointer", "1", "all", "pointers,", " pointers"}) {
    expect_refused("ROAM_CHECK", bad, "pointers");
  }
}

TEST_F(OptionsTest, NamesAFileForTheTraceAndSecondsForTheProgress) {
  EXPECT_EQ(with("ROAM_TRACE", "/tmp/a trace.json").trace, "/tmp/a trace.json");
  EXPECT_EQ(with("ROAM_BALANCE_TABLE", "loads").balance_table, "loads");
  EXPECT_EQ(with("ROAM_PROGRESS", "10").progress_s, 10);
  expect_refused("ROAM_PROGRESS", "often", "seconds");
  EXPECT_EQ(with("ROAM_STOPPED", "3").stopped_s, 3);
  EXPECT_EQ(with("ROAM_STOPPED", "0").stopped_s, 0);
  expect_refused("ROAM_STOPPED", "-1", "seconds");
}

TEST_F(OptionsTest, NamesTheKindOfGuards) {
  for (const char* good : {"madvise", "mprotect", "none"})
    EXPECT_EQ(with("ROAM_GUARDS", good).guards, good);
  expect_refused("ROAM_GUARDS", "some", "madvise, mprotect or none");
}

TEST_F(OptionsTest, AnEmptyVariableIsAsGoodAsNone) {
  for (const char* name : kNames) {
    SCOPED_TRACE(name);
    EXPECT_NO_THROW(with(name, ""));
  }
}

TEST_F(OptionsTest, EachGoodValueIsTaken) {
  EXPECT_EQ(with("ROAM_NODE_RANKS", "3").node_ranks, 3);
  EXPECT_EQ(with("ROAM_VERBOSE", "2").verbose, 2);
  EXPECT_EQ(with("ROAM_MEMORY", "5G").memory_bytes, 5ull << 30);
  EXPECT_EQ(with("ROAM_KEEP", "0").keep_bytes, 0u);
  EXPECT_EQ(with("ROAM_EAGER", "256K").eager_bytes, 256u << 10);
  EXPECT_FALSE(with("ROAM_REEXEC", "0").reexec);
  EXPECT_TRUE(with("ROAM_REEXEC", "1").reexec);
  EXPECT_FALSE(with("ROAM_SHARE", "0").share);
  EXPECT_EQ(with("ROAM_RECORD", "/tmp/r").record, "/tmp/r");
  EXPECT_EQ(with("ROAM_KEEPER", "/opt/roam-keeper").keeper, "/opt/roam-keeper");
  EXPECT_EQ(with("ROAM_RESTART", "/tmp/r").restart_dir, "/tmp/r");
  EXPECT_FALSE(with("ROAM_RESTART", "/tmp/r").restart_of_others);
  EXPECT_FALSE(with("ROAM_RESTART", "/tmp/r,of=me").restart_of_others);
  EXPECT_EQ(with("ROAM_RESTART", "/tmp/r,of=others").restart_dir, "/tmp/r");
  EXPECT_TRUE(with("ROAM_RESTART", "/tmp/r,of=others").restart_of_others);
  EXPECT_EQ(with("ROAM_HUGE", "0").huge, 0);
  EXPECT_EQ(with("ROAM_HUGE", "1").huge, 1);
  EXPECT_EQ(with("ROAM_SHUFFLE", "9223372036854775807").seed, 9223372036854775807u);
  const Options arena = with("ROAM_ARENA", "0x300000000000,64M");
  EXPECT_EQ(arena.arena_base, 0x300000000000u);
  EXPECT_EQ(arena.arena_bytes, 64u << 20);
  EXPECT_EQ(with("ROAM_ARENA", "1G,1T").arena_base, 1u << 30);
}

TEST_F(OptionsTest, EachBadNumberIsRefusedWithVariableValueAndRange) {
  for (const char* bad :
       {"-1", "x", "1x", "1.5", "16777217", "99999999999999999999", " 1", "+1", "1 ", "0x10"}) {
    expect_refused("ROAM_NODE_RANKS", bad, "whole number of ranks, 0 or more");
  }
  for (const char* bad : {"-1", "3", "yes", "01x"}) {
    expect_refused("ROAM_VERBOSE", bad, "0, 1 or 2");
  }
  for (const char* name : {"ROAM_REEXEC", "ROAM_SHARE"}) {
    for (const char* bad : {"2", "-1", "true", "on"}) expect_refused(name, bad, "0 or 1");
  }
  for (const char* bad : {"-1", "x", "9223372036854775808", "99999999999999999999"}) {
    expect_refused("ROAM_SHUFFLE", bad, "whole number, 0 or more");
  }
}

TEST_F(OptionsTest, EachBadSizeIsRefusedWithVariableValueAndUnits) {
  for (const char* name : {"ROAM_MEMORY", "ROAM_UNRECEIVED", "ROAM_KEEP"}) {
    for (const char* bad : {"-1", "x", "1P", "1.5G", "1 G", "9223372036854775808", "1 "}) {
      expect_refused(name, bad, "bytes, with K, M, G or T");
    }
  }
  for (const char* bad : {"257K", "1M", "-1", "x"}) {
    expect_refused("ROAM_EAGER", bad, "bytes up to 256K");
  }
}

TEST_F(OptionsTest, EachBadArenaIsRefusedWithTheRule) {
  for (const char* bad : {"1T", "1T,", ",1T", ",", "x,y", "0,1T", "1000,1T", "512M,1T", "1T,63M",
                          "1T,0", "1T,65537K", "1T,127T", "127T,1T", "1T,1T,1T", "-1,1T",
                          "1T,9223372036854775807", "9223372035781033984,64M"}) {
    expect_refused("ROAM_ARENA", bad, "BASE,SIZE");
  }
}

TEST_F(OptionsTest, EachBadCheckpointIsRefusedWithTheRule) {
  for (const char* bad : {"d,full=0", "d,full=1001", "d,full=", "d,full=x", "d,keep=0", "d,every=0",
                          "d,memory=yes", "d,other=1", ",every=1s"}) {
    expect_refused("ROAM_CHECKPOINT", bad, "full=NUMBER");
  }
  for (const char* bad : {"", "gzip", "zstd:", "zstd:0", "zstd:-0", "zstd:20", "zstd:-51", "zstd:x",
                          "zstd:1x", "zstd:--1", "zstd:+1", "zstd1", "ZSTD", "on", "1"}) {
    expect_refused("ROAM_CHECKPOINT", std::string("d,compress=") + bad, "LEVEL from -50 to 19");
  }
}

TEST_F(OptionsTest, OfABadCheckpointTheWrongPartIsNamed) {
  expect_refused("ROAM_CHECKPOINT", "d,keep=3,every=0.5s,full=2", ": 'every=0.5s' is not allowed");
  expect_refused("ROAM_CHECKPOINT", "d,keep", ": 'keep' is not allowed");
  expect_refused("ROAM_CHECKPOINT", ",every=1s", "'every= without a folder before it'");
}

TEST_F(OptionsTest, CheckpointsAreCompressedIfThatIsWanted) {
  EXPECT_EQ(with("ROAM_CHECKPOINT", "d,every=1s").checkpoint_compression, 0);
  EXPECT_EQ(with("ROAM_CHECKPOINT", "d,compress=off").checkpoint_compression, 0);
  EXPECT_EQ(with("ROAM_CHECKPOINT", "d,compress=zstd").checkpoint_compression, 1);
  EXPECT_EQ(with("ROAM_CHECKPOINT", "d,compress=zstd:19").checkpoint_compression, 19);
  EXPECT_EQ(with("ROAM_CHECKPOINT", ",compress=zstd:-50").checkpoint_compression, -50);
  EXPECT_EQ(with("ROAM_CHECKPOINT", "d,compress=zstd:3,keep=5").checkpoint_keep, 5);
}

TEST_F(OptionsTest, EachBadRestartIsRefusedWithTheRule) {
  for (const char* bad : {",of=others", "d,", "d,of", "d,of=", "d,of=other", "d,of=others,",
                          "d,of=others,of=others", "d,others", "d,keep=2"}) {
    expect_refused("ROAM_RESTART", bad, "DIR,of=others");
  }
}

TEST_F(OptionsTest, HelpListsEveryOption) {
  const std::string help = options_help();
  std::set<std::string> listed;
  for (std::size_t at = 0; (at = help.find("\n  ROAM_", at)) != std::string::npos; ++at)
    listed.insert(help.substr(at + 3, help.find_first_of(" =\n", at + 3) - at - 3));
  std::set<std::string> known(std::begin(kNames), std::end(kNames));
  known.insert("ROAM_HELP");
  EXPECT_EQ(listed, known) << "kNames has them all, so that each is tested";
}

TEST(Errors, EachCodeHasItsOwnName) {
  std::vector<std::string> names;
  for (int code = 1; code <= static_cast<int>(Errc::system); ++code) {
    names.emplace_back(to_string(static_cast<Errc>(code)));
    EXPECT_NE(names.back(), "unknown") << code;
    for (std::size_t i = 0; i + 1 < names.size(); ++i) EXPECT_NE(names[i], names.back());
  }
}

}  // namespace
}  // namespace roam
