#ifndef ROAM_BENCH_PEER_H_
#define ROAM_BENCH_PEER_H_

#include <sys/types.h>

#include <functional>
#include <string>

namespace bench {

// A program of this folder in a process of its own, that works when it is asked and sleeps
// otherwise: what is compared with Roam but cannot share a process with it, above all another
// malloc. As a contestant it takes its turns with the slices of this process.
class Peer {
 public:
  // Starts `program` from where this program is, with the shared object `preload` loaded before
  // libc; "": none. A failure ends this program with a message.
  Peer(const std::string& program, const std::string& preload);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Has the peer carry out `order`, waits, and returns the number that it answers. A peer that has
  // ended ends this program with a message.
  double ask(const std::string& order) const;

 private:
  std::string name_;
  int socket_;
  pid_t process_;
};

// The main loop of a peer: answers orders until the program that started it lets it go.
void serve(const std::function<double(const std::string&)>& carry_out);

// Keeps this process and the peers that it starts from now on on one core: cores may differ in
// speed, and on one core the caches are the same for all.
void stay_on_this_core();

}  // namespace bench

#endif  // ROAM_BENCH_PEER_H_
