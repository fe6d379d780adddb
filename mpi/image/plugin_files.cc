#include "mpi/image/plugin_files.h"

#include <memory>
#include <vector>

#include "base/text.h"
#include "mpi/image/of_process.h"
#include "mpi/image/refusal.h"

namespace roam::mpi {
namespace {

constinit OfProcess<std::vector<std::unique_ptr<PluginFile>>> files;

}  // namespace

PluginFile::PluginFile(const std::string& path)
    : file(path), digest(file.digest()), segments(segments_of(file)) {}

const PluginFile& plugin_file(const std::string& path) {
  const auto all = files.use();
  {
    const ElfFile now(path);  // its digest, for which all of it is read, is that of the one known
    for (const auto& known : *all) {
      if (known->file.path() == path && known->file.is_same_file(now) && !known->file.has_changed())
        return *known;
    }
  }
  all->push_back(std::make_unique<PluginFile>(path));
  return *all->back();
}

const PluginFile& plugin_file(const std::string& path, std::uint64_t digest) {
  for (const auto& known : *files.use()) {
    if (known->file.path() == path && known->digest == digest && !known->file.has_changed())
      return *known;
  }
  const PluginFile& now = plugin_file(path);
  if (now.digest == digest) return now;
  throw Refusal(
      text("%s: it is another build here than where the virtual rank opened it. Give all hosts the "
           "same files, and let them be while the job runs",
           path.c_str()));
}

}  // namespace roam::mpi
