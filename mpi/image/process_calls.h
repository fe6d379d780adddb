#ifndef ROAM_MPI_IMAGE_PROCESS_CALLS_H_
#define ROAM_MPI_IMAGE_PROCESS_CALLS_H_

namespace roam::mpi {

// Has launcher_call() know functions of libc that are about the process, where a virtual rank is
// one for itself (the environment, closing of the standard streams), or that it must not call
// (kernel threads, fork).
void add_process_calls();
void add_signal_calls();      // the same of handlers of signals
void add_descriptor_calls();  // of descriptors
void add_key_calls();         // of keys of pthread_setspecific
void add_option_calls();      // of getopt
void add_state_calls();       // of random numbers, strtok, and all of the following
void add_answer_calls();      // of what answers with a place of the process
void add_zone_calls();        // of time zones
void add_error_calls();       // of messages of errors, and argp

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_PROCESS_CALLS_H_
