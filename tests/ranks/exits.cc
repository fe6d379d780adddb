// A thread ends the job: exits STATUS RANK [CALL]. Others live meanwhile.
#include <pthread.h>
#include <threads.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "roam/roam.h"

namespace {

// In children of the process, whose end is not the job's, first.
void end_by(const std::string& call, int status) {
  if (const pid_t child = vfork(); child == 0) _exit(0);
  if (call == "exit") std::exit(status);
  if (call == "_exit") _exit(status);
  if (call == "_Exit") std::_Exit(status);
  if (call == "quick_exit") std::quick_exit(status);
  if (call == "pthread_exit") pthread_exit(nullptr);
  if (call == "thrd_exit") thrd_exit(0);
  if (call == "raise") std::raise(status);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 1;
  const std::string call = argc > 3 ? argv[3] : "exit";
  const int status = std::atoi(argv[1]), rank = std::atoi(argv[2]);
  roam::run(argc, argv, [status, rank, call] {
    roam::Latch never(1);
    roam::spawn(roam::SpawnOptions{.name = "leaver", .rank = rank}, [status, call] {
      std::atexit([] { std::puts("the program's own handler ran"); });
      end_by(call, status);
    });
    never.wait();
  });
  std::puts("run returned");
  return 0;
}
