#ifndef ROAM_ISOMALLOC_LIBRARY_WINDOW_H_
#define ROAM_ISOMALLOC_LIBRARY_WINDOW_H_

#include <optional>
#include <string>

#include "base/os/map_below.h"
#include "base/range.h"

// Where libraries lie that the program loads while the job runs. Threads carry addresses of their
// code and tables, so each has to lie alike on every rank that loads it, whatever else the ranks
// have mapped by then: its place follows from its path alone.
namespace roam::iso {

// Between the arena, the program with its heap, and all that the kernel places by itself.
inline constexpr Range kLibraryWindow{0x5800'0000'0000, 0x0800'0000'0000};

// While one lives, what is loaded as `path` lies where it does on every rank, with the libraries
// that it needs and that are not loaded yet.
class LibraryPlace {
 public:
  explicit LibraryPlace(const std::string& path);
  // Whether `loaded` came to lie there: it is the topmost of the place. False: another kernel
  // thread has mapped memory there, or unmapped some above, just then.
  bool has(Range loaded) const;

 private:
  Address end_;
  std::optional<os::MapBelow> below_;  // none: the arena has these addresses
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_LIBRARY_WINDOW_H_
