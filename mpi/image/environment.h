#ifndef ROAM_MPI_IMAGE_ENVIRONMENT_H_
#define ROAM_MPI_IMAGE_ENVIRONMENT_H_

#include <string>
#include <string_view>
#include <vector>

#include "mpi/image/kept_texts.h"

namespace roam::mpi {

// The environment of a virtual rank, in the memory of the thread that made it: what the program
// sets is its own, and what it was told travels with it. Strings are kept until the end, since
// programs hold on to them.
//
// Errors: std::bad_alloc, and nothing has changed.
class Environment {
 public:
  // Of lines such as "HOME=/root".
  explicit Environment(const std::vector<std::string>& lines);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // The variable `environ` of the program, which may set it to another list.
  void put_at(char*** variable);
  char** list() { return *variable_; }

  char* get(std::string_view name);
  // With its name and =; null: it is not set.
  char* line(std::string_view name);
  // As setenv, unsetenv, putenv and clearenv; the name is good.
  void set(std::string_view name, std::string_view value);
  void unset(std::string_view name);
  void put(char* line);
  void clear();

 private:
  char** find(std::string_view name);
  void add(char* line);

  std::vector<char*> lines_;  // and a null
  std::vector<char> first_;   // the lines that it began with: blocks of many sizes are many pages
  KeptTexts kept_;            // and those that were set since, each once, as libc has them
  char** own_ = nullptr;
  char*** variable_ = &own_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_ENVIRONMENT_H_
