#ifndef ROAM_RUNTIME_KEEPER_KEEPER_STORE_H_
#define ROAM_RUNTIME_KEEPER_KEEPER_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/keeper/keeper_client.h"
#include "runtime/keeper/keeper_wire.h"

namespace roam::runtime {

// What a keeper holds: checkpoints that were committed, until a newer one is settled, and pieces of
// one that is being made. Memory is held as long as a name is there for it. Errors: false and why;
// nothing has changed.
class KeeperStore {
 public:
  using Memory = std::shared_ptr<OwnedFd>;

  // Drops what was put for other checkpoints and not committed, and one that was committed under
  // this number.
  bool put(std::uint64_t number, const std::string& name, Memory memory, std::string* why);
  bool link(std::uint64_t number, const std::string& name, std::uint64_t from_number,
            const std::string& from_name, std::string* why);
  void commit(std::uint64_t number, std::string manifest);
  // Drops all earlier ones.
  void settle(std::uint64_t number);
  Memory get(std::uint64_t number, const std::string& name) const;  // null: there is none
  std::vector<KeeperClient::Kept> list() const;                     // by number
  std::size_t pieces() const;                                       // names, of all checkpoints

 private:
  struct Checkpoint {
    bool committed = false;
    std::string manifest;
    std::map<std::string, Memory> pieces;
  };
  std::map<std::uint64_t, Checkpoint> checkpoints_;
};

// As bytes of a message, and back; false: they are none.
std::string pack_kept(const std::vector<KeeperClient::Kept>& kept);
bool unpack_kept(std::string_view packed, std::vector<KeeperClient::Kept>* kept);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_KEEPER_KEEPER_STORE_H_
