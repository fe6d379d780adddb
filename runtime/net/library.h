#ifndef ROAM_RUNTIME_NET_LIBRARY_H_
#define ROAM_RUNTIME_NET_LIBRARY_H_

namespace roam::runtime {

// The MPIs that this can be built with; which one it is, only this folder knows from <mpi.h>.
enum class MpiLibrary { kMpich, kOpenMpi };

// The one that this program is linked with.
MpiLibrary mpi_library();

// How messages to users call it, its launcher, and its launcher binding each rank to a core.
struct MpiNames {
  const char* library;
  const char* launcher;
  const char* binding_launcher;
};
const MpiNames& names_of(MpiLibrary library);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_LIBRARY_H_
