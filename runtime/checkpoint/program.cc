#include "runtime/checkpoint/program.h"

#include <exception>
#include <utility>

#include "base/text.h"
#include "roam/error.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/life/failures.h"

namespace roam::runtime {

ProgramState& program_state() {
  static auto& state = *new ProgramState;
  return state;
}

bool ProgramState::add(std::string name, std::function<Bytes()> save,
                       std::function<void(const Bytes&)> load) {
  return objects_.try_emplace(std::move(name), Object{std::move(save), std::move(load)}).second;
}

void ProgramState::checkpoint_begins() const {
  for (const auto& hook : before_) hook();
}

std::map<std::string, ProgramState::Bytes> ProgramState::save() const {
  std::map<std::string, Bytes> data;
  std::size_t all_bytes = 0;
  for (const auto& [name, object] : objects_) {
    Bytes& bytes = data[name];
    try {
      bytes = object.save();
    } catch (...) {  // whatever the program throws
      throw Error(Errc::checkpoint_failed, text("job_data '%s' threw ", name.c_str()) +
                                               describe_exception(std::current_exception()));
    }
    all_bytes += bytes.size();
    if (all_bytes <= Manifest::kMostDataBytes) continue;
    throw Error(Errc::checkpoint_failed,
                text("job_data '%s' has %zu bytes, and all job data may have %zu together: what is "
                     "longer belongs in memory of a thread",
                     name.c_str(), bytes.size(), Manifest::kMostDataBytes));
  }
  return data;
}

void ProgramState::restart(const std::map<std::string, Bytes>& data) const {
  for (const auto& [name, object] : objects_) {
    if (const auto it = data.find(name); it != data.end()) object.load(it->second);
  }
  for (const auto& hook : after_) hook();
}

}  // namespace roam::runtime
