#include "runtime/job/launcher.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/test_child.h"

namespace roam::runtime {
namespace {

class Launcher : public testing::Test {
 protected:
  Launcher() {
    for (const char* name : kNames) unsetenv(name);
  }
  ~Launcher() override {
    for (const char* name : kNames) unsetenv(name);
  }
  static constexpr const char* kNames[] = {"PMI_SIZE",
                                           "PMI_RANK",
                                           "OMPI_COMM_WORLD_SIZE",
                                           "OMPI_COMM_WORLD_RANK",
                                           "SLURM_STEP_NUM_TASKS",
                                           "SLURM_PROCID",
                                           "FLUX_JOB_SIZE",
                                           "FLUX_TASK_RANK",
                                           "JSM_NAMESPACE_SIZE",
                                           "JSM_NAMESPACE_RANK",
                                           "PMIX_RANK",
                                           "PMI_FD",
                                           "HYDI_CONTROL_FD",
                                           "MPIR_CVAR_PMI_VERSION"};
};

// What a launcher whose descriptor has the number that PMI_FD says is told.
std::string told(int status, bool once_gone) {
  int status_of_child = 0;
  return written_by_child(
      [status, once_gone](int fd) {
        setenv("PMI_FD", std::to_string(fd).c_str(), 1);
        find_launcher();
        tell_launcher(status, once_gone);
      },
      &status_of_child);
}

TEST_F(Launcher, IsRightWhereNothingSaysOtherwise) {
  EXPECT_EQ(wrong_launcher(1), "");
  EXPECT_TRUE(speaks_for_all());
}

TEST_F(Launcher, IsRightForAProcessThatWasStartedAlone) {
  setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
  setenv("SLURM_STEP_NUM_TASKS", "1", 1);
  EXPECT_EQ(wrong_launcher(1), "");
}

TEST_F(Launcher, IsRightWhereMpiHasSeveralRanks) {
  setenv("OMPI_COMM_WORLD_SIZE", "4", 1);
  EXPECT_EQ(wrong_launcher(4), "");
  EXPECT_EQ(wrong_launcher(2), "");
}

class LauncherOf : public Launcher, public testing::WithParamInterface<MpiLibrary> {
 protected:
  std::string wrong(int ranks) const { return wrong_launcher(ranks, GetParam()); }
  bool speaks() const { return speaks_for_all(GetParam()); }
  const bool open_mpi_ = GetParam() == MpiLibrary::kOpenMpi;
  const char* own_size_ = open_mpi_ ? "OMPI_COMM_WORLD_SIZE" : "PMI_SIZE";
  const char* own_rank_ = open_mpi_ ? "OMPI_COMM_WORLD_RANK" : "PMI_RANK";
};
INSTANTIATE_TEST_SUITE_P(Mpi, LauncherOf, testing::Values(MpiLibrary::kMpich, MpiLibrary::kOpenMpi),
                         [](const auto& mpi) {
                           return mpi.param == MpiLibrary::kMpich ? "Mpich" : "OpenMpi";
                         });

TEST_P(LauncherOf, IsWrongWhereItStartedMoreThanMpiSees) {
  for (const char* size : {"PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS",
                           "FLUX_JOB_SIZE", "JSM_NAMESPACE_SIZE"}) {
    setenv(size, "12", 1);
    const std::string why = wrong(1);
    EXPECT_NE(why.find(std::string(size) + "=12"), std::string::npos) << why;
    EXPECT_NE(why.find(open_mpi_ ? "to Open MPI, which" : "to MPICH, which"), std::string::npos)
        << why;
    EXPECT_NE(why.find(open_mpi_ ? "mpiexec.openmpi -n 12" : "mpiexec.hydra -n 12"),
              std::string::npos)
        << why;
    EXPECT_NE(why.find("ROAM_SINGLE=1"), std::string::npos) << why;
    unsetenv(size);
  }
}

TEST_P(LauncherOf, IsWrongWhereTheOtherMpisStartedMoreInsideItsOwn) {
  setenv("PMI_SIZE", open_mpi_ ? "4" : "1", 1);
  setenv("OMPI_COMM_WORLD_SIZE", open_mpi_ ? "1" : "4", 1);
  EXPECT_NE(wrong(1).find(open_mpi_ ? "PMI_SIZE=4" : "OMPI_COMM_WORLD_SIZE=4"), std::string::npos);
}

TEST_P(LauncherOf, IsRightForItsOwnInsideAStepOfABatchSystem) {
  for (const char* size : {"SLURM_STEP_NUM_TASKS", "FLUX_JOB_SIZE", "JSM_NAMESPACE_SIZE"}) {
    setenv(size, "12", 1);
    setenv(own_size_, "1", 1);
    EXPECT_EQ(wrong(1), "") << size;
    setenv(own_size_, "3", 1);
    EXPECT_NE(wrong(1), "") << size;
    unsetenv(own_size_);
    unsetenv(size);
  }
}

TEST_P(LauncherOf, IsWrongForALaterProcessOfPmix) {
  setenv("PMIX_RANK", "0", 1);
  EXPECT_EQ(wrong(1), "");
  setenv("PMIX_RANK", "3", 1);
  EXPECT_NE(wrong(1).find("PMIX_RANK=3"), std::string::npos) << wrong(1);
  EXPECT_EQ(wrong(4), "");
  setenv(own_size_, "1", 1);
  EXPECT_EQ(wrong(1), "");
}

TEST_P(LauncherOf, LetsTheFirstProcessSpeak) {
  setenv("SLURM_PROCID", "3", 1);
  EXPECT_FALSE(speaks());
  setenv(open_mpi_ ? "PMI_RANK" : "OMPI_COMM_WORLD_RANK", "1", 1);
  EXPECT_FALSE(speaks());
  setenv(own_rank_, "0", 1);  // MPI's launcher inside a job of another
  EXPECT_TRUE(speaks());
  setenv(own_rank_, "2", 1);
  EXPECT_FALSE(speaks());
}

TEST_F(Launcher, IsToldOfAnEndIfItIsMpichs) {
  EXPECT_EQ(told(11, false), "");
  setenv("HYDI_CONTROL_FD", "7", 1);
  EXPECT_EQ(told(11, false), "cmd=abort exitcode=11\n");
  EXPECT_EQ(told(7, true), "cmd=abort exitcode=7\n");
  setenv("MPIR_CVAR_PMI_VERSION", "1", 1);
  EXPECT_EQ(told(11, false), "cmd=abort exitcode=11\n");
  setenv("MPIR_CVAR_PMI_VERSION", "2", 1);  // another form
  EXPECT_EQ(told(11, false), "");
}

}  // namespace
}  // namespace roam::runtime
