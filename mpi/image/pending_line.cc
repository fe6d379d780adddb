#include "mpi/image/pending_line.h"

#include <stdio_ext.h>
#include <wchar.h>

#include <cstdio>
#include <cstring>

namespace roam::mpi {

void PendingLine::put_aside() {
  if (stdout->_IO_write_ptr <= stdout->_IO_write_base) return;
  const auto bytes = static_cast<std::size_t>(stdout->_IO_write_ptr - stdout->_IO_write_base);
  if (bytes > kMost || ::fwide(stdout, 0) > 0) {  // wide characters wait elsewhere
    std::fflush(stdout);
    return;
  }
  std::memcpy(text_, stdout->_IO_write_base, bytes);
  bytes_ = bytes;
  __fpurge(stdout);
}

void PendingLine::put_back() {
  if (bytes_ == 0) return;
  std::fwrite(text_, 1, bytes_, stdout);
  bytes_ = 0;
}

void PendingLine::drop() { __fpurge(stdout); }

}  // namespace roam::mpi
