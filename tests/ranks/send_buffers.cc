// Buffers of messages that were under way at once are not kept for ever.
#include <cstdio>
#include <cstring>

#include "runtime/net/mpi.h"

namespace {

constexpr std::size_t kMessages = 2000;
constexpr std::size_t kMost = 100;

void fail(const char* what, std::size_t count) {
  std::fprintf(stderr, "send_buffers: %s: %zu\n", what, count);
  roam::runtime::Mpi::abort(1);
}

}  // namespace

int main(int argc, char** argv) {
  roam::runtime::Mpi mpi;
  mpi.start(&argc, &argv);
  mpi.cut_nodes(0, 2);
  mpi.open_channel(100'000);
  const std::size_t bytes = mpi.most_bytes();
  for (int round = 0; round < 3; ++round) {
    mpi.barrier();
    if (mpi.rank() == 0) {
      for (std::size_t i = 0; i < kMessages; ++i) {
        std::memset(mpi.compose(bytes), static_cast<int>(i % 100), bytes);
        mpi.send(1);
      }
      if (mpi.send_buffers() < kMost) fail("nothing was under way at once", mpi.send_buffers());
    }
    mpi.barrier();  // nobody receives before: a quick receiver would leave little under way
    for (std::size_t i = 0; mpi.rank() == 1 && i < kMessages;) {
      int from = 0;
      std::size_t got = 0;
      const char* message = mpi.receive(&from, &got);
      if (message == nullptr) continue;
      if (got != bytes || message[0] != static_cast<char>(i % 100) ||
          message[got - 1] != message[0])
        fail("a message is not as it was sent", i);
      mpi.release();
      ++i;
    }
    while (mpi.sends_pending()) mpi.progress_sends();
    if (mpi.send_buffers() > kMost) fail("buffers that are kept", mpi.send_buffers());
  }
  mpi.barrier();
  mpi.close_channel();
  mpi.finish();
  if (mpi.rank() == 0) std::puts("send_buffers: ok");
  return 0;
}
