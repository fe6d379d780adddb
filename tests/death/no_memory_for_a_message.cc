// The process of a rank finds no memory, once, while a member receives a long message of another
// node: that is in the mailbox no more, and its sender waits until somebody has it.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

#include "isomalloc/heap.h"
#include "roam/roam.h"

namespace {

constexpr std::size_t kBytes = 700'001;
std::atomic<bool> armed = false;

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (roam::iso::current_heap == nullptr && armed.exchange(false)) throw std::bad_alloc();
  void* block = std::malloc(bytes != 0 ? bytes : 1);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }

int main(int argc, char** argv) {
  roam::run(argc, argv, [] {
    roam::spawn_team(2, [] {
      const roam::Team team = roam::Team::current();
      std::vector<char> bytes(kBytes, 'a');
      if (team.index() == 0) {
        roam::Request request = team.isend(1, 0, bytes);
        team.send(1, 1, 1);
        request.wait();
        return;
      }
      team.recv<int>(0, 1);  // what was sent before has come too
      armed = true;
      try {
        team.irecv(0, 0, bytes).wait();
        std::printf("the member has it%s\n", armed ? ", and memory was never refused" : "");
      } catch (const std::bad_alloc&) {
        std::printf("the member was told, and nobody has the message\n");
      }
      std::fflush(stdout);
      std::_Exit(0);
    }).join();
  });
}
