#ifndef ROAM_MPI_IMAGE_PLUGIN_FILES_H_
#define ROAM_MPI_IMAGE_PLUGIN_FILES_H_

#include <cstdint>
#include <string>

#include "mpi/image/elf_file.h"
#include "mpi/image/layout.h"

// Libraries that programs open while they run, as files of this process: each build of each is open
// once, for all virtual ranks that have it here. Of those that nobody has, the last few stay open;
// and all that a virtual rank has which has left, since it may be back, and by then there may be
// another file at that path.
namespace roam::mpi {

struct PluginFile {
  explicit PluginFile(const std::string& path);

  ElfFile file;
  std::uint64_t digest;
  ModuleLayout segments;
  mutable unsigned users = 0;  // images that are here
  mutable bool left = false;   // the last of them has it still, elsewhere
};

// An image has it from now on.
void hold_plugin(const PluginFile& file);
// And no more: the one of these segments. Its image leaves this process, or stays in it only for a
// checkpoint; or it has the file no more, wherever it is.
enum class Release { kLeaves, kHasNoMore };
void release_plugin(const ModuleLayout* segments, Release why);

// What is at `path` now, which begins with a slash. It is there until another one is asked for or
// released, unless it is held. Errors: Refusal.
const PluginFile& plugin_file(const std::string& path);
// The build of it that a virtual rank has come with. Errors: Refusal: it is another one here.
const PluginFile& plugin_file(const std::string& path, std::uint64_t digest);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_PLUGIN_FILES_H_
