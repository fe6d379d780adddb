// Datatypes (chapter 4 of the standard).

#include "mpi/calls/call.h"

namespace roam::mpi {
namespace {

template <Name kName, class Count>
int size(MPI_Datatype type, Count* to) {
  return call(kName.text, MPI_COMM_WORLD,
              [&](VirtualRank&) { *to = static_cast<Count>(Type(type).size()); });
}

template <Name kName, class Count>
int extent(MPI_Datatype type, Count* lower, Count* of) {
  return call(kName.text, MPI_COMM_WORLD, [&](VirtualRank&) {
    *lower = 0;
    *of = static_cast<Count>(Type(type).extent());
  });
}

int commit(MPI_Datatype* type) {
  return call("MPI_Type_commit", MPI_COMM_WORLD, [&](VirtualRank&) { Type{*type}; });
}

}  // namespace

void add_type_calls() {
  ROAM_BOTH("MPI_Type_size", size);
  add_call("MPI_Type_size_x", &size<"MPI_Type_size_x", MPI_Count>);
  add_call("MPI_Type_get_extent", &extent<"MPI_Type_get_extent", MPI_Aint>);
  add_call("MPI_Type_get_extent_x", &extent<"MPI_Type_get_extent_x", MPI_Count>);
  add_call("MPI_Type_commit", &commit);
}

}  // namespace roam::mpi
