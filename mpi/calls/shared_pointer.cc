#include "mpi/calls/shared_pointer.h"

#include <fcntl.h>

#include "base/text.h"
#include "mpi/calls/call_error.h"
#include "mpi/calls/file_bytes.h"
#include "mpi/calls/file_error.h"
#include "mpi/calls/file_lock.h"

namespace roam::mpi::shared_pointer {
namespace {

// Changes it by `next(what it was)`, alone, and returns what it was.
template <class Next>
MPI_Offset change(File* file, Next next) {
  const FileName name = name_of(file->name);
  file->uses_shared_pointer = true;
  file->descriptor();  // whoever closes it closes both
  int descriptor = -1;
  try {
    descriptor = open_files::descriptor_of(name).number;
  } catch (const CallError& failure) {
    throw CallError(failure.code, text("the shared file pointer is kept in a file beside the one "
                                       "that is open: %s",
                                       failure.what()));
  }
  FileLock lock;
  if (const int error = lock.take(descriptor, true, 0, 0); error != 0)
    throw_file_error(error, "locking " + name.path + ", where the shared file pointer is");
  MPI_Offset was = 0;
  char* const bytes = reinterpret_cast<char*>(&was);
  if (read_bytes(descriptor, 0, bytes, sizeof was, name.path) != sizeof was)
    was = file->shared_position;
  MPI_Offset is = next(was);
  if (is != was) write_bytes(descriptor, 0, reinterpret_cast<char*>(&is), sizeof is, name.path);
  return was;
}

}  // namespace

FileName name_of(const FileName& file) {
  const std::size_t slash = file.path.rfind('/') + 1;
  FileName name;
  name.id = file.id + 1;  // contexts of communicators go in twos
  name.path = file.path.substr(0, slash) + text(".%s.%llx.%llx.pointer",
                                                file.path.substr(slash).substr(0, 180).c_str(),
                                                static_cast<unsigned long long>(file.random),
                                                static_cast<unsigned long long>(file.id));
  name.flags = O_RDWR | O_CREAT;
  return name;
}

MPI_Offset move(File* file, MPI_Offset elementary_types) {
  return change(file, [&](MPI_Offset was) {
    MPI_Offset is = 0;
    if (__builtin_add_overflow(was, elementary_types, &is))
      throw CallError(MPI_ERR_ARG, "the shared file pointer is moved beyond 64 bits");
    return is;
  });
}

MPI_Offset get(File* file) {
  return change(file, [](MPI_Offset was) { return was; });
}

void set(File* file, MPI_Offset position) {
  change(file, [position](MPI_Offset) { return position; });
}

}  // namespace roam::mpi::shared_pointer
