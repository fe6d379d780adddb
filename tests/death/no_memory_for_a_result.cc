// The process of a rank finds no memory for the result of a collective, once: in the call of the
// member that came last, which would have the others wait for it, or get what is none; or, with an
// argument, when the last part comes from another rank.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

#include "roam/roam.h"

namespace {

// Whoever adds parts to others asks for other lengths.
constexpr std::size_t kMembers = 3, kPart = 700'001;
std::atomic<bool> armed = false;

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (bytes == kMembers * kPart && armed.exchange(false)) throw std::bad_alloc();
  void* block = std::malloc(bytes != 0 ? bytes : 1);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }

int main(int argc, char** argv) {
  const int last = argc > 1 ? 2 : 0;
  roam::run(argc, argv, [last] {
    roam::spawn_team(kMembers, [last] {
      const roam::Team team = roam::Team::current();
      const std::vector<char> part(kPart, static_cast<char>('a' + team.index()));
      std::vector<char> all(kMembers * kPart);
      team.barrier();  // all have room for what they get
      if (team.index() == last) {
        for (int member = 0; member < static_cast<int>(kMembers); ++member)
          if (member != last) team.recv<int>(member, 0);
        // Inside a node messages overtake parts.
        roam::this_thread::sleep_for(std::chrono::milliseconds(100));
      } else {
        armed = roam::rank() == 0;
        roam::Request request = team.iallgather(part, all);
        team.send(last, 0, 1);
        request.wait();
        return;
      }
      armed = roam::rank() == 0;
      try {
        team.iallgather(part, all).wait();
        std::printf("the member has a result%s\n", armed ? ", and memory was never refused" : "");
      } catch (const std::bad_alloc&) {
        std::printf("the member was told, and has taken part\n");
      }
      std::fflush(stdout);
      std::_Exit(0);
    }).join();
  });
}
