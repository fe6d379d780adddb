#include "mpi/image/rank_lines.h"

#include <gtest/gtest.h>

namespace roam::mpi {
namespace {

constexpr RankNumbers kNumbers{.number = 7, .count = 16, .local = 3, .local_count = 4};

TEST(RankLines, SayWhoTheVirtualRankIs) {
  EXPECT_EQ(rank_line("PMI_RANK=1", kNumbers), "PMI_RANK=7");
  EXPECT_EQ(rank_line("PMI_SIZE=2", kNumbers), "PMI_SIZE=16");
  EXPECT_EQ(rank_line("MPI_LOCALRANKID=0", kNumbers), "MPI_LOCALRANKID=3");
  EXPECT_EQ(rank_line("MPI_LOCALNRANKS=2", kNumbers), "MPI_LOCALNRANKS=4");
  EXPECT_EQ(rank_line("SLURM_PROCID=1", kNumbers), "SLURM_PROCID=7");
  EXPECT_EQ(rank_line("OMPI_COMM_WORLD_LOCAL_SIZE=", kNumbers), "OMPI_COMM_WORLD_LOCAL_SIZE=4");
}

TEST(RankLines, DoNotSayHowTheProcessReachesItsLauncher) {
  for (const char* line : {"PMI_FD=9", "PMI_PORT=host:1", "PMI_ID=1"})
    EXPECT_FALSE(rank_line(line, kNumbers).has_value()) << line;
}

TEST(RankLines, AreOtherwiseTheProcesss) {
  for (const char* line : {"HOME=/root", "PMI_RANKS=1", "pmi_rank=1", "=1", ""})
    EXPECT_EQ(rank_line(line, kNumbers), line);
}

}  // namespace
}  // namespace roam::mpi
