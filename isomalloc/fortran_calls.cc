// Input, output and random numbers of GCC's Fortran library: units, formats and seeds are the
// process's. Its other functions give their caller memory (results of matmul, trimmed strings), so
// its slots are left alone (library_slots.h). A unit that a thread opened pins until it is closed,
// since its number is another's on other ranks.
//
// All take pointers and whole numbers, at most six, and return a whole number or nothing, so one
// form passes them on. Not transfer_derived: it calls the program's own code.

#include <cstdint>

#include "isomalloc/process_call.h"

using roam::iso::closed;
using roam::iso::current_heap;
using roam::iso::Heap;
using roam::iso::HeapScope;
using roam::iso::next;
using roam::iso::opened;

namespace {

using Word = std::intptr_t;
using Call = Word(Word, Word, Word, Word, Word, Word);

// As every parameter block of a statement begins.
struct Statement {
  std::int32_t flags;
  std::int32_t unit;
};
constexpr std::int32_t kFailed = 3;  // of the flags

// Above all pointers, and apart from other handles (handle_calls.cc).
const void* key_of(std::int32_t unit) {
  return reinterpret_cast<const void*>(std::uintptr_t{'f'} << 56 |
                                       static_cast<std::uint32_t>(unit));
}

// What a namelist's variable is, which is passed by value.
struct Type {
  std::size_t bytes;
  std::int32_t version;
  signed char rank;
  signed char type;
  std::int16_t attribute;
};

}  // namespace

ROAM_EXPORT void _gfortran_st_open(Statement* statement) {
  static const auto real = next<void(Statement*)>("_gfortran_st_open");
  Heap* caller = current_heap;
  HeapScope process;
  real(statement);
  if ((statement->flags & kFailed) != 0) return;
  closed(key_of(statement->unit));  // it was open already
  opened(key_of(statement->unit), "unit of Fortran", caller);
}
ROAM_EXPORT void _gfortran_st_close(Statement* statement) {
  static const auto real = next<void(Statement*)>("_gfortran_st_close");
  HeapScope process;
  closed(key_of(statement->unit));
  real(statement);
}

ROAM_PROCESS_CALL(void, _gfortran_st_set_nml_var,
                  (void* statement, void* variable, char* name, std::int32_t kind,
                   std::size_t bytes, Type type),
                  (statement, variable, name, kind, bytes, type))
ROAM_PROCESS_CALL(void, _gfortran_st_set_nml_dtio_var,
                  (void* statement, void* variable, char* name, std::int32_t kind,
                   std::size_t bytes, Type type, void* procedure, void* table),
                  (statement, variable, name, kind, bytes, type, procedure, table))

#define ROAM_FORTRAN_CALL(name)                                                       \
  ROAM_EXPORT Word _gfortran_##name(Word a, Word b, Word c, Word d, Word e, Word f) { \
    static const auto real = next<Call>("_gfortran_" #name);                          \
    HeapScope process;                                                                \
    return real(a, b, c, d, e, f);                                                    \
  }
ROAM_FORTRAN_CALL(st_read)
ROAM_FORTRAN_CALL(st_read_done)
ROAM_FORTRAN_CALL(st_write)
ROAM_FORTRAN_CALL(st_write_done)
ROAM_FORTRAN_CALL(st_inquire)
ROAM_FORTRAN_CALL(st_iolength)
ROAM_FORTRAN_CALL(st_iolength_done)
ROAM_FORTRAN_CALL(st_rewind)
ROAM_FORTRAN_CALL(st_backspace)
ROAM_FORTRAN_CALL(st_endfile)
ROAM_FORTRAN_CALL(st_flush)
ROAM_FORTRAN_CALL(st_wait)
ROAM_FORTRAN_CALL(st_wait_async)
ROAM_FORTRAN_CALL(st_set_nml_var_dim)

#define ROAM_FORTRAN_TRANSFER(type)  \
  ROAM_FORTRAN_CALL(transfer_##type) \
  ROAM_FORTRAN_CALL(transfer_##type##_write)
ROAM_FORTRAN_TRANSFER(integer)
ROAM_FORTRAN_TRANSFER(logical)
ROAM_FORTRAN_TRANSFER(character)
ROAM_FORTRAN_TRANSFER(character_wide)
ROAM_FORTRAN_TRANSFER(real)
ROAM_FORTRAN_TRANSFER(complex)
ROAM_FORTRAN_TRANSFER(real128)
ROAM_FORTRAN_TRANSFER(complex128)
ROAM_FORTRAN_TRANSFER(array)

ROAM_FORTRAN_CALL(flush_i4)
ROAM_FORTRAN_CALL(flush_i8)
ROAM_FORTRAN_CALL(fgetc)
ROAM_FORTRAN_CALL(fget)
ROAM_FORTRAN_CALL(fputc)
ROAM_FORTRAN_CALL(fput)
ROAM_FORTRAN_CALL(fseek_sub)
ROAM_FORTRAN_CALL(ftell)

ROAM_FORTRAN_CALL(random_r4)
ROAM_FORTRAN_CALL(random_r8)
ROAM_FORTRAN_CALL(random_r10)
ROAM_FORTRAN_CALL(random_r16)
ROAM_FORTRAN_CALL(arandom_r4)
ROAM_FORTRAN_CALL(arandom_r8)
ROAM_FORTRAN_CALL(arandom_r10)
ROAM_FORTRAN_CALL(arandom_r16)
ROAM_FORTRAN_CALL(random_seed_i4)
ROAM_FORTRAN_CALL(random_seed_i8)
ROAM_FORTRAN_CALL(random_init)
