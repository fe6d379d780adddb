#ifndef ROAM_RUNTIME_CHECKPOINT_PROGRAM_H_
#define ROAM_RUNTIME_CHECKPOINT_PROGRAM_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace roam::runtime {

// What the program has said of checkpoints on this rank (roam/checkpoint.h). Context: the rank's
// kernel thread, capture off.
class ProgramState {
 public:
  using Bytes = std::vector<char>;

  void on_checkpoint(std::function<void()> hook) { before_.push_back(std::move(hook)); }
  void on_restart(std::function<void()> hook) { after_.push_back(std::move(hook)); }
  // False: another object has that name.
  bool add(std::string name, std::function<Bytes()> save, std::function<void(const Bytes&)> load);

  // What the hooks throw, this throws.
  void checkpoint_begins() const;
  bool has_checkpoint_hooks() const { return !before_.empty(); }
  // Errors: Error(checkpoint_failed): an object threw, or they are too long for a manifest.
  std::map<std::string, Bytes> save() const;
  // Of objects that the program does not name any more nothing becomes; others keep what they have.
  // What objects and hooks throw, this throws.
  void restart(const std::map<std::string, Bytes>& data) const;

 private:
  struct Object {
    std::function<Bytes()> save;
    std::function<void(const Bytes&)> load;
  };
  std::vector<std::function<void()>> before_, after_;
  std::map<std::string, Object> objects_;
};

// Never destroyed: plain code may end after the program's statics.
ProgramState& program_state();

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_PROGRAM_H_
