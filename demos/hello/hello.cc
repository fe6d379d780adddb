// A thread visits every rank with a map in its heap and a pointer into its stack.
#include <roam/roam.h>

#include <cstdio>
#include <map>
#include <string>

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] {
    roam::Thread traveller = roam::spawn([] {
      std::map<int, std::string> diary;
      int page = 0;
      int* next = &page;
      for (int rank = 0; rank < roam::ranks(); ++rank) {
        const int before = roam::rank();
        roam::this_thread::migrate(rank);  // another process from here on, the same pointers
        diary[(*next)++] = "from " + std::to_string(before) + " to " + std::to_string(roam::rank());
      }
      for (const auto& [number, entry] : diary) std::printf("%d: %s\n", number, entry.c_str());
    });
    traveller.join();
  });
}
