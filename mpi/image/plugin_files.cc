#include "mpi/image/plugin_files.h"

#include <memory>
#include <vector>

#include "base/text.h"
#include "isomalloc/heap.h"
#include "mpi/image/refusal.h"

namespace roam::mpi {
namespace {

std::vector<std::unique_ptr<PluginFile>>& files() {
  static auto& made = *new std::vector<std::unique_ptr<PluginFile>>;
  return made;
}

}  // namespace

PluginFile::PluginFile(const std::string& path)
    : file(path), digest(file.digest()), segments(segments_of(file)) {}

const PluginFile& plugin_file(const std::string& path) {
  const iso::HeapScope process;
  auto now = std::make_unique<PluginFile>(path);
  for (const auto& known : files()) {
    if (known->file.path() == path && known->file.is_same_file(now->file) &&
        !known->file.has_changed())
      return *known;
  }
  files().push_back(std::move(now));
  return *files().back();
}

const PluginFile& plugin_file(const std::string& path, std::uint64_t digest) {
  for (const auto& known : files()) {
    if (known->file.path() == path && known->digest == digest) return *known;
  }
  const PluginFile& now = plugin_file(path);
  if (now.digest == digest) return now;
  throw Refusal(
      text("%s: it is another build here than where the virtual rank opened it. Give all hosts the "
           "same files, and let them be while the job runs",
           path.c_str()));
}

}  // namespace roam::mpi
