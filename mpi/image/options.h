#ifndef ROAM_MPI_IMAGE_OPTIONS_H_
#define ROAM_MPI_IMAGE_OPTIONS_H_

#include <functional>
#include <string>
#include <vector>

#include "mpi/image/hidden_state.h"

namespace roam::mpi {

// How far a virtual rank is in its arguments, by getopt and its kin. libc keeps that for a process,
// some of it in variables that the virtual rank has for itself and some hidden. The variables are
// given to libc and taken back at each call; the hidden part is had again, if another virtual rank
// or another process was asked meanwhile, by making the calls so far once more.
class Options {
 public:
  Options() = default;
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  // Where the program has optarg, optind, opterr and optopt.
  void put_at(char** argument, int* index, int* print, int* wrong) {
    argument_ = argument;
    index_ = index;
    print_ = print;
    wrong_ = wrong;
  }
  // What `call(argv)`, one of libc's, says next. `letters` are those that it is given; `posix`: it
  // stops at the first argument that is no option in any case.
  int next(int argc, char* const* argv, const char* letters, bool posix,
           const std::function<int(char* const*)>& call);

 private:
  void forget() const;
  void catch_up(int argc, const std::function<int(char* const*)>& call);

  char** argument_ = nullptr;
  int* index_ = nullptr;
  int* print_ = nullptr;
  int* wrong_ = nullptr;
  std::vector<char*> first_arguments_;  // as they were before the first call, which reorders them
  int first_index_ = 1;
  // Of the first call of all, or the last one with an optind of 0: libc goes by them later too.
  std::string first_letters_;
  bool has_first_ = false, first_posix_ = false;
  int calls_ = 0;                                // since then
  HiddenState::Mark left_ = HiddenState::kNone;  // where its last call has left libc
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_OPTIONS_H_
