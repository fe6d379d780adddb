// What the program and its own libraries map in a thread pins the thread until it is unmapped, also
// where Roam itself is a library. No other library of the project's: it would bring Roam twice.
#include <dlfcn.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "roam/roam.h"

namespace {

constexpr std::size_t kBytes = 1 << 20;

void expect(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "on rank %d: not so: %s\n", roam::rank(), what);
  std::exit(1);
}

// Empty: it went to the next rank.
std::string why_not() {
  const int to = (roam::rank() + 1) % roam::ranks();
  try {
    roam::this_thread::migrate(to);
  } catch (const roam::Error& e) {
    expect(e.code() == roam::Errc::pinned, "it is refused since it is pinned");
    return e.what();
  }
  expect(roam::rank() == to, "it is where it went");
  return "";
}

template <class Map, class Unmap>
void pins(const char* how, Map map, Unmap unmap) {
  for (int round = 0; round < 2 * roam::ranks(); ++round) {
    char* at = static_cast<char*>(map());
    expect(at != MAP_FAILED, how);
    std::memset(at, 'a' + roam::rank(), kBytes);
    expect(why_not().find("mapping of 1048576 bytes") != std::string::npos, how);
    expect(at[kBytes - 1] == 'a' + roam::rank(), "what was written is there");
    unmap(at);
    expect(why_not().empty(), "it is free again");
  }
}

void* map() {
  return mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

// What a thread throws away of its own memory is zeros, also where other ranks see that memory.
void throw_away(int advice) {
  auto* block = static_cast<unsigned char*>(std::aligned_alloc(4096, kBytes));
  std::memset(block, 7, kBytes);
  expect(madvise(block + 4096, kBytes / 2, advice) == 0, "madvise");
  expect(block[4095] == 7 && block[4096 + kBytes / 2] == 7, "what lies beside is as it was");
  // The kernel may take its time with what is only given free, but for shared memory.
  if (advice == MADV_DONTNEED || (roam::ranks() > 1 && roam::node_of(0) == roam::node_of(1))) {
    for (std::size_t i = 4096; i < 4096 + kBytes / 2; ++i)
      expect(block[i] == 0, "what was thrown away is zeros");
  }
  expect(why_not().empty(), "it is free");
  std::free(block);
}

}  // namespace

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] {
    roam::spawn([] {
      pins("mmap of the program", map, [](void* at) { munmap(at, kBytes); });
    }).join();
    // Loaded by each rank, which all have mapped something else before: the library's address is
    // the same, its slots are the rank's.
    for (int r = 0; r < roam::ranks(); ++r) {
      roam::spawn(roam::SpawnOptions{.rank = r}, [] {
        roam::SystemHeap plain;
        void* own = mmap(nullptr, (roam::rank() + 1) * kBytes, PROT_READ,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        expect(own != MAP_FAILED, "what a rank maps for itself");
        expect(dlopen("tests/ranks/mapping_library.so", RTLD_NOW) != nullptr, "dlopen");
      }).join();
    }
    roam::spawn([] {
      void* library = dlopen("tests/ranks/mapping_library.so", RTLD_NOW | RTLD_NOLOAD);
      auto* map = reinterpret_cast<void* (*)(std::size_t, int)>(dlsym(library, "library_map"));
      auto* unmap = reinterpret_cast<int (*)(void*, std::size_t)>(dlsym(library, "library_unmap"));
      const auto give_back = [&](void* at) { unmap(at, kBytes); };
      pins(
          "mmap of a library", [&] { return map(kBytes, 0); }, give_back);
      pins(
          "mmap in a library's table", [&] { return map(kBytes, 1); }, give_back);
    }).join();
    roam::spawn([] {
      throw_away(MADV_DONTNEED);
      throw_away(MADV_FREE);
    }).join();
    std::printf("all that was mapped pinned\n");
  });
}
