#include "bench/recording.h"

#include <fstream>
#include <stdexcept>

#include "runtime/balance/table_file.h"

namespace bench {

Recording read_tables(const std::vector<std::string>& files) {
  Recording recording;
  for (const std::string& file : files) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error("cannot read " + file);
    recording.steps.push_back(roam::balance::read_table(in, file));
    const auto& first = recording.steps.front();
    const auto& table = recording.steps.back();
    if (table.threads.size() == first.threads.size() && table.ranks.size() == first.ranks.size())
      continue;
    throw std::runtime_error(file + ": " + std::to_string(table.threads.size()) + " threads on " +
                             std::to_string(table.ranks.size()) + " ranks, but " + files.front() +
                             " has " + std::to_string(first.threads.size()) + " on " +
                             std::to_string(first.ranks.size()) +
                             ": steps of one job have equally many");
  }
  return recording;
}

}  // namespace bench
