#ifndef ROAM_MPI_IMAGE_LIBC_STATE_H_
#define ROAM_MPI_IMAGE_LIBC_STATE_H_

#include <cstdlib>
#include <ctime>
#include <string>

#include "mpi/image/kept_texts.h"

namespace roam::mpi {

// What functions of libc keep between calls, for one virtual rank, as a process has it at first.
// It lies in an image and refers to itself, so it is not copied.
struct LibcState {
  LibcState() { initstate_r(1, random_words, sizeof random_words, &random); }
  LibcState(const LibcState&) = delete;
  LibcState& operator=(const LibcState&) = delete;

  // rand and random have one state.
  random_data random{};
  char random_words[128] = {};
  drand48_data random48{};
  char* token = nullptr;  // of strtok
  std::tm time{};         // of localtime and gmtime
  std::tm date{};         // of getdate
  char time_text[64] = {};
  struct Zone {  // TZ as it was when it was last looked at
    bool known = false, is_set = false;
    std::string line;
  };
  Zone zone;
  KeptTexts texts;
  int environments = 0;    // of these it has in libc's place (LibcEnvironment)
  std::string error_file;  // of the last error_at_line
  unsigned error_line = 0;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_LIBC_STATE_H_
