#include "bench/vt_files.h"

#include <brotli/encode.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "runtime/balance/test_tables.h"

namespace bench {
namespace {

namespace balance = roam::balance;
namespace fs = std::filesystem;

// Two ranks, two phases: task 7 cannot move and sends to task 9, task 8 shares block 3 with it.
constexpr const char* kRank0 =
    R"({"type": "LBDatafile", "more": [1], "phases": [
  {"id": 0, "tasks": [
    {"entity": {"type": "object", "id": 7, "home": 0, "migratable": false}, "node": 0, "time": 1.5,
     "user_defined": {"task_serialized_bytes": 10.0, "task_footprint_bytes": 20.0,
                      "task_working_bytes": 300, "rank_working_bytes": 5000.0,
                      "shared_id": 3, "shared_bytes": 40000.0}},
    {"entity": {"type": "object", "id": 8, "home": 0, "migratable": true}, "node": 0, "time": 2,
     "user_defined": {"task_serialized_bytes": 30, "task_footprint_bytes": 20,
                      "shared_id": 3, "shared_bytes": 40000}}],
   "communications": [
    {"type": "SendRecv", "from": {"type": "object", "id": 7}, "to": {"type": "object", "id": 9},
     "bytes": 640.0, "messages": 2},
    {"type": "SendRecv", "from": {"type": "object", "id": 7}, "to": {"type": "object", "id": 1},
     "bytes": 1, "messages": 1}]},
  {"id": 4, "tasks": [
    {"entity": {"type": "object", "id": 8, "home": 0, "migratable": true}, "node": 0, "time": 3}]}]})";
constexpr const char* kRank1 =
    R"({"metadata": {"type": "LBDatafile"}, "phases": [
  {"id": 0, "tasks": [{"entity": {"type": "object", "id": 9, "home": 1}, "node": 1, "time": 4}]},
  {"id": 4, "tasks": [{"entity": {"type": "object", "id": 9, "home": 1}, "node": 1, "time": 5}]}]})";

class VtFiles : public testing::Test {
 protected:
  VtFiles() : dir_(fs::path(testing::TempDir()) / "vt_files_test") {
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  ~VtFiles() override { fs::remove_all(dir_); }

  std::string put(const std::string& name, const std::string& content) const {
    std::ofstream(dir_ / name, std::ios::binary) << content;
    return (dir_ / name).string();
  }
  void put_example() const {
    put("toy.0.json", kRank0);
    put("toy.1.json", kRank1);
  }
  std::string refusal(const std::string& name = "") const {
    try {
      read_vt(name.empty() ? dir_.string() : (dir_ / name).string());
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }

  const fs::path dir_;
};

std::string packed(const std::string& text) {
  std::vector<std::uint8_t> out(BrotliEncoderMaxCompressedSize(text.size()));
  std::size_t bytes = out.size();
  BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, text.size(),
                        reinterpret_cast<const std::uint8_t*>(text.data()), &bytes, out.data());
  return {reinterpret_cast<const char*>(out.data()), bytes};
}

void expect_example(const Recording& recording) {
  ASSERT_EQ(recording.steps.size(), 2u);
  EXPECT_EQ(recording.left_out, 1u);
  const balance::LoadTable& table = recording.steps[0];
  ASSERT_EQ(table.threads.size(), 3u);
  ASSERT_EQ(table.ranks.size(), 2u);
  EXPECT_EQ(table.threads[0].load_s, 1.5);
  EXPECT_EQ(table.threads[0].bytes, 20u);
  EXPECT_TRUE(table.threads[0].fixed);
  EXPECT_EQ(table.threads[1].bytes, 30u);
  EXPECT_FALSE(table.threads[1].fixed);
  EXPECT_FALSE(table.threads[2].fixed);
  EXPECT_EQ(table.threads[2].rank, 1);
  EXPECT_EQ(table.block_bytes, std::vector<std::uint64_t>{40'000});
  EXPECT_EQ(bytes_on_ranks(table, plan_to_stay(table)),
            (std::vector<std::uint64_t>{5'000 + 300 + 20 + 30 + 40'000, 5'300}));
  ASSERT_EQ(table.edges.size(), 1u);
  ASSERT_EQ(table.edges_of(0).size(), 1u);
  EXPECT_EQ(table.edges[0].to, 2u);
  EXPECT_EQ(table.edges[0].bytes, 640u);
  EXPECT_EQ(table.edges[0].messages, 2u);

  const balance::LoadTable& later = recording.steps[1];
  EXPECT_EQ(later.threads[0].load_s, 0);  // it is not in this phase
  EXPECT_EQ(later.threads[1].load_s, 3);
  EXPECT_EQ(later.threads[2].load_s, 5);
  EXPECT_FALSE(later.has_edges());
}

TEST_F(VtFiles, AreReadAsTheHeaderSays) {
  put_example();
  put("README.txt", "no table");
  expect_example(read_vt(dir_.string()));
  expect_example(read_vt((dir_ / "toy").string()));
}

TEST_F(VtFiles, MayBePacked) {
  put("toy.0.json", packed(kRank0));
  put("toy.1.json.br", packed(kRank1));
  expect_example(read_vt(dir_.string()));
  put("toy.0.json", packed(kRank0).substr(0, 100));
  EXPECT_NE(
      refusal().find("toy.0.json: begins with no '{', and brotli cannot unpack it: it is cut"),
      std::string::npos)
      << refusal();
  put("toy.0.json", "[]");
  EXPECT_NE(refusal().find("brotli cannot unpack"), std::string::npos) << refusal();
}

TEST_F(VtFiles, OfOneSetAreFound) {
  EXPECT_NE(refusal().find("has no file NAME.RANK.json"), std::string::npos);
  EXPECT_NE(refusal("none").find("none: no such directory, nor a file"), std::string::npos);
  put_example();
  EXPECT_NE(refusal("toy.0.json").find("give the directory"), std::string::npos);
  put("other.0.json", kRank0);
  EXPECT_NE(refusal().find("several sets (other, toy)"), std::string::npos) << refusal();
  EXPECT_EQ(refusal("toy"), "");
  put("toy.3.json", kRank1);
  EXPECT_NE(refusal("toy").find("rank 2 has no file, but rank 3 has"), std::string::npos);
  put("toy.1.json.br", packed(kRank1));
  EXPECT_NE(refusal("toy").find("rank 1 has a second file"), std::string::npos);
}

TEST_F(VtFiles, AreRefusedWithTheFileWhatWasFoundAndWhatIsNeeded) {
  const struct {
    const char *from, *to, *message;
  } cases[] = {
      {"LBDatafile", "LBStatsfile", R"(type is "LBStatsfile"; "LBDatafile" is needed)"},
      {"\"type\": \"LBDatafile\"", "\"t\": 1", "metadata is missing"},
      {"\"time\": 1.5", "\"time\": \"fast\"",
       R"(phases[0].tasks[0].time is "fast"; a number, 0 or more, is needed)"},
      {"\"time\": 1.5", "\"time\": -1", "time is -1; a number, 0 or more,"},
      {"\"time\": 1.5", "\"tim\": 1", "phases[0].tasks[0].time is missing"},
      {"\"node\": 0", "\"node\": 1", "node is 1; 0, the rank of the file, is needed"},
      {"\"id\": 7", "\"id\": 7.5", "entity.id is 7.5; a whole number from 0"},
      {"\"id\": 7", "\"id\": 8", "task 8 is in one phase twice"},
      {"\"id\": 7", "\"id\": 9", "task 9 is in one phase twice, here and in"},
      {"false", "0", "entity.migratable is 0; true or false is needed"},
      {"40000.0", "40001", "shared_bytes is 40000; 40001, as other tasks of shared_id 3 have,"},
      {"10.0", "-10", "task_serialized_bytes is -10; a number of bytes from 0"},
      {"\"id\": 4", "\"id\": 0", "phases[1].id is 0; more than 0 of the phase before"},
      {"\"id\": 4", "\"id\": 5", "toy.1.json: phases[1].id is 4; 5, as in the file of rank 0,"},
      {"\"messages\": 2", "\"messages\": -2", "communications[0].messages is -2"},
      {"\"more\": [1]", "\"more\": [1", "of the JSON: Missing a comma or ']'"},
      {"\"phases\": [", "\"phases\": 7, \"x\": [", "phases is 7; an array is needed"},
  };
  for (const auto& [from, to, message] : cases) {
    put_example();
    std::string text = kRank0;
    text.replace(text.find(from), std::string(from).size(), to);
    put("toy.0.json", text);
    EXPECT_NE(refusal().find(message), std::string::npos)
        << refusal() << "\nin place of " << message;
    EXPECT_NE(refusal().find((dir_ / "toy.").string()), std::string::npos) << refusal();
  }
  put("toy.0.json", std::string(100'000, '['));
  EXPECT_NE(refusal(), "");
  put("toy.0.json", "{\"a\":" + std::string(1'000'000, '['));
  EXPECT_NE(refusal(), "");
}

TEST_F(VtFiles, BringBackWhatWasWritten) {
  std::uint64_t state = roam::test_seed();
  for (int run = 0; run < 40; ++run) {
    fs::remove_all(dir_);
    Recording recording;
    recording.steps.push_back(balance::random_table(&state, {.speeds = false, .limits = false}));
    balance::LoadTable second = recording.steps[0];
    for (balance::ThreadLoad& thread : second.threads) thread.load_s = balance::fraction(&state);
    recording.steps.push_back(second);
    write_vt(dir_.string(), recording);
    EXPECT_THROW(write_vt(dir_.string(), recording), std::runtime_error) << "over what is there";
    const Recording back = read_vt(dir_.string());
    ASSERT_EQ(back.steps.size(), 2u);
    EXPECT_EQ(back.left_out, 0u);
    for (std::size_t step = 0; step < 2; ++step) {
      const balance::LoadTable &was = recording.steps[step], &is = back.steps[step];
      ASSERT_EQ(is.threads.size(), was.threads.size());
      // The reader numbers threads as it meets them: rank by rank.
      std::vector<std::size_t> order;
      for (std::size_t r = 0; r < was.ranks.size(); ++r) {
        for (std::size_t i = 0; i < was.threads.size(); ++i) {
          if (static_cast<std::size_t>(was.threads[i].rank) == r) order.push_back(i);
        }
      }
      for (std::size_t k = 0; k < order.size(); ++k) {
        const balance::ThreadLoad &a = was.threads[order[k]], &b = is.threads[k];
        ASSERT_EQ(a.load_s, b.load_s);
        ASSERT_EQ(a.bytes, b.bytes);
        ASSERT_EQ(a.rank, b.rank);
        ASSERT_EQ(a.fixed, b.fixed);
        ASSERT_EQ(a.block < 0, b.block < 0);
        if (a.block >= 0) {
          ASSERT_EQ(was.block_bytes[static_cast<std::size_t>(a.block)],
                    is.block_bytes[static_cast<std::size_t>(b.block)]);
        }
        ASSERT_EQ(was.edges_of(order[k]).size(), is.edges_of(k).size());
        for (std::size_t e = 0; e < is.edges_of(k).size(); ++e) {
          ASSERT_EQ(was.edges_of(order[k])[e].to, order[is.edges_of(k)[e].to]);
          ASSERT_EQ(was.edges_of(order[k])[e].bytes, is.edges_of(k)[e].bytes);
          ASSERT_EQ(was.edges_of(order[k])[e].messages, is.edges_of(k)[e].messages);
        }
      }
    }
  }
}

}  // namespace
}  // namespace bench
