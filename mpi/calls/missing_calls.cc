// Functions of MPI that are not here: a program that refers to them runs, and ends with their name
// where it calls one.

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/ending.h"
#include "mpi/image/of_process.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

// More than MPI has, with its PMPI_ names.
constexpr std::size_t kMost = 2048;

// In the order in which programs refer to them, which is the same in all processes but for what
// they find by dlsym.
constinit OfProcess<std::vector<std::string>> names;

[[noreturn]] void end_for(std::size_t index) {
  const auto known = names.use();
  const char* const name =
      index < known->size() ? (*known)[index].c_str() : "a function that dlsym found elsewhere";
  end_job(1, text("virtual rank %d calls %s, which is not in this version of roam-mpi. Run the "
                  "program with mpiexec alone, or without this call",
                  VirtualRank::running().number(), name));
}
template <std::size_t kIndex>
[[noreturn]] void missing() {
  end_for(kIndex);
}

template <std::size_t... kIndexes>
constexpr std::array<void (*)(), sizeof...(kIndexes)> make_stubs(std::index_sequence<kIndexes...>) {
  return {&missing<kIndexes>...};
}
constexpr auto kStubs = make_stubs(std::make_index_sequence<kMost>());

bool is_of_mpi(std::string_view name) {
  for (const std::string_view prefix : {"MPI_", "PMPI_", "MPIX_", "PMPIX_", "MPII_", "MPIR_"}) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

// Constants of MPICH that programs take the address of (MPI_UNWEIGHTED) are its own.
bool is_function(const std::string& name) {
  const void* found = dlsym(RTLD_DEFAULT, name.c_str());
  Dl_info of;
  const Elf64_Sym* symbol = nullptr;
  return found != nullptr &&
         dladdr1(found, &of, reinterpret_cast<void**>(const_cast<Elf64_Sym**>(&symbol)),
                 RTLD_DL_SYMENT) != 0 &&
         symbol != nullptr && ELF64_ST_TYPE(symbol->st_info) == STT_FUNC;
}

const void* missing_call(std::string_view name) {
  const std::string text(name);
  if (!is_of_mpi(name) || !is_function(text)) return nullptr;
  const auto known = names.use();
  std::size_t i = 0;
  while (i < known->size() && (*known)[i] != text) ++i;
  if (i == kMost) return nullptr;
  if (i == known->size()) known->push_back(text);
  return reinterpret_cast<const void*>(kStubs[i]);
}

}  // namespace

void add_missing_calls() { set_last_launcher_call(&missing_call); }

}  // namespace roam::mpi
