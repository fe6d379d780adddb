#ifndef ROAM_MPI_IMAGE_ENTRY_H_
#define ROAM_MPI_IMAGE_ENTRY_H_

#include "mpi/image/image.h"

namespace roam::mpi {

// Runs the program of `image`, the calling thread's, from its first function to its end: initial
// functions of its libraries and its own, main, what was asked for by atexit, final functions.
// Returns its status as a process would have it. The stack is the thread's.
int run_program(Image* image);

// Calls the initial or final functions of a module of it.
void begin_module(Image* image, std::size_t module);
void end_module(Image* image, std::size_t module);

// Ends the program of the running image as exit and _exit do; the caller's frames are left.
[[noreturn]] void exit_program(int status);
[[noreturn]] void exit_program_at_once(int status);

// Has an exit that libc or a library of the process calls for the running image be that of its
// program. Once a process; again after each such exit.
void watch_exits_of_process();

// Has launcher_call() know the functions by which programs begin and end.
void add_entry_calls();
void add_end_calls();

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_ENTRY_H_
