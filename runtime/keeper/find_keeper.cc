#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "base/text.h"
#include "runtime/keeper/keeper_client.h"
#include "runtime/keeper/keeper_wire.h"

namespace roam::runtime {
namespace {

constexpr const char* kProgram = "roam-keeper";

bool can_run(const std::string& path) { return access(path.c_str(), X_OK) == 0; }

// Of the shared library, or program, that has this code.
std::filesystem::path own_folder() {
  Dl_info info{};
  std::error_code error;
  std::filesystem::path file;
  // The program itself has the name that it was called by.
  if (dladdr(reinterpret_cast<const void*>(&find_keeper), &info) != 0 &&
      info.dli_fname != nullptr && std::string(info.dli_fname).find(".so") != std::string::npos) {
    file = std::filesystem::canonical(info.dli_fname, error);
  } else {
    file = std::filesystem::read_symlink("/proc/self/exe", error);
  }
  return error ? std::filesystem::path() : file.parent_path();
}

}  // namespace

std::string find_keeper(const std::string& named, std::string* why) {
  if (!named.empty()) {
    if (can_run(named)) return named;
    *why = text("ROAM_KEEPER=%s: it is no program that can be run", named.c_str());
    return {};
  }
  // PREFIX/bin, of PREFIX/bin, PREFIX/lib and PREFIX/lib/x86_64-linux-gnu.
  const std::filesystem::path own = own_folder();
  for (const auto& folder :
       {own, own.parent_path() / "bin", own.parent_path().parent_path() / "bin"}) {
    const std::string path = folder / kProgram;
    if (!own.empty() && can_run(path)) return path;
  }
  *why = text("%s is not beside %s: name it with ROAM_KEEPER", kProgram, own.c_str());
  return {};
}

std::vector<int> keepers_of(const std::string& folder) {
  const std::string stem = "@" + keeper_name_stem(keeper_folder(folder));
  std::vector<int> nodes;
  // Its name is the last word of a line; the ends that a keeper has accepted have it too.
  std::ifstream sockets("/proc/net/unix");
  for (std::string line; std::getline(sockets, line);) {
    const std::size_t at = line.find(stem);
    if (at == std::string::npos) continue;
    const std::string node = line.substr(at + stem.size());
    if (node.empty() || node.size() > 9 ||
        node.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    nodes.push_back(std::stoi(node));
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

}  // namespace roam::runtime
