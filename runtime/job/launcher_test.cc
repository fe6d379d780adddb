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

TEST_F(Launcher, IsWrongWhereItStartedMoreThanMpiSees) {
  for (const char* size : {"PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS",
                           "FLUX_JOB_SIZE", "JSM_NAMESPACE_SIZE"}) {
    setenv(size, "12", 1);
    const std::string why = wrong_launcher(1);
    EXPECT_NE(why.find(std::string(size) + "=12"), std::string::npos) << why;
    EXPECT_NE(why.find("mpiexec.hydra -n 12"), std::string::npos) << why;
    EXPECT_NE(why.find("ROAM_SINGLE=1"), std::string::npos) << why;
    unsetenv(size);
  }
}

TEST_F(Launcher, IsRightForMpichsInsideAStepOfABatchSystem) {
  for (const char* size : {"SLURM_STEP_NUM_TASKS", "FLUX_JOB_SIZE", "JSM_NAMESPACE_SIZE"}) {
    setenv(size, "12", 1);
    setenv("PMI_SIZE", "1", 1);
    EXPECT_EQ(wrong_launcher(1), "") << size;
    setenv("PMI_SIZE", "3", 1);
    EXPECT_NE(wrong_launcher(1), "") << size;
    unsetenv("PMI_SIZE");
    unsetenv(size);
  }
}

TEST_F(Launcher, IsWrongForALaterProcessOfPmix) {
  setenv("PMIX_RANK", "0", 1);
  EXPECT_EQ(wrong_launcher(1), "");
  setenv("PMIX_RANK", "3", 1);
  EXPECT_NE(wrong_launcher(1).find("PMIX_RANK=3"), std::string::npos) << wrong_launcher(1);
  EXPECT_EQ(wrong_launcher(4), "");
  setenv("PMI_SIZE", "1", 1);
  EXPECT_EQ(wrong_launcher(1), "");
}

TEST_F(Launcher, LetsTheFirstProcessSpeak) {
  setenv("SLURM_PROCID", "3", 1);
  EXPECT_FALSE(speaks_for_all());
  setenv("PMI_RANK", "0", 1);  // MPICH's launcher inside a job of another
  EXPECT_TRUE(speaks_for_all());
  setenv("PMI_RANK", "2", 1);
  EXPECT_FALSE(speaks_for_all());
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
