#ifndef ROAM_MPI_IMAGE_RANK_LINES_H_
#define ROAM_MPI_IMAGE_RANK_LINES_H_

#include <optional>
#include <string>

// Variables by which launchers of MPI programs tell a process who it is, before it asks MPI:
// programs name files and choose devices by them. In the launcher of virtual ranks they are about
// its rank.
namespace roam::mpi {

struct RankNumbers {
  int number, count;       // in MPI_COMM_WORLD
  int local, local_count;  // of those that begin on the same node
};

// `line` ("PMI_RANK=3") of this process's environment as the virtual rank with these numbers has
// it. Nothing: it has none; what says how the process reaches its launcher is no program's that
// runs in it, nor of those that it starts.
std::optional<std::string> rank_line(const std::string& line, const RankNumbers& numbers);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_RANK_LINES_H_
