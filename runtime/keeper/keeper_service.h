#ifndef ROAM_RUNTIME_KEEPER_KEEPER_SERVICE_H_
#define ROAM_RUNTIME_KEEPER_KEEPER_SERVICE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/keeper/keeper_store.h"
#include "runtime/keeper/keeper_wire.h"

namespace roam::runtime {

// The keeper of a folder's checkpoints on a node: answers what clients ask until one says that the
// job has ended well, or nobody has been connected for a while. It waits for no client: who does
// not take an answer is not connected any more.
class KeeperService {
 public:
  KeeperService(OwnedFd listener, std::string folder, std::int64_t hold_ns);
  // Returns when it is over.
  void run();

  // A socket that listens for clients of this folder and node, and of the same user. Negative with
  // errno: EADDRINUSE: there is a keeper already.
  static int listen_for(const std::string& folder, int node);

 private:
  struct Client {
    OwnedFd socket;
    bool greeted = false;
    bool leaves = false;  // its job has ended well, as far as it knows
  };
  void accept_one();
  bool serve(Client& client);  // false: it is gone
  bool answer(Client& client, const KeeperRequest& request, std::string_view texts, OwnedFd fd);
  bool is_needed() const;
  bool reply(const Client& client, bool good, std::string_view text, int fd = -1);
  bool take_piece(const KeeperRequest& request, const std::string& name, OwnedFd fd,
                  std::string* why);
  bool commit(const KeeperRequest& request, const OwnedFd& fd, std::string* why);

  OwnedFd listener_;
  std::string folder_;
  std::int64_t hold_ns_;
  bool over_ = false;
  std::vector<std::unique_ptr<Client>> clients_;
  KeeperStore store_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_KEEPER_KEEPER_SERVICE_H_
