#include "runtime/balance/table_file.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "base/test_bytes.h"
#include "roam/error.h"
#include "runtime/balance/test_tables.h"

namespace roam::balance {
namespace {

constexpr const char* kExample =
    "roam-load-table 1\n"
    "# steps move_s_per_byte move_between_s move_in_node_s comm_s_per_byte comm_s_per_message\n"
    "costs 10 5e-10 5e-06 7e-07 3e-10 3e-07\n"
    "ranks 2\n"
    "# speed node memory_bytes used_bytes\n"
    "1 0 0 0\n"
    "1 1 1048576 4096\n"
    "threads 2\n"
    "# load_s bytes rank\n"
    "0.25 8192 0\n"
    "0.5 8192 0\n"
    "edges 1\n"
    "# from to bytes messages; `from` never falls\n"
    "0 1 640 2\n"
    "end\n";

std::string written(const LoadTable& table) {
  std::ostringstream out;
  write_table(out, table);
  return out.str();
}

LoadTable read(const std::string& text) {
  std::istringstream in(text);
  return read_table(in, "example");
}

TEST(TableFile, IsWrittenAsTheHeaderSays) {
  LoadTable table;
  table.threads = {{0.25, 8192, 0}, {0.5, 8192, 0}};
  table.ranks = {{.speed = 1, .node = 0},
                 {.speed = 1, .node = 1, .memory_bytes = 1'048'576, .used_bytes = 4096}};
  table.first_edge = {0, 1, 1};
  table.edges = {{1, 640, 2}};
  EXPECT_EQ(written(table), kExample);
  EXPECT_EQ(written(read(kExample)), kExample);
}

TEST(TableFile, BringsBackAnyTableBitByBit) {
  std::uint64_t state = test_seed();
  for (int run = 0; run < 100; ++run) {
    const LoadTable table = random_table(&state, {});
    const LoadTable back = read(written(table));
    ASSERT_EQ(written(back), written(table));
    ASSERT_EQ(back.threads.size(), table.threads.size());
    for (std::size_t i = 0; i < table.threads.size(); ++i) {
      ASSERT_EQ(back.threads[i].load_s, table.threads[i].load_s);
    }
    if (table.has_edges()) {
      ASSERT_EQ(back.first_edge, table.first_edge);
    }
  }
}

TEST(TableFile, SaysWhoCannotMove) {
  LoadTable table = read(kExample);
  table.threads[1].fixed = true;
  const std::string text = written(table);
  EXPECT_NE(text.find("roam-load-table 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("fixed 1\n# thread\n1\nend\n"), std::string::npos) << text;
  const LoadTable back = read(text);
  EXPECT_FALSE(back.threads[0].fixed);
  EXPECT_TRUE(back.threads[1].fixed);
  for (const char* wrong : {"fixed 1\n# thread\n2\n", "fixed 2\n1\n1\n", "fixed 2\n1\n"}) {
    std::string broken = text;
    const std::size_t at = broken.find("fixed 1");
    broken.replace(at, broken.find("end", at) - at, wrong);
    EXPECT_THROW(read(broken), Error) << wrong;
  }
}

TEST(TableFile, SaysWhoSharesWhichBlock) {
  LoadTable table = read(kExample);
  table.block_bytes = {500, 1'600'000};
  table.threads[1].block = 1;
  const std::string text = written(table);
  EXPECT_NE(text.find("roam-load-table 3\n"), std::string::npos) << text;
  EXPECT_NE(text.find("blocks 2\n# bytes\n500\n1600000\nsharers 1\n# thread block\n1 1\nend\n"),
            std::string::npos)
      << text;
  const LoadTable back = read(text);
  EXPECT_EQ(back.block_bytes, table.block_bytes);
  EXPECT_EQ(back.threads[0].block, -1);
  EXPECT_EQ(back.threads[1].block, 1);
  for (const char* wrong : {"1 2", "1 -1", "2 0", "1", "1 0 0"}) {
    std::string broken = text;
    broken.replace(broken.find("\n1 1\n") + 1, 3, wrong);
    EXPECT_THROW(read(broken), Error) << wrong;
  }
}

TEST(TableFile, TakesEmptyLinesAndOtherLineEnds) {
  std::string text = kExample;
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 4) {
    text.replace(at, 1, "\r\n\r\n");
  }
  EXPECT_EQ(written(read(text)), kExample);
}

TEST(TableFile, IsRefusedWithTheLineThatIsWrong) {
  const struct {
    const char *from, *to, *message;
  } cases[] = {
      {"roam-load-table 1", "roam-load-table 4", "example:1: version 4"},
      {"roam-load-table 1", "roam-load-table 2", "example:15: 'end' where 'fixed' is expected"},
      {"roam-load-table", "roam_load_table", "example:1: 'roam_load_table' where"},
      {"costs 10", "costs ten", "example:3: 'ten' is no number of steps"},
      {" 3e-07", "", "example:3: comm_s_per_message is missing"},
      {"ranks 2", "ranks -2", "example:4: '-2' is no number of lines"},
      {"ranks 2", "ranks 3", "example:8: 'threads' is no speed"},
      {"1 0 0 0", "1 0 0 0 0", "example:6: '0' is too much"},
      {"0.25 8192 0", "nan 8192 0", "thread 0 has load nan"},
      {"0.25 8192 0", "0.25 8192 7", "thread 0 is on rank 7 of 2"},
      {"0.25 8192 0", "0.25 8192.5 0", "example:10: '8192.5' is no number of bytes"},
      {"0 1 640 2", "2 1 640 2", "example:14: thread 2 of 2"},
      {"0 1 640 2", "0 9 640 2", "edge 0 goes to thread 9"},
      {"edges 1", "edges 2", "example:15: 'end' is no thread"},
      {"end\n", "", "example:15: the file ends; end is expected"},
      {"edges 1", "edges 18446744073709551616", "example:12: '18446744073709551616' is no"},
  };
  for (const auto& [from, to, message] : cases) {
    std::string text = kExample;
    text.replace(text.find(from), std::string(from).size(), to);
    try {
      read(text);
      ADD_FAILURE() << "not refused: " << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::corrupt_image);
      EXPECT_NE(std::string(error.what()).find(message), std::string::npos)
          << error.what() << "\nin place of " << message;
    }
  }
}

TEST(TableFile, IsReadOrRefusedWhateverIsChangedInIt) {
  std::uint64_t state = test_seed();
  for (int run = 0; run < 2'000; ++run) {
    std::string text = kExample;
    for (std::uint64_t left = 1 + below(&state, 3); left != 0; --left) {
      text[below(&state, text.size())] = static_cast<char>(next_random(&state));
    }
    try {
      check_table(read(text));
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), Errc::corrupt_image);
    }
  }
}

}  // namespace
}  // namespace roam::balance
