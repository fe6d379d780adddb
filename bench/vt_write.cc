#include <rapidjson/ostreamwrapper.h>
#include <rapidjson/writer.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "bench/vt_files.h"

namespace bench {
namespace {

namespace balance = roam::balance;
namespace fs = std::filesystem;

using Writer = rapidjson::Writer<rapidjson::OStreamWrapper>;

void write_entity(Writer& json, const Recording& recording, const balance::LoadTable& table,
                  std::size_t thread) {
  json.StartObject();
  json.Key("type");
  json.String("object");
  json.Key("id");
  json.Uint64(thread);
  json.Key("home");
  json.Int(recording.steps.front().threads[thread].rank);
  json.Key("migratable");
  json.Bool(!table.threads[thread].fixed);
  json.EndObject();
}

void write_memory(Writer& json, const balance::LoadTable& table, const balance::ThreadLoad& load) {
  json.StartObject();
  for (const char* name : {"task_serialized_bytes", "task_footprint_bytes"}) {
    json.Key(name);
    json.Uint64(load.bytes);
  }
  json.Key("task_working_bytes");
  json.Uint64(0);
  json.Key("rank_working_bytes");
  json.Uint64(table.ranks[static_cast<std::size_t>(load.rank)].used_bytes);
  if (load.block >= 0) {
    json.Key("shared_id");
    json.Int(load.block);
    json.Key("shared_bytes");
    json.Uint64(table.block_bytes[static_cast<std::size_t>(load.block)]);
  }
  json.EndObject();
}

void write_task(Writer& json, const Recording& recording, const balance::LoadTable& table,
                std::size_t thread) {
  const balance::ThreadLoad& load = table.threads[thread];
  json.StartObject();
  json.Key("entity");
  write_entity(json, recording, table, thread);
  json.Key("node");
  json.Int(load.rank);
  json.Key("resource");
  json.String("cpu");
  json.Key("time");
  json.Double(load.load_s);
  json.Key("user_defined");
  write_memory(json, table, load);
  json.EndObject();
}

void write_messages(Writer& json, const Recording& recording, const balance::LoadTable& table,
                    std::size_t thread) {
  for (const balance::Edge& edge : table.edges_of(thread)) {
    json.StartObject();
    json.Key("type");
    json.String("SendRecv");
    json.Key("from");
    write_entity(json, recording, table, thread);
    json.Key("to");
    write_entity(json, recording, table, edge.to);
    json.Key("bytes");
    json.Uint64(edge.bytes);
    json.Key("messages");
    json.Uint(edge.messages);
    json.EndObject();
  }
}

void write_phase(Writer& json, const Recording& recording, std::size_t step, std::int32_t rank) {
  const balance::LoadTable& table = recording.steps[step];
  json.StartObject();
  json.Key("id");
  json.Uint64(step);
  json.Key("tasks");
  json.StartArray();
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    if (table.threads[i].rank == rank) write_task(json, recording, table, i);
  }
  json.EndArray();
  if (table.has_edges()) {
    json.Key("communications");
    json.StartArray();
    for (std::size_t i = 0; i < table.threads.size(); ++i) {
      if (table.threads[i].rank == rank) write_messages(json, recording, table, i);
    }
    json.EndArray();
  }
  json.EndObject();
}

}  // namespace

void write_vt(const std::string& dir, const Recording& recording) {
  std::error_code error;
  fs::create_directories(dir, error);
  if (error) throw std::runtime_error("cannot make directory " + dir + ": " + error.message());
  if (!fs::is_empty(dir)) {
    throw std::runtime_error(dir + ": has files already; name a directory that is empty, or new");
  }
  const auto ranks = static_cast<std::int32_t>(recording.steps.front().ranks.size());
  for (std::int32_t rank = 0; rank < ranks; ++rank) {
    const std::string file = dir + "/roam." + std::to_string(rank) + ".json";
    std::ofstream out(file);
    rapidjson::OStreamWrapper stream(out);
    Writer json(stream);
    json.StartObject();
    json.Key("type");
    json.String("LBDatafile");
    json.Key("phases");
    json.StartArray();
    for (std::size_t step = 0; step < recording.steps.size(); ++step)
      write_phase(json, recording, step, rank);
    json.EndArray();
    json.EndObject();
    out << '\n';
    if (!out.flush()) throw std::runtime_error("cannot write " + file);
  }
}

}  // namespace bench
