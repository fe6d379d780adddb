#ifndef ROAM_BASE_JOB_RECORD_H_
#define ROAM_BASE_JOB_RECORD_H_

#include <csignal>

// How the job ended, in a file for who watches it: launchers' statuses do not tell. ROAM_RECORD
// names the file; without it nothing is done here. It is a line of JSON, and appears whole. The
// first who has something to say writes it, and it is kept; only an end with code 0 gives way to
// what goes wrong after it. A job that leaves none was killed. Where the disk is full it is written
// over FILE.room, if that is there. docs/checkpoint.md has the fields.
//
// Context: any kernel thread, handlers of signals too; nothing is allocated. A child of fork writes
//          nothing.
namespace roam::job_record {

bool wanted();
// The job runs from now on, of which this process is a rank. Rank 0 makes FILE.began.
void began(int rank, int ranks);
// It went on from a checkpoint: what rank 0 says of that is in FILE.from.
void went_on(int rank, const char* from);
// This process ends by exit: rank 0 tells of the job's end; others of a code that is not 0; and
// whoever ends before a job began.
void exits(int code);
// It ends the job, which runs, by exit, of whose handlers this is one; or by _exit, which was
// called at `caller`. Where MPI did that, it has lost a rank.
void exits_early(int code, const void* caller);
// Whether a handler of a signal is among the callers.
bool in_handler();
// It ends the job for a reason.
void fails(int code, const char* why);
// ... the one that was noted last.
void fails(int code);
void note(const char* message);
// MPI cannot go on: as a rule it has lost a rank.
void loses(const char* why);
// It is about to end by a signal, which it got at the place that `context` has.
void crashes(const siginfo_t& info, const void* context);

}  // namespace roam::job_record

#endif  // ROAM_BASE_JOB_RECORD_H_
