#include "runtime/checkpoint/program.h"

#include <utility>

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
  for (const auto& [name, object] : objects_) data[name] = object.save();
  return data;
}

void ProgramState::restart(const std::map<std::string, Bytes>& data) const {
  for (const auto& [name, object] : objects_) {
    if (const auto it = data.find(name); it != data.end()) object.load(it->second);
  }
  for (const auto& hook : after_) hook();
}

}  // namespace roam::runtime
