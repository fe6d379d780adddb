#ifndef ROAM_RUNTIME_CHECKPOINT_FOLDER_H_
#define ROAM_RUNTIME_CHECKPOINT_FOLDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/checkpoint/manifest.h"

namespace roam::runtime {

// A folder of checkpoints, each in a folder of its own that is named after its number, with 6
// digits or more:
//
//   DIR/000041         complete: its manifest was written last, and it was renamed after that
//   DIR/000042.part    being made, or left by a job that died

// A checkpoint that is being made. Context: the process's, the malloc family not captured. Errors:
// false; `why` names file, call and reason.
class NewCheckpoint {
 public:
  std::uint64_t number = 0;

  NewCheckpoint() = default;
  ~NewCheckpoint() { give_up(); }
  NewCheckpoint(const NewCheckpoint&) = delete;
  NewCheckpoint& operator=(const NewCheckpoint&) = delete;

  // Makes `dir`, if it is not there, and in it the folder of the next checkpoint. Removes what jobs
  // left there that died; those that live hold a lock in the folder that they write.
  // Its number is above `above` too.
  bool begin(const std::string& dir, std::string* why, std::uint64_t above = 0);
  // Where pieces belong.
  std::string part_path() const { return path_ + ".part"; }
  // All pieces are on disk: writes the manifest, which gets the number, the time and the sum of
  // bytes, and the checkpoint is there. After an error give_up() is due.
  bool publish(Manifest manifest, std::string* why);
  // Removes all of it, if it is not there; an earlier checkpoint is as it was. What cannot be
  // removed is left to the next begin().
  void give_up();

 private:
  void close();

  std::string dir_, path_;  // empty: none is being made
  bool renamed_ = false;
  int lock_ = -1;  // of the file `lock` in it
};

// What a manifest says when its checkpoint is complete: the time, and the sum of bytes.
void complete(Manifest* manifest);

// Folders of checkpoints in `dir`, the newest first; `dir` itself if it is one. Whether each is
// whole, read() of its manifest says. `why`: why there are none, else empty.
std::vector<std::string> complete_ones(const std::string& dir, std::string* why);

// What keepers of checkpoints in memory know those of the job in `dir` by (KeeperClient::connect).
// It has a random part, which is in the file DIR/keepers, so that no job finds what another one
// left. `anew`: another one, for a job that begins. Errors: empty, and why.
std::string name_for_keepers(const std::string& dir, bool anew, std::string* why);

// Notes in that file whether keepers of that name have a checkpoint, for who starts the job again:
// there may be none on disk. A new name has none. Nothing is noted, and that is no error, where the
// file has another name by now, of a job that began later. Errors: false and why.
bool note_kept(const std::string& name, bool kept, std::string* why);

// What such names of all jobs in `dir`, which is absolute, begin with.
std::string names_for_keepers(const std::string& dir);

// Which checkpoints of a folder a job counts as its own.
struct OwnCheckpoints {
  std::uint64_t canary = 0;  // Manifest::canary, which names the job over its restarts
  // Of a restart: the number that it went on from, and the first that it gave itself. What lies
  // between them it passed over, and so may the next one.
  std::uint64_t went_on_from = 0, first_new = 0;
};
// Removes all of the job's own but the newest `count` that count, whatever their numbers: whose
// files are all there. Of two or more one is to share no file with the newest, so that a damaged
// file leaves one to go back to: if none of them is so, the newest that is stays, too. Those whose
// manifest cannot be read stay, and so do another job's: the newest is `foreign`, or that is empty.
// Errors: false and why.
bool keep_newest(const std::string& dir, int count, const OwnCheckpoints& own, std::string* foreign,
                 std::string* why);

// Whether both name one folder, by whatever way; it need not be there.
bool same_folder(const std::string& a, const std::string& b);

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_FOLDER_H_
