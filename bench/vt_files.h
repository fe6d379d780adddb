#ifndef ROAM_BENCH_VT_FILES_H_
#define ROAM_BENCH_VT_FILES_H_

#include <string>

#include "bench/recording.h"

namespace bench {

// Loads in the form that DARMA/vt and its tools read and write ("LBDatafile"): a JSON file for each
// rank, NAME.RANK.json, packed by brotli or not. A phase is a step, a task a thread:
//
//   {"type": "LBDatafile", "phases": [
//     {"id": 0,
//      "tasks": [{"entity": {"type": "object", "id": 7, "home": 0, "migratable": true},
//                 "node": 0, "resource": "cpu", "time": 0.25,
//                 "user_defined": {"task_serialized_bytes": 4096, "task_footprint_bytes": 8192,
//                                  "task_working_bytes": 0, "rank_working_bytes": 1e6,
//                                  "shared_id": 3, "shared_bytes": 1e9}}],
//      "communications": [{"type": "SendRecv", "from": ENTITY, "to": ENTITY,
//                          "bytes": 640, "messages": 2}]}]}
//
// What else is in it is not looked at; user_defined and communications may be missing.
//
// How it is read: `node` is the rank. A task that is not migratable is fixed. A thread has the
// larger of what a move sends and what it takes where it is (serialized, footprint), as a table has
// one number. Tasks of one shared_id share a block; below 0 it is none. A rank has, besides, what
// it needs for its work: rank_working_bytes, where it has no task the most that any rank has; and
// the largest task_working_bytes of all, because it may run any task, one at a time. A task that is
// not in all phases computes nothing in the others. Every rank is a node of its own and has no
// limit.

// Reads DIR, where one set of files is, or those named DIR/NAME.RANK.json where `path` is DIR/NAME.
//
// Errors: std::runtime_error  says which file, what was found there and what is needed.
Recording read_vt(const std::string& path);

// Writes a phase for each step, in files DIR/roam.RANK.json; creates DIR. A thread's id is its
// index. What the form has no room for is lost: costs, and the speed, node and limit of ranks.
//
// Errors: std::runtime_error  DIR has files already, or cannot be written.
void write_vt(const std::string& dir, const Recording& recording);

}  // namespace bench

#endif  // ROAM_BENCH_VT_FILES_H_
