#include "mpi/image/environment.h"

#include <cstring>

namespace roam::mpi {

Environment::Environment(const std::vector<std::string>& lines) {
  std::size_t bytes = 0;
  for (const std::string& line : lines) bytes += line.size() + 1;
  lines_.reserve(lines.size() + 8);
  first_.resize(bytes);
  char* to = first_.data();
  for (const std::string& line : lines) {
    std::memcpy(to, line.c_str(), line.size() + 1);
    lines_.push_back(to);
    to += line.size() + 1;
  }
  lines_.push_back(nullptr);
  own_ = lines_.data();
}

void Environment::put_at(char*** variable) {
  *variable = list();
  variable_ = variable;
}

char** Environment::find(std::string_view name) {
  for (char** line = list(); line != nullptr && *line != nullptr; ++line) {
    if (std::strncmp(*line, name.data(), name.size()) == 0 && (*line)[name.size()] == '=')
      return line;
  }
  return nullptr;
}

char* Environment::get(std::string_view name) {
  char** line = find(name);
  return line == nullptr ? nullptr : *line + name.size() + 1;
}

char* Environment::line(std::string_view name) {
  char** line = find(name);
  return line == nullptr ? nullptr : *line;
}

void Environment::add(char* line) {
  if (list() != lines_.data()) {  // the program's own list
    lines_.clear();
    for (char** old = list(); old != nullptr && *old != nullptr; ++old) lines_.push_back(*old);
    lines_.push_back(nullptr);
  }
  lines_.back() = line;
  lines_.push_back(nullptr);
  *variable_ = lines_.data();
}

void Environment::put(char* line) {
  char** old = find(std::string_view(line, std::strcspn(line, "=")));
  if (old != nullptr) {
    *old = line;
  } else {
    add(line);
  }
}

void Environment::set(std::string_view name, std::string_view value) {
  put(kept_.keep((std::string(name) + '=' + std::string(value)).c_str()));
}

void Environment::unset(std::string_view name) {
  while (char** line = find(name)) {
    for (; *line != nullptr; ++line) line[0] = line[1];
  }
  if (list() != lines_.data()) return;
  while (lines_.size() > 1 && lines_[lines_.size() - 2] == nullptr) lines_.pop_back();
}

void Environment::clear() {
  lines_.assign(1, nullptr);
  *variable_ = lines_.data();
}

}  // namespace roam::mpi
