#include "demos/load_balance/output.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <system_error>

#include "demos/load_balance/gzip.h"

namespace fs = std::filesystem;

std::size_t count_wrong(const Run& run) {
  std::size_t wrong = 0;
  for (const Result& result : run.results) {
    const Piece& piece = result.piece;
    const std::string error = result.error.empty() ? check(result.gzip, piece) : result.error;
    if (error.empty()) continue;
    ++wrong;
    std::fprintf(stderr, "load_balance: %s, %llu bytes from %llu: %s\n", piece.path.c_str(),
                 static_cast<unsigned long long>(piece.bytes),
                 static_cast<unsigned long long>(piece.offset), error.c_str());
  }
  return wrong;
}

void make_directory(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw std::runtime_error("--output: '" + directory + "': " + error.message());
}

void write_output(const Run& run, const std::string& directory) {
  std::map<std::string, std::map<std::uint64_t, const Result*>> files;  // path, offset
  for (const Result& result : run.results) files[result.piece.path][result.piece.offset] = &result;
  for (const auto& [path, members] : files) {
    const fs::path input = fs::absolute(path).lexically_normal();
    const fs::path output = fs::path(directory) / (input.relative_path().string() + ".gz");
    make_directory(output.parent_path());
    std::ofstream file(output, std::ios::binary);
    for (const auto& [offset, member] : members) {
      file.write(reinterpret_cast<const char*>(member->gzip.data()),
                 static_cast<std::streamsize>(member->gzip.size()));
    }
    if (!file.flush()) throw std::runtime_error("--output: cannot write " + output.string());
  }
}
