// Calls hundreds of functions of libc, libstdc++ and ld.so in threads that then leave and end. Run
// under ROAM_CHECK=pointers, which names the thread, here the call, of whose memory one of them
// keeps a pointer.
#include "tests/check/library_calls.h"

#include <cstdio>
#include <string>

#include "roam/roam.h"

namespace {

// Deeper than the frames that there are when the thread leaves: what a library has of the call's
// own variables, such as where it stopped in a list of words, points to nothing alive then.
[[gnu::noinline]] void call_deep(void (*body)()) {
  char room[8192];
  roam_test::use(room);
  body();
  roam_test::use(room);
}

void call_everywhere(const roam_test::Call& call) {
  for (int r = 0; r < roam::ranks(); ++r) {
    roam::spawn(roam::SpawnOptions{.name = call.name, .rank = r}, [body = call.body] {
      call_deep(body);
      roam::this_thread::migrate((roam::rank() + 1) % roam::ranks());
      call_deep(body);
    }).join();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string part = argc > 1 ? argv[1] : "";
  return roam::run(argc, argv, [part] {
    int made = 0;
    for (const auto& list :
         {roam_test::calls_of_stdio(), roam_test::calls_of_text(), roam_test::calls_of_libc(),
          roam_test::calls_of_system(), roam_test::calls_of_names(), roam_test::calls_of_cpp(),
          roam_test::calls_of_streams(), roam_test::calls_of_languages()}) {
      for (const roam_test::Call& call : list) {
        if (std::string(call.name).find(part) == std::string::npos) continue;
        call_everywhere(call);
        ++made;
      }
    }
    std::printf("library_calls: %d made\n", made);
    std::fflush(stdout);
    return made > 0 ? 0 : 1;
  });
}
