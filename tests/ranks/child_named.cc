// What is said of a process that fork made names the thread that it runs. The child ends by an
// exception that nobody catches; the job goes on.
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

#include "roam/roam.h"

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] {
    int status = 0;
    roam::spawn({.name = "forker"}, [&status] {
      const pid_t child = fork();
      if (child == 0) throw std::runtime_error("only the child's");
      waitpid(child, &status, 0);
    }).join();
    return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? 0 : 3;
  });
}
