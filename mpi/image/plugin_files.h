#ifndef ROAM_MPI_IMAGE_PLUGIN_FILES_H_
#define ROAM_MPI_IMAGE_PLUGIN_FILES_H_

#include <cstdint>
#include <string>

#include "mpi/image/elf_file.h"
#include "mpi/image/layout.h"

// Libraries that programs open while they run, as files of this process: each build of each is kept
// open to the end of the process, for all virtual ranks that open it or come here with it.
namespace roam::mpi {

struct PluginFile {
  explicit PluginFile(const std::string& path);

  ElfFile file;
  std::uint64_t digest;
  ModuleLayout segments;
};

// What is at `path` now, which begins with a slash. Errors: Refusal.
const PluginFile& plugin_file(const std::string& path);
// The build of it that a virtual rank has come with. Errors: Refusal: it is another one here.
const PluginFile& plugin_file(const std::string& path, std::uint64_t digest);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_PLUGIN_FILES_H_
