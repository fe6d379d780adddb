// More events than the buffer holds.
#include "roam/roam.h"

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] {
    for (int i = 0; i < 20'000; ++i) {
      roam::spawn({.name = "one of many"}, [] { roam::this_thread::yield(); }).join();
    }
  });
}
