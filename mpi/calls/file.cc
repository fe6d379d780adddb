#include "mpi/calls/file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "mpi/calls/file_error.h"
#include "mpi/calls/files.h"
#include "roam/thread.h"

namespace roam::mpi {

open_files::Descriptor File::descriptor() {
  const open_files::Descriptor d = open_files::descriptor_of(name);
  if (std::find(used_on.begin(), used_on.end(), rank()) == used_on.end()) used_on.push_back(rank());
  return d;
}

MPI_Offset File::size() {
  struct stat s;
  if (fstat(descriptor().number, &s) != 0) throw_file_error(errno, name.path);
  return s.st_size;
}

Files::Files() = default;
Files::~Files() = default;

File* Files::find_number(int number) const {
  return number < 1 || number > static_cast<int>(files_.size())
             ? nullptr
             : files_[static_cast<std::size_t>(number) - 1].get();
}

int Files::number_of(MPI_File handle) const {
  for (std::size_t i = 0; handle != MPI_FILE_NULL && i < files_.size(); ++i) {
    if (files_[i] != nullptr && files_[i]->handle() == handle) return static_cast<int>(i) + 1;
  }
  return 0;
}

File* Files::find(MPI_File handle) const { return find_number(number_of(handle)); }

File* Files::add(std::unique_ptr<File> file) {
  auto place = std::find(files_.begin(), files_.end(), nullptr);
  if (place == files_.end()) place = files_.insert(place, nullptr);
  *place = std::move(file);
  return place->get();
}

void Files::remove(const File* file) {
  for (std::unique_ptr<File>& f : files_) {
    if (f.get() == file) f.reset();
  }
}

}  // namespace roam::mpi
