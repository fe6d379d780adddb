#ifndef ROAM_MPI_IMAGE_OPTIONS_H_
#define ROAM_MPI_IMAGE_OPTIONS_H_

#include <functional>
#include <string_view>
#include <vector>

namespace roam::mpi {

// How far a virtual rank is in its arguments, by getopt and its kin. libc keeps that for a process,
// some of it in variables that the program has copies of and some hidden. The variables are given
// to libc and taken back at each call; the hidden part is had again, if another virtual rank or
// another process was asked meanwhile, by making the calls so far once more.
class Options {
 public:
  Options() = default;
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  // The program's copy of that variable is at `address`. False: it is none of these.
  bool put_at(std::string_view name, void* address);
  // What `call(argv)`, one of libc's, says next.
  int next(int argc, char* const* argv, const std::function<int(char* const*)>& call);

 private:
  void catch_up(int argc, const std::function<int(char* const*)>& call);

  char* own_argument_ = nullptr;
  int own_index_ = 1, own_print_ = 1, own_wrong_ = '?';
  char** argument_ = &own_argument_;
  int* index_ = &own_index_;
  int* print_ = &own_print_;
  int* wrong_ = &own_wrong_;
  std::vector<char*> first_arguments_;  // as they were before the first call, which reorders them
  int first_index_ = 1;
  int calls_ = 0;  // since then
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_OPTIONS_H_
