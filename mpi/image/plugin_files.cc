#include "mpi/image/plugin_files.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "base/text.h"
#include "mpi/image/of_process.h"
#include "mpi/image/refusal.h"

namespace roam::mpi {
namespace {

// Those that nobody has are in the order in which they were asked for or released.
using List = std::vector<std::unique_ptr<PluginFile>>;
constinit OfProcess<List> files;

// So many that nobody has stay open: a program may open and close one many times, and to know a
// file again all of it is read.
constexpr std::ptrdiff_t kMostUnused = 16;

bool is_unused(const std::unique_ptr<PluginFile>& file) { return file->users == 0 && !file->left; }

void close_unused(List* all) {
  const auto unused = std::count_if(all->begin(), all->end(), is_unused);
  if (unused > kMostUnused) all->erase(std::find_if(all->begin(), all->end(), is_unused));
}

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
  close_unused(&*all);
  return *all->back();
}

void hold_plugin(const PluginFile& file) {
  ++file.users;
  file.left = false;
}

void release_plugin(const ModuleLayout* segments, Release why) {
  const auto all = files.use();
  const auto known = std::find_if(all->begin(), all->end(), [segments](const auto& file) {
    return &file->segments == segments;
  });
  if (known == all->end() || --(*known)->users != 0) return;
  (*known)->left = why == Release::kLeaves;
  if ((*known)->left) return;
  std::rotate(known, known + 1, all->end());
  close_unused(&*all);
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
