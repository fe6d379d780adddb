#include "runtime/balance/table_file.h"

#include <algorithm>
#include <charconv>
#include <istream>
#include <ostream>
#include <string_view>
#include <system_error>

#include "base/text.h"
#include "roam/error.h"

namespace roam::balance {
namespace {

constexpr const char* kMagic = "roam-load-table";
constexpr std::size_t kVersion = 3;
constexpr std::size_t kVersionWithoutBlocks = 2;
constexpr std::size_t kVersionWithoutFixed = 1;

// ---- writing ----

template <class Number>
void put(std::string& line, Number value) {
  char digits[64];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  if (!line.empty()) line += ' ';
  line.append(digits, end);
}

template <class... Numbers>
void put_line(std::ostream& out, std::string word, Numbers... values) {
  (put(word, values), ...);
  out << word << '\n';
}

// ---- reading ----

class Reader {
 public:
  Reader(std::istream& in, const std::string& name) : in_(in), name_(name) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Errc::corrupt_image, text("%s:%zu: %s", name_.c_str(), line_number_, what.c_str()));
  }

  // Goes to the next line that is neither empty nor a comment. `expected`: for the message if there
  // is none.
  void next_line(const char* expected) {
    do {
      ++line_number_;
      if (!std::getline(in_, line_)) fail(text("the file ends; %s is expected", expected));
      if (!line_.empty() && line_.back() == '\r') line_.pop_back();
      rest_ = line_;
      skip_blanks();
    } while (rest_.empty() || rest_.front() == '#');
  }

  // The next word of the line must be `word`.
  void expect_word(const char* word) {
    if (const std::string_view found = next_word(); found != word) {
      fail(text("'%.*s' where '%s' is expected", static_cast<int>(found.size()), found.data(),
                word));
    }
  }

  // The next word of the line, as the number that `field` has.
  template <class Number>
  void read(const char* field, Number& value) {
    const std::string_view word = next_word();
    const char* const end = word.data() + word.size();
    const auto [at, error] = std::from_chars(word.data(), end, value);
    if (word.empty()) fail(text("%s is missing", field));
    if (error != std::errc() || at != end) {
      fail(text("'%.*s' is no %s", static_cast<int>(word.size()), word.data(), field));
    }
  }

  void expect_end_of_line() {
    if (!rest_.empty()) fail(text("'%s' is too much", std::string(rest_).c_str()));
  }

  // A line `word COUNT`.
  std::size_t read_count(const char* word) {
    std::size_t count = 0;
    next_line(word);
    expect_word(word);
    read("number of lines", count);
    expect_end_of_line();
    return count;
  }

 private:
  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
  }
  std::string_view next_word() {
    const std::size_t length = std::min(rest_.find_first_of(" \t"), rest_.size());
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    skip_blanks();
    return word;
  }

  std::istream& in_;
  const std::string& name_;
  std::string line_;
  std::string_view rest_;  // of line_
  std::size_t line_number_ = 0;
};

void read_costs(Reader& reader, Costs& costs) {
  reader.next_line("costs");
  reader.expect_word("costs");
  reader.read("number of steps", costs.steps);
  reader.read("move_s_per_byte", costs.move_s_per_byte);
  reader.read("move_between_s", costs.move_between_s);
  reader.read("move_in_node_s", costs.move_in_node_s);
  reader.read("comm_s_per_byte", costs.comm_s_per_byte);
  reader.read("comm_s_per_message", costs.comm_s_per_message);
  reader.expect_end_of_line();
}

void read_ranks(Reader& reader, LoadTable& table) {
  for (std::size_t left = reader.read_count("ranks"); left != 0; --left) {
    RankInfo rank;
    reader.next_line("a rank");
    reader.read("speed", rank.speed);
    reader.read("node", rank.node);
    reader.read("memory_bytes", rank.memory_bytes);
    reader.read("used_bytes", rank.used_bytes);
    reader.expect_end_of_line();
    table.ranks.push_back(rank);
  }
}

void read_threads(Reader& reader, LoadTable& table) {
  for (std::size_t left = reader.read_count("threads"); left != 0; --left) {
    ThreadLoad thread;
    reader.next_line("a thread");
    reader.read("load_s", thread.load_s);
    reader.read("number of bytes", thread.bytes);
    reader.read("rank", thread.rank);
    reader.expect_end_of_line();
    table.threads.push_back(thread);
  }
}

void read_edges(Reader& reader, LoadTable& table) {
  const std::size_t count = reader.read_count("edges");
  if (count == 0) return;
  table.first_edge.assign(table.threads.size() + 1, 0);
  std::size_t last = 0;
  for (std::size_t left = count; left != 0; --left) {
    std::size_t from = 0;
    Edge edge;
    reader.next_line("an edge");
    reader.read("thread", from);
    reader.read("thread", edge.to);
    reader.read("number of bytes", edge.bytes);
    reader.read("number of messages", edge.messages);
    reader.expect_end_of_line();
    if (from >= table.threads.size()) {
      reader.fail(text("thread %zu of %zu", from, table.threads.size()));
    }
    if (from < last) reader.fail(text("an edge of thread %zu behind one of %zu", from, last));
    last = from;
    table.edges.push_back(edge);
    ++table.first_edge[from + 1];
  }
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    table.first_edge[i + 1] += table.first_edge[i];
  }
}

void read_fixed(Reader& reader, LoadTable& table) {
  for (std::size_t left = reader.read_count("fixed"); left != 0; --left) {
    std::size_t thread = 0;
    reader.next_line("a thread");
    reader.read("thread", thread);
    reader.expect_end_of_line();
    if (thread >= table.threads.size()) {
      reader.fail(text("thread %zu of %zu", thread, table.threads.size()));
    }
    if (table.threads[thread].fixed) reader.fail(text("thread %zu a second time", thread));
    table.threads[thread].fixed = true;
  }
}

void read_blocks(Reader& reader, LoadTable& table) {
  for (std::size_t left = reader.read_count("blocks"); left != 0; --left) {
    std::uint64_t bytes = 0;
    reader.next_line("a block");
    reader.read("number of bytes", bytes);
    reader.expect_end_of_line();
    table.block_bytes.push_back(bytes);
  }
  for (std::size_t left = reader.read_count("sharers"); left != 0; --left) {
    std::size_t thread = 0;
    std::int32_t block = 0;
    reader.next_line("a thread");
    reader.read("thread", thread);
    reader.read("block", block);
    reader.expect_end_of_line();
    if (thread >= table.threads.size()) {
      reader.fail(text("thread %zu of %zu", thread, table.threads.size()));
    }
    if (block < 0) reader.fail(text("block %d, which is below 0", block));
    if (table.threads[thread].block >= 0) reader.fail(text("thread %zu a second time", thread));
    table.threads[thread].block = block;
  }
}

void write_blocks(std::ostream& out, const LoadTable& table) {
  put_line(out, "blocks", table.block_bytes.size());
  out << "# bytes\n";
  for (const std::uint64_t bytes : table.block_bytes) put_line(out, "", bytes);
  put_line(out, "sharers",
           std::count_if(table.threads.begin(), table.threads.end(),
                         [](const ThreadLoad& thread) { return thread.block >= 0; }));
  out << "# thread block\n";
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    if (table.threads[i].block >= 0) put_line(out, "", i, table.threads[i].block);
  }
}

void write_fixed(std::ostream& out, const LoadTable& table, std::size_t count) {
  put_line(out, "fixed", count);
  out << "# thread\n";
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    if (table.threads[i].fixed) put_line(out, "", i);
  }
}

}  // namespace

void write_table(std::ostream& out, const LoadTable& table) {
  const auto fixed = static_cast<std::size_t>(
      std::count_if(table.threads.begin(), table.threads.end(),
                    [](const ThreadLoad& thread) { return thread.fixed; }));
  const bool blocks = !table.block_bytes.empty();
  put_line(out, kMagic,
           blocks       ? kVersion
           : fixed != 0 ? kVersionWithoutBlocks
                        : kVersionWithoutFixed);
  out << "# steps move_s_per_byte move_between_s move_in_node_s comm_s_per_byte "
         "comm_s_per_message\n";
  const Costs& costs = table.costs;
  put_line(out, "costs", costs.steps, costs.move_s_per_byte, costs.move_between_s,
           costs.move_in_node_s, costs.comm_s_per_byte, costs.comm_s_per_message);
  put_line(out, "ranks", table.ranks.size());
  out << "# speed node memory_bytes used_bytes\n";
  for (const RankInfo& rank : table.ranks) {
    put_line(out, "", rank.speed, rank.node, rank.memory_bytes, rank.used_bytes);
  }
  put_line(out, "threads", table.threads.size());
  out << "# load_s bytes rank\n";
  for (const ThreadLoad& thread : table.threads) {
    put_line(out, "", thread.load_s, thread.bytes, thread.rank);
  }
  put_line(out, "edges", table.edges.size());
  out << "# from to bytes messages; `from` never falls\n";
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    for (const Edge& edge : table.edges_of(i)) {
      put_line(out, "", i, edge.to, edge.bytes, edge.messages);
    }
  }
  if (fixed != 0 || blocks) write_fixed(out, table, fixed);
  if (blocks) write_blocks(out, table);
  out << "end\n";
}

LoadTable read_table(std::istream& in, const std::string& name) {
  Reader reader(in, name);
  LoadTable table;
  std::size_t version = 0;
  reader.next_line(kMagic);
  reader.expect_word(kMagic);
  reader.read("version", version);
  reader.expect_end_of_line();
  if (version < kVersionWithoutFixed || version > kVersion) {
    reader.fail(
        text("version %zu; this reads %zu to %zu", version, kVersionWithoutFixed, kVersion));
  }
  read_costs(reader, table.costs);
  read_ranks(reader, table);
  read_threads(reader, table);
  read_edges(reader, table);
  if (version >= kVersionWithoutBlocks) read_fixed(reader, table);
  if (version >= kVersion) read_blocks(reader, table);
  reader.next_line("end");
  reader.expect_word("end");
  reader.expect_end_of_line();
  try {
    check_table(table);
  } catch (const Error& error) {
    throw Error(Errc::corrupt_image, name + ": " + error.what());
  }
  return table;
}

}  // namespace roam::balance
