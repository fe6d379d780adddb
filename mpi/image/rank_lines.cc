#include "mpi/image/rank_lines.h"

#include <string_view>

namespace roam::mpi {
namespace {

struct Named {
  std::string_view name;
  int RankNumbers::*says;  // null: nobody is to have it
};

// Of Hydra and PMI, Open MPI and PMIx, MVAPICH2, Slurm, PALS and ALPS, jsrun, Flux.
constexpr Named kNamed[] = {
    {"PMI_RANK", &RankNumbers::number},
    {"PMI_SIZE", &RankNumbers::count},
    {"MPI_LOCALRANKID", &RankNumbers::local},
    {"MPI_LOCALNRANKS", &RankNumbers::local_count},
    {"PMI_LOCAL_RANK", &RankNumbers::local},
    {"PMI_LOCAL_SIZE", &RankNumbers::local_count},
    {"PMI_FD", nullptr},
    {"PMI_PORT", nullptr},
    {"PMI_ID", nullptr},
    {"OMPI_COMM_WORLD_RANK", &RankNumbers::number},
    {"OMPI_COMM_WORLD_SIZE", &RankNumbers::count},
    {"OMPI_COMM_WORLD_LOCAL_RANK", &RankNumbers::local},
    {"OMPI_COMM_WORLD_LOCAL_SIZE", &RankNumbers::local_count},
    {"OMPI_COMM_WORLD_NODE_RANK", &RankNumbers::local},
    {"PMIX_RANK", &RankNumbers::number},
    {"MV2_COMM_WORLD_RANK", &RankNumbers::number},
    {"MV2_COMM_WORLD_SIZE", &RankNumbers::count},
    {"MV2_COMM_WORLD_LOCAL_RANK", &RankNumbers::local},
    {"MV2_COMM_WORLD_LOCAL_SIZE", &RankNumbers::local_count},
    {"SLURM_PROCID", &RankNumbers::number},
    {"SLURM_NTASKS", &RankNumbers::count},
    {"SLURM_NPROCS", &RankNumbers::count},
    {"SLURM_STEP_NUM_TASKS", &RankNumbers::count},
    {"SLURM_LOCALID", &RankNumbers::local},
    {"PALS_RANKID", &RankNumbers::number},
    {"PALS_LOCAL_RANKID", &RankNumbers::local},
    {"ALPS_APP_PE", &RankNumbers::number},
    {"JSM_NAMESPACE_RANK", &RankNumbers::number},
    {"JSM_NAMESPACE_SIZE", &RankNumbers::count},
    {"JSM_NAMESPACE_LOCAL_RANK", &RankNumbers::local},
    {"JSM_NAMESPACE_LOCAL_SIZE", &RankNumbers::local_count},
    {"FLUX_TASK_RANK", &RankNumbers::number},
    {"FLUX_JOB_SIZE", &RankNumbers::count},
    {"FLUX_TASK_LOCAL_ID", &RankNumbers::local},
};

}  // namespace

std::optional<std::string> rank_line(const std::string& line, const RankNumbers& numbers) {
  const std::string_view name = std::string_view(line).substr(0, line.find('='));
  for (const Named& n : kNamed) {
    if (n.name != name) continue;
    if (n.says == nullptr) return {};
    return std::string(name) + "=" + std::to_string(numbers.*n.says);
  }
  return line;
}

}  // namespace roam::mpi
