#ifndef ROAM_MPI_IMAGE_STREAMS_H_
#define ROAM_MPI_IMAGE_STREAMS_H_

#include <dirent.h>

#include <cstdio>
#include <vector>

#include "mpi/image/descriptors.h"

namespace roam::mpi {

// The streams (FILE*) and walks through folders (DIR*) that a virtual rank has open, and their
// descriptors. A stream whose descriptor is closed under it writes nowhere from then on, as in a
// process: the number may be another virtual rank's soon. What is open at the end is closed then,
// and what was not flushed is lost, as at the end of a process.
//
// Context: the virtual rank's thread.
class Streams {
 public:
  explicit Streams(Descriptors* descriptors) : descriptors_(*descriptors) {}
  ~Streams() { close_all(); }
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  static bool is_standard(const FILE* file) {
    return file == stdin || file == stdout || file == stderr;
  }

  // Returns `file`, which it has opened if it is not null; null with ENOMEM, and it is closed
  // again, if there is no memory to note it. `has_child`: by popen.
  FILE* opened(FILE* file, bool has_child = false);
  DIR* opened(DIR* folder);
  // `call` closes the stream: fclose, pclose, endmntent. Standard ones are flushed and stay open.
  // One that a library of the process has opened is that one's.
  int close(FILE* file, int (*call)(FILE*));
  int close(DIR* folder);
  // As freopen, which `call` is, of a stream that is not a standard one. Those of popen are
  // refused. If it fails, `file` is no stream any more.
  FILE* reopen(const char* path, const char* mode, FILE* file,
               FILE* (*call)(const char*, const char*, FILE*));
  // Nobody's number is to be used by a stream from now on.
  void lose(int descriptor);

  // As fflush(nullptr): its own streams, and the standard ones.
  int flush_all();
  // As fcloseall.
  int flush_and_close_all();
  // Without flushing.
  void close_all();

 private:
  struct Stream {
    FILE* file;
    bool has_child;
  };
  static void cut_off(const Stream& stream);
  std::vector<Stream>::iterator find(const FILE* file);

  Descriptors& descriptors_;
  std::vector<Stream> streams_;
  std::vector<DIR*> folders_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_STREAMS_H_
