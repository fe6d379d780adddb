#ifndef ROAM_RUNTIME_KEEPER_KEEPER_CLIENT_H_
#define ROAM_RUNTIME_KEEPER_KEEPER_CLIENT_H_

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace roam::runtime {

// A rank's way to the keeper of its node, a process that holds checkpoints in memory and outlives
// the job (keeper_service.h). There is one for a folder of checkpoints and a node.
//
// What is put is not copied: it is memory of the keeper and of who put it, which leaves it as it is
// until the keeper has dropped it: once a newer checkpoint is settled that does not link to it.
//
// Context: any kernel thread, one at a time; what is left open is closed by exec. Errors: false (or
// -1), and error() is a sentence. No call lasts longer than the patience. Where the keeper is gone,
// hangs, or says what no keeper says, the connection is closed: connected() is false then, and so
// is whatever follows. A refusal (there is no such piece) leaves it as it was.
class KeeperClient {
 public:
  KeeperClient() = default;
  ~KeeperClient() { close(); }
  KeeperClient(KeeperClient&& other) noexcept : fd_(other.fd_), patience_ms_(other.patience_ms_) {
    other.fd_ = -1;
  }
  KeeperClient(const KeeperClient&) = delete;
  KeeperClient& operator=(const KeeperClient&) = delete;

  // Of each of the calls below.
  static constexpr int kPatienceMs = 5000;
  void set_patience_ms(int ms) { patience_ms_ = ms; }

  // `folder`: of the checkpoints, absolute, or it is made so. False: nobody keeps there.
  bool connect(const std::string& folder, int node);
  // ... at once. `busy`: it does not take more connections just now.
  bool connect(const std::string& folder, int node, bool* busy);
  // Starts the keeper if there is none: `program` (find_keeper()), which ends when nobody has been
  // connected to it for `hold_s` seconds. Of several that start one, all get the same.
  bool connect_or_start(const std::string& folder, int node, const std::string& program,
                        int hold_s = kHoldS);
  static constexpr int kHoldS = 600;
  bool connected() const { return fd_ >= 0; }
  void close();

  // From now on the keeper holds `fd`, which stays the caller's too, as the piece `name` of
  // checkpoint `number`. It takes the place of an earlier one of that name. Pieces of checkpoints
  // that nobody has committed are dropped, but for those of this one; so is a committed one of this
  // number, which a job that went on from an older one gives again.
  bool put(std::uint64_t number, const std::string& name, int fd);
  // The same of what it holds as another piece, as link() does with files: a base of an incremental
  // piece.
  bool link(std::uint64_t number, const std::string& name, std::uint64_t from_number,
            const std::string& from_name);
  // The checkpoint is complete. It need not have any piece here.
  bool commit(std::uint64_t number, std::string_view manifest);
  // It is committed with all keepers of the job, so that earlier ones are of no use: they are
  // dropped.
  bool settle(std::uint64_t number);

  // What it holds: what was committed, and what has been put for another one since, whose commit
  // may have reached other keepers.
  struct Kept {
    std::uint64_t number = 0;
    bool committed = false;
    std::string manifest;
    std::vector<std::string> pieces;  // their names, sorted
  };
  bool list(std::vector<Kept>* kept);
  // A piece, to be read: a descriptor that is the caller's. -1: not here.
  int get(std::uint64_t number, const std::string& name);
  // The job has ended well: the keeper ends at once.
  bool forget();
  // ... as far as this client knows: it ends if all others that are connected have said so too.
  // `ends`: it does.
  bool leave(bool* ends);

  const std::string& error() const { return error_; }
  // Of list() and get(): the keeper, or this process, lacked memory or a descriptor for the answer,
  // so that it may have what was asked for.
  bool lacked() const { return lacked_; }

 private:
  struct Call;
  enum class Found { kKeeper, kNobody, kGoing, kBusy, kFails };  // kGoing: one that ends
  // `busy_until_ns`: so long it may take no connection.
  Found look_for(const std::string& folder, int node, std::int64_t until_ns,
                 std::int64_t busy_until_ns);
  Found greet(const std::string& folder, std::int64_t until_ns);
  bool ask(Call& call, std::int64_t until_ns);
  bool ask(Call& call);
  bool refuse(const std::string& why);
  bool lose(const std::string& why);
  std::int64_t patience_ns() const { return std::int64_t{patience_ms_} * 1'000'000; }

  int fd_ = -1;
  int patience_ms_ = kPatienceMs;
  bool lacked_ = false;
  std::string error_;
};

// The nodes whose keepers of `folder` run on this machine, sorted: they may be of a job that had
// other numbers for its nodes.
std::vector<int> keepers_of(const std::string& folder);

// Connects to them. Who they are is known then only, for anybody can have such a name: those that
// take no connection are waited for a little, all together, and all of this has an end after ten
// seconds. `troubles`: why others are passed over.
std::map<int, std::unique_ptr<KeeperClient>> reach_keepers(const std::string& folder,
                                                           std::vector<std::string>* troubles);

// The keepers of this user that run on this machine, of all folders whose names begin so, sorted:
// also those of earlier jobs. It asks the processes, which can be slow where there are many.
struct KeeperPlace {
  std::string folder;
  int node = 0;
  friend auto operator<=>(const KeeperPlace&, const KeeperPlace&) = default;
};
std::vector<KeeperPlace> keepers_beginning(const std::string& folders);

// The program roam-keeper: `named` (ROAM_KEEPER), else beside the tools that are installed with
// this library or program. Empty: there is none, and `why` is a sentence.
std::string find_keeper(const std::string& named, std::string* why);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_KEEPER_KEEPER_CLIENT_H_
