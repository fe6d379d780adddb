#include "bench/vt_files.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "bench/json_field.h"
#include "bench/vt_set.h"

namespace bench {
namespace {

namespace balance = roam::balance;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

rapidjson::Document parse(const std::string& file) {
  const std::string text = read_unpacked(file);
  rapidjson::Document document;
  // Iterative: a file that is nested deeply is no reason to run out of stack.
  document.Parse<rapidjson::kParseFullPrecisionFlag | rapidjson::kParseIterativeFlag |
                 rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  if (document.HasParseError()) {
    throw std::runtime_error(
        file + ": byte " + std::to_string(document.GetErrorOffset()) +
        " of the JSON: " + rapidjson::GetParseError_En(document.GetParseError()));
  }
  return document;
}

void check_type(const JsonField& whole) {
  const JsonField type = whole.has("type") ? whole["type"] : whole["metadata"]["type"];
  if (type.text() != "LBDatafile") type.refuse("\"LBDatafile\"");
}

// What one file says of one phase is put into the tables of all.
class Reader {
 public:
  explicit Reader(std::size_t ranks) : ranks_(ranks) {}

  void read(const JsonField& whole, std::size_t rank, const std::string& file) {
    check_type(whole);
    const JsonField phases = whole["phases"];
    if (rank == 0) begin(phases);
    if (phases.size() != ids_.size()) {
      throw std::runtime_error(file + ": " + std::to_string(phases.size()) +
                               " phases, but rank 0 has " + std::to_string(ids_.size()));
    }
    for (std::size_t p = 0; p < ids_.size(); ++p) {
      const JsonField phase = phases.at(p), id = phase["id"];
      if (id.whole(0, kMost) != ids_[p])
        id.refuse(std::to_string(ids_[p]) + ", as in the file of rank 0,");
      const JsonField tasks = phase["tasks"];
      for (std::size_t t = 0; t < tasks.size(); ++t) read_task(tasks.at(t), rank, phases_[p], file);
      if (!phase.has("communications")) continue;
      const JsonField messages = phase["communications"];
      for (std::size_t m = 0; m < messages.size(); ++m) read_message(messages.at(m), phases_[p]);
    }
  }

  Recording finish() {
    Recording recording;
    for (std::size_t p = 0; p < phases_.size(); ++p) {
      recording.steps.push_back(table_of(phases_[p], p == 0 ? nullptr : &recording.steps[p - 1]));
      recording.left_out += left_out(phases_[p]);
    }
    return recording;
  }

 private:
  struct Task {
    std::size_t thread;
    balance::ThreadLoad load;
  };
  struct Message {
    std::optional<std::int64_t> from, to;
    balance::Edge edge;
  };
  struct Phase {
    std::vector<Task> tasks;
    std::vector<Message> messages;
    std::vector<std::optional<std::uint64_t>> rank_working;
    std::unordered_map<std::size_t, std::string> file_of;  // of each thread that is in it
  };

  void begin(const JsonField& phases) {
    if (phases.size() == 0) phases.refuse("at least one phase");
    for (std::size_t p = 0; p < phases.size(); ++p) {
      const JsonField id = phases.at(p)["id"];
      ids_.push_back(id.whole(0, kMost));
      if (p > 0 && ids_[p] <= ids_[p - 1])
        id.refuse("more than " + std::to_string(ids_[p - 1]) + " of the phase before");
    }
    phases_.resize(ids_.size());
    for (Phase& phase : phases_) phase.rank_working.resize(ranks_);
  }

  static std::int64_t id_of(const JsonField& entity) {
    return (entity.has("id") ? entity["id"] : entity["seq_id"]).whole(0, kMost);
  }

  void read_task(const JsonField& task, std::size_t rank, Phase& phase, const std::string& file) {
    const JsonField entity = task["entity"], node = task["node"];
    const std::int64_t id = id_of(entity);
    if (node.whole(0, kMost) != static_cast<std::int64_t>(rank))
      node.refuse(std::to_string(rank) + ", the rank of the file,");
    const std::size_t thread = thread_of_.emplace(id, thread_of_.size()).first->second;
    const auto [seen, is_new] = phase.file_of.emplace(thread, file);
    if (!is_new) {
      throw std::runtime_error(file + ": task " + std::to_string(id) +
                               " is in one phase twice, here and in " + seen->second);
    }
    balance::ThreadLoad load;
    load.load_s = task["time"].amount();
    load.rank = static_cast<std::int32_t>(rank);
    load.fixed = entity.has("migratable") && !entity["migratable"].boolean();
    if (task.has("user_defined")) read_memory(task["user_defined"], load, phase);
    phase.tasks.push_back({thread, load});
  }

  void read_memory(const JsonField& memory, balance::ThreadLoad& load, Phase& phase) {
    const auto bytes = [&](const char* name) {
      return memory.has(name) ? memory[name].bytes() : std::uint64_t{0};
    };
    load.bytes = std::max(bytes("task_serialized_bytes"), bytes("task_footprint_bytes"));
    task_working_ = std::max(task_working_, bytes("task_working_bytes"));
    std::optional<std::uint64_t>& rank = phase.rank_working[static_cast<std::size_t>(load.rank)];
    rank = std::max(rank.value_or(0), bytes("rank_working_bytes"));
    if (!memory.has("shared_id")) return;
    const std::int64_t id =
        memory["shared_id"].whole(std::numeric_limits<std::int64_t>::min(), kMost);
    if (id < 0) return;
    const std::uint64_t shared = memory["shared_bytes"].bytes();
    const auto [at, is_new] = block_of_.emplace(id, block_bytes_.size());
    if (is_new) block_bytes_.push_back(shared);
    if (block_bytes_[at->second] != shared) {
      memory["shared_bytes"].refuse(std::to_string(block_bytes_[at->second]) +
                                    ", as other tasks of shared_id " + std::to_string(id) +
                                    " have,");
    }
    load.block = static_cast<std::int32_t>(at->second);
  }

  void read_message(const JsonField& message, Phase& phase) {
    const auto end = [&](const char* name) -> std::optional<std::int64_t> {
      const JsonField entity = message[name];
      if (entity.has("type") && entity["type"].text() != "object") return std::nullopt;
      return id_of(entity);
    };
    Message read{.from = end("from"), .to = end("to"), .edge = {}};
    read.edge.bytes = message["bytes"].bytes();
    read.edge.messages = 1;
    if (message.has("messages")) {
      read.edge.messages = static_cast<std::uint32_t>(
          message["messages"].whole(0, std::numeric_limits<std::uint32_t>::max()));
    }
    phase.messages.push_back(read);
  }

  std::optional<std::size_t> thread(const std::optional<std::int64_t>& id) const {
    if (!id) return std::nullopt;
    const auto at = thread_of_.find(*id);
    return at == thread_of_.end() ? std::nullopt : std::optional(at->second);
  }

  std::size_t left_out(const Phase& phase) const {
    return static_cast<std::size_t>(
        std::count_if(phase.messages.begin(), phase.messages.end(),
                      [&](const Message& m) { return !thread(m.from) || !thread(m.to); }));
  }

  balance::LoadTable table_of(const Phase& phase, const balance::LoadTable* before) const {
    balance::LoadTable table;
    table.block_bytes = block_bytes_;
    std::uint64_t most_working = 0;
    for (const auto& working : phase.rank_working)
      most_working = std::max(most_working, working.value_or(0));
    for (std::size_t r = 0; r < ranks_; ++r) {
      table.ranks.push_back(
          {.node = static_cast<std::int32_t>(r),
           .used_bytes = phase.rank_working[r].value_or(most_working) + task_working_});
    }
    table.threads = before != nullptr ? before->threads : first_seen();
    for (balance::ThreadLoad& thread : table.threads) thread.load_s = 0;
    for (const Task& task : phase.tasks) table.threads[task.thread] = task.load;
    add_edges(phase, table);
    check_table(table);
    return table;
  }

  // Each thread as it is in its first phase.
  std::vector<balance::ThreadLoad> first_seen() const {
    std::vector<balance::ThreadLoad> threads(thread_of_.size());
    for (std::size_t p = phases_.size(); p-- > 0;) {
      for (const Task& task : phases_[p].tasks) threads[task.thread] = task.load;
    }
    return threads;
  }

  void add_edges(const Phase& phase, balance::LoadTable& table) const {
    std::vector<std::pair<std::size_t, balance::Edge>> edges;
    for (const Message& message : phase.messages) {
      const auto from = thread(message.from), to = thread(message.to);
      if (!from || !to) continue;
      edges.emplace_back(*from, message.edge);
      edges.back().second.to = static_cast<std::uint32_t>(*to);
    }
    if (edges.empty()) return;
    std::stable_sort(edges.begin(), edges.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    table.first_edge.assign(table.threads.size() + 1, 0);
    for (const auto& [from, edge] : edges) {
      ++table.first_edge[from + 1];
      table.edges.push_back(edge);
    }
    for (std::size_t i = 0; i < table.threads.size(); ++i)
      table.first_edge[i + 1] += table.first_edge[i];
  }

  const std::size_t ranks_;
  std::vector<std::int64_t> ids_;  // of the phases
  std::vector<Phase> phases_;
  std::unordered_map<std::int64_t, std::size_t> thread_of_;  // by id
  std::map<std::int64_t, std::size_t> block_of_;             // by shared_id
  std::vector<std::uint64_t> block_bytes_;
  std::uint64_t task_working_ = 0;
};

}  // namespace

Recording read_vt(const std::string& path) {
  const std::vector<std::string> files = find_vt_set(path);
  Reader reader(files.size());
  for (std::size_t rank = 0; rank < files.size(); ++rank) {
    const rapidjson::Document document = parse(files[rank]);
    reader.read(JsonField(document, files[rank]), rank, files[rank]);
  }
  return reader.finish();
}

}  // namespace bench
