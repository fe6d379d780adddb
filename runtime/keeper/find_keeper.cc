#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/os/give_core.h"
#include "base/text.h"
#include "runtime/keeper/keeper_client.h"
#include "runtime/keeper/keeper_wire.h"

namespace roam::runtime {
namespace {

constexpr const char* kProgram = "roam-keeper";
// All that a machine has of a folder's, and those of them that take no connection at once.
constexpr std::int64_t kAllNs = 10'000'000'000, kBusyNs = 200'000'000;
constexpr long kPauseUs = 1'000;

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

// A node's number; negative: it is none.
int node_in(const std::string& word) {
  const bool digits = !word.empty() && word.size() <= 9 &&
                      word.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::stoi(word) : -1;
}

// The arguments of a process; none if it has gone, or is another user's.
std::vector<std::string> words_of(const std::filesystem::path& process) {
  std::vector<std::string> words;
  struct stat status {};
  if (stat(process.c_str(), &status) != 0 || status.st_uid != geteuid()) return words;
  std::ifstream file(process / "cmdline", std::ios::binary);
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
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
    const int node = node_in(line.substr(at + stem.size()));
    if (node >= 0) nodes.push_back(node);
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

std::map<int, std::unique_ptr<KeeperClient>> reach_keepers(const std::string& folder,
                                                           std::vector<std::string>* troubles) {
  const std::int64_t begin = now_ns(), until = begin + kAllNs;
  std::map<int, std::unique_ptr<KeeperClient>> reached;
  for (std::vector<int> nodes = keepers_of(folder); !nodes.empty();) {
    std::vector<int> busy_ones;
    for (const int node : nodes) {
      auto keeper = std::make_unique<KeeperClient>();
      const std::int64_t left_ms = (until - now_ns()) / 1'000'000;
      keeper->set_patience_ms(static_cast<int>(
          std::clamp<std::int64_t>(left_ms, 0, std::int64_t{KeeperClient::kPatienceMs})));
      bool busy = false;
      if (keeper->connect(folder, node, &busy)) {
        keeper->set_patience_ms(KeeperClient::kPatienceMs);
        reached[node] = std::move(keeper);
      } else if (busy && now_ns() < begin + kBusyNs) {
        busy_ones.push_back(node);
      } else {
        troubles->push_back(keeper->error());
      }
    }
    nodes = std::move(busy_ones);
    if (!nodes.empty()) os::stop_for_us(kPauseUs);
  }
  return reached;
}

std::vector<KeeperPlace> keepers_beginning(const std::string& folders) {
  std::vector<KeeperPlace> places;
  std::error_code error;
  for (const auto& process : std::filesystem::directory_iterator("/proc", error)) {
    if (node_in(process.path().filename()) < 0) continue;
    const std::vector<std::string> words = words_of(process.path());
    if (words.size() < 3 || std::filesystem::path(words[0]).filename() != kProgram) continue;
    const std::string& folder = words[words.size() - 2];
    const int node = node_in(words.back());
    if (node >= 0 && folder.starts_with(folders)) places.push_back({folder, node});
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

}  // namespace roam::runtime
