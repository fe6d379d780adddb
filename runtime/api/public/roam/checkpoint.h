#ifndef ROAM_CHECKPOINT_H_
#define ROAM_CHECKPOINT_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "roam/pup.h"

// Checkpoints of a whole job: every thread with its stack and heap, teams with their messages, and
// isomalloc blocks. ROAM_RESTART=FOLDER starts the program again from the newest one, with any
// number of ranks. docs/checkpoint.md
namespace roam {

// Whether the job went on from this checkpoint, or was started again from it.
enum class Resumed { no, yes };

// Makes a checkpoint of the job in `folder`, which is made if it is not there; of those in one
// folder the newest are kept (ROAM_CHECKPOINT=,keep=NUMBER; default 2). No other thread has to call
// anything: all stand still where they are until their memory is copied. Returns when it is on
// disk, and twice, in a way: with Resumed::no where the job goes on, and with Resumed::yes in each
// job that is restarted from it.
//
// What is the process's and not a thread's, such as globals, open files and variables of main, is
// not in it: see on_restart() and job_data(). So a root that captures variables of main by
// reference finds others in a restart; let it capture copies.
//
// Context: any thread; it stays on its rank meanwhile.
// Errors:  Error(checkpoint_failed): it could not be written, or something was in the way for
//          longer than ROAM_CHECKPOINT=,wait=TIME (default 10 s): a thread with an open FILE*, a
//          Pin, a SystemHeap or a lock that it holds, or one that waits on an object in memory of
//          the process. The message names it; nothing has changed, and the job goes on.
//          Error(not_in_thread).
Resumed checkpoint(std::string_view folder);

// `hook` is called on each rank when the threads of all ranks stand still: that of on_checkpoint on
// all ranks before any rank copies memory, that of on_restart on all ranks before any thread goes
// on, and after objects named to job_data() have their values. It may write into what threads of
// its node have. Hooks are called in the order in which they were given. One that throws has the
// checkpoint fail; at a restart it ends the job.
//
// Context: plain code, before run(), on every rank alike. The hook runs on the rank's own stack
//          while no thread runs: it must not call what suspends, nor wait for another kernel thread
//          of the program, nor make or free isomalloc blocks.
void on_checkpoint(std::function<void()> hook);
void on_restart(std::function<void()> hook);

namespace detail {
void add_job_data(std::string name, std::function<std::vector<char>()> save,
                  std::function<void(const std::vector<char>&)> load);
}  // namespace detail

// `object`, memory of the process of a type that a Pup can traverse, is the job's: a checkpoint has
// the value that it has on rank 0, and a restart gives that to every rank. For small things, such
// as a plain global with the number of the step.
//
// Context: as on_restart(). The object lives as long as the program.
// Errors:  Error(bad_option): another object has that name.
template <class T>
void job_data(std::string name, T& object) {
  detail::add_job_data(
      std::move(name),
      [&object] {
        PupSizer sizer;
        sizer | object;
        std::vector<char> bytes(sizer.bytes());
        PupToMemory packer(bytes.data());
        packer | object;
        return bytes;
      },
      [&object](const std::vector<char>& bytes) {
        PupFromMemory unpacker(bytes.data(), bytes.size());
        unpacker | object;
      });
}

}  // namespace roam

#endif  // ROAM_CHECKPOINT_H_
