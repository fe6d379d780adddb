// Calls that change the working folder, for their caller or on their way.

#include <fts.h>
#include <ftw.h>
#include <sys/stat.h>

#include <cerrno>

#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

WorkingPlace& place() { return Image::running()->working_place(); }

int change_folder(const char* path) { return place().change_folder(path); }
int change_folder_to(int descriptor) {
  if (Image::running()->descriptors().may_use(descriptor)) return place().change_folder(descriptor);
  errno = EBADF;
  return -1;
}
mode_t change_mask(mode_t mask) { return place().change_mask(mask); }

// A walk changes folders only to have shorter paths, and gives those that lead from where it is.
template <class Walk, class Entry,
          Walk* (*kOpen)(char* const*, int, int (*)(const Entry**, const Entry**))>
Walk* open_walk(char* const* paths, int options, int (*compare)(const Entry**, const Entry**)) {
  return kOpen(paths, options | FTS_NOCHDIR, compare);
}

// Here the program's own function is called in each folder.
template <class Function, int (*kWalk)(const char*, Function, int, int)>
int walk(const char* path, Function function, int descriptors, int options) {
  if ((options & FTW_CHDIR) == 0) return kWalk(path, function, descriptors, options);
  report_refused("nftw with FTW_CHDIR",
                 "the process has one working folder at a time. Use it without, and the paths that "
                 "it gives");
  errno = ENOSYS;
  return -1;
}

int refuse_root() {
  report_refused("chroot, pivot_root, setns or unshare",
                 "it would be of the process, and of all its virtual ranks. Start the job in what "
                 "they should see");
  errno = ENOSYS;
  return -1;
}

}  // namespace

void add_folder_calls() {
  add_launcher_call("chdir", &change_folder);
  add_launcher_call("fchdir", &change_folder_to);
  add_launcher_call("umask", &change_mask);
  add_launcher_call("fts_open", &open_walk<FTS, FTSENT, &::fts_open>);
  add_launcher_call("fts64_open", &open_walk<FTS64, FTSENT64, &::fts64_open>);
  add_launcher_call("nftw", &walk<__nftw_func_t, &::nftw>);
  add_launcher_call("nftw64", &walk<__nftw64_func_t, &::nftw64>);
  for (const char* name : {"chroot", "pivot_root", "setns", "unshare"})
    add_launcher_call(name, &refuse_root);
}

}  // namespace roam::mpi
