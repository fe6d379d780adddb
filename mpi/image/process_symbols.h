#ifndef ROAM_MPI_IMAGE_PROCESS_SYMBOLS_H_
#define ROAM_MPI_IMAGE_PROCESS_SYMBOLS_H_

#include <string>
#include <string_view>
#include <type_traits>

namespace roam::mpi {

class ElfFile;

// What the launcher has for its programs in place of a function of libc, since that one is about
// the process: exit, getenv, ... Null: nothing.
const void* launcher_call(std::string_view name);
// Whoever runs programs adds functions of its own, before the first layout.
void add_launcher_call(std::string_view name, const void* function);
template <class Function>
requires std::is_function_v<Function>
void add_launcher_call(std::string_view name, Function* function) {
  add_launcher_call(name, reinterpret_cast<const void*>(function));
}

// Asked for names that nobody has added; null: nothing.
void set_last_launcher_call(const void* (*find)(std::string_view name));

// Whether that one goes before what any library of the program defines: what images need in order
// to begin, to end and to reach their variables. Others stand where the library of the process is
// looked up that has the function: what defines the name ahead of that is called.
bool is_launchers_alone(std::string_view name);

// The file of a library that this process has loaded, by its name or path; kept to the end of the
// process. Null: it has not loaded it, or the file is none of those that images may have.
const ElfFile* process_library(const std::string& name);

// What this process has under that name: the launcher's own definition, which captures malloc and
// its kin, or a library's with that version. Null: nothing.
const void* process_symbol(const std::string& name, const std::string& version);

// Either, which is there and a function, as a pointer to one of that type.
template <class Pointer>
requires std::is_function_v<std::remove_pointer_t<Pointer>> Pointer
as_function(const void* symbol) {
  return reinterpret_cast<Pointer>(const_cast<void*>(symbol));
}

// Has programs find `call` under that name, and `*real` what the process has: neither, if this libc
// has no such function.
template <class Call, class Real>
void add_call_before(const char* name, Call* call, Real* real) {
  const void* found = process_symbol(name, {});
  if (found == nullptr) return;
  *real = as_function<Real>(found);
  add_launcher_call(name, call);
}

// Whether a variable lies there that libc, or a library that comes with it, stores in or programs
// may store in.
bool is_variable_of_libc(const void* address);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_PROCESS_SYMBOLS_H_
