// Puts checkpoints that are on disk into keepers, as ranks do.
//
//   keep put KEEPER DIR NODE NUMBER FILE...    files of DIR/NUMBER, by the keeper of NODE
//   keep commit KEEPER DIR NODE NUMBER         with its manifest
//   keep list DIR NODE
//   keep have DIR                              of all of this machine, a line each: `has NUMBER
//                                              PIECE...`; if complete, `needs NUMBER PIECE...` too
//   keep forget DIR                            all of this machine
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/checkpoint/folder.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/checkpoint/piece_format.h"
#include "runtime/keeper/keeper_client.h"
#include "runtime/keeper/keeper_wire.h"

namespace {

using roam::runtime::KeeperClient;

int fail(const std::string& why) {
  fprintf(stderr, "keep: %s\n", why.c_str());
  return 1;
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

// What keepers of the job whose checkpoints are in `dir` know it by.
std::string named(const std::string& dir) {
  std::string why;
  const std::string whole = std::filesystem::absolute(dir).string();
  const std::string name = roam::runtime::name_for_keepers(whole, false, &why);
  return name.empty() ? roam::runtime::name_for_keepers(whole, true, &why) : name;
}

int fill(const std::vector<std::string>& words) {
  const std::string &program = words[1], &dir = words[2], &number = words[4];
  KeeperClient client;
  client.set_patience_ms(60'000);
  if (!client.connect_or_start(named(dir), atoi(words[3].c_str()), program))
    return fail(client.error());
  const std::string folder = dir + "/" + number + "/";
  const auto n = static_cast<unsigned long long>(atoll(number.c_str()));
  if (words[0] == "commit") {
    const std::string manifest = read(folder + "manifest");
    return !manifest.empty() && client.commit(n, manifest) ? 0 : fail(client.error());
  }
  for (std::size_t w = 5; w < words.size(); ++w) {
    const std::string bytes = read(folder + words[w]);
    const roam::runtime::OwnedFd memory(roam::runtime::memory_of(bytes));
    if (bytes.empty() || !client.put(n, words[w], memory.get())) return fail(client.error());
  }
  return 0;
}

int list(const std::vector<std::string>& words) {
  KeeperClient client;
  std::vector<KeeperClient::Kept> all;
  if (!client.connect(named(words[1]), atoi(words[2].c_str())) || !client.list(&all))
    return fail(client.error());
  for (const KeeperClient::Kept& one : all) {
    printf("%llu %s", static_cast<unsigned long long>(one.number),
           one.committed ? "whole:" : "part:");
    for (const std::string& name : one.pieces) printf(" %s", name.c_str());
    printf("\n");
  }
  return 0;
}

// A keeper that does not answer has nothing, as for a job that starts.
int have(const std::string& dir) {
  std::string why;
  const std::string whole = std::filesystem::absolute(dir).string();
  const std::string name = roam::runtime::name_for_keepers(whole, false, &why);
  if (name.empty()) return 0;
  std::vector<std::string> troubles;
  for (const auto& [node, keeper] : roam::runtime::reach_keepers(name, &troubles)) {
    std::vector<KeeperClient::Kept> all;
    if (!keeper->list(&all)) continue;
    for (const KeeperClient::Kept& one : all) {
      const auto number = static_cast<unsigned long long>(one.number);
      printf("has %llu", number);
      for (const std::string& piece : one.pieces) printf(" %s", piece.c_str());
      printf("\n");
      if (!one.committed) continue;
      roam::runtime::Manifest manifest;
      if (!manifest.parse(dir, one.manifest, &why)) return fail(why);
      printf("needs %llu", number);
      for (const roam::runtime::PieceSummary& piece : manifest.pieces) {
        printf(" %s", piece.file.c_str());
        for (const roam::runtime::BaseEntry& base : piece.bases)
          printf(" %s", roam::runtime::base_name(base).c_str());
      }
      printf("\n");
    }
  }
  return 0;
}

int forget(const std::string& dir) {
  for (const int node : roam::runtime::keepers_of(named(dir))) {
    KeeperClient client;
    if (!client.connect(named(dir), node) || !client.forget()) return fail(client.error());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 5 && (words[0] == "put" || words[0] == "commit")) return fill(words);
  if (words.size() == 3 && words[0] == "list") return list(words);
  if (words.size() == 2 && words[0] == "have") return have(words[1]);
  if (words.size() == 2 && words[0] == "forget") return forget(words[1]);
  return fail("see the first lines of keep.cc");
}
