#ifndef ROAM_MPI_IMAGE_KEPT_TEXTS_H_
#define ROAM_MPI_IMAGE_KEPT_TEXTS_H_

#include <set>
#include <string>
#include <string_view>

namespace roam::mpi {

// Strings that libc gives and a program may hold on to, such as names of time zones: libc's lie in
// the process, these go where the virtual rank goes. Each is kept once, to the end.
class KeptTexts {
 public:
  // null: null.
  char* keep(const char* text) {
    if (text == nullptr) return nullptr;
    auto kept = texts_.find(std::string_view(text));
    if (kept == texts_.end()) kept = texts_.emplace(text).first;
    return const_cast<char*>(kept->c_str());
  }

 private:
  std::set<std::string, std::less<>> texts_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_KEPT_TEXTS_H_
