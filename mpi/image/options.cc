#include "mpi/image/options.h"

#include <getopt.h>
#include <unistd.h>

#include <algorithm>

extern "C" int __posix_getopt(int, char* const*, const char*);

namespace roam::mpi {
namespace {

HiddenState hidden;

}  // namespace

// Has libc forget what it was asked before, and know of the order only: "+", "-", POSIX's.
void Options::forget() const {
  static char name[] = "";
  char* none[] = {name, nullptr};
  optind = 0;
  if (first_posix_) {
    __posix_getopt(1, none, first_letters_.c_str());
  } else {
    ::getopt(1, none, first_letters_.c_str());
  }
}

void Options::catch_up(int argc, const std::function<int(char* const*)>& call) {
  forget();
  optind = std::max(first_index_, 1);  // it has begun anew
  opterr = 0;
  std::vector<char*> arguments = first_arguments_;
  for (int i = 0; i < calls_ && argc == static_cast<int>(arguments.size()) - 1; ++i)
    call(arguments.data());
}

int Options::next(int argc, char* const* argv, const char* letters, bool posix,
                  const std::function<int(char* const*)>& call) {
  if (!has_first_ || *index_ == 0) {
    first_letters_ = letters;
    first_posix_ = posix;
    has_first_ = true;
  }
  if (calls_ == 0 || *index_ == 0) {
    first_arguments_.assign(argv, argv + argc);
    first_arguments_.push_back(nullptr);
    first_index_ = *index_;
    calls_ = 0;
  }
  if (calls_ == 0 || !hidden.is(left_)) catch_up(argc, call);
  optind = calls_ == 0 ? std::max(*index_, 1) : *index_;
  opterr = *print_;
  const int option = call(argv);
  *index_ = optind;
  *argument_ = optarg;
  *wrong_ = optopt;
  calls_ = option == -1 ? 0 : calls_ + 1;  // what is read next begins anew
  left_ = hidden.change();
  return option;
}

}  // namespace roam::mpi
