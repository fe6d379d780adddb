// Constructors of blocks of one type at places of their own.
#include "mpi/datatype/arguments.h"
#include "mpi/datatype/constructors.h"
#include "mpi/datatype/type_maker.h"

namespace roam::mpi {

namespace {

// Bytes of a displacement that counts `unit` bytes.
Failure make_list(int combiner, MPI_Count count, auto blocklength, Values displacements,
                  MPI_Aint unit, const Datatype& of, ContentsOf contents, TypeRef* made) {
  TypeMaker maker(combiner, is_mixed(of));
  for (MPI_Count i = 0; i < count && of.size != 0; ++i) {
    MPI_Aint displacement = 0;
    if (Failure f = in_bytes(displacements[i], unit, &displacement)) return f;
    if (Failure f = maker.add(displacement, 1, 0, blocklength(i), of)) return f;
  }
  *made = maker.finish(contents.take());
  return {};
}

Failure check_list(MPI_Count count, Values displacements, const TypeRef& of) {
  if (Failure f = check_count(count)) return f;
  if (Failure f = check_array(count, displacements, "displacements")) return f;
  return check_old(of);
}

Failure check_lengths(MPI_Count count, Values blocklengths) {
  if (Failure f = check_count(count)) return f;
  if (Failure f = check_array(count, blocklengths, "block lengths")) return f;
  for (MPI_Count i = 0; i < count; ++i) {
    if (Failure f = check_blocklength(blocklengths[i])) return f;
  }
  return {};
}

bool is_bound(const Datatype& type) { return type.handle == MPI_LB || type.handle == MPI_UB; }

}  // namespace

Failure make_indexed(Call call, MPI_Count count, Values blocklengths, Values displacements,
                     const TypeRef& of, TypeRef* made) {
  if (Failure f = check_lengths(count, blocklengths)) return f;
  if (Failure f = check_list(count, displacements, of)) return f;
  ContentsOf contents(call, of);
  contents.number(count).numbers(count, blocklengths).numbers(count, displacements);
  return make_list(
      MPI_COMBINER_INDEXED, count, [&](MPI_Count i) { return blocklengths[i]; }, displacements,
      of->bounds.extent(), *of, contents, made);
}

Failure make_hindexed(Call call, MPI_Count count, Values blocklengths, Values displacements,
                      const TypeRef& of, TypeRef* made) {
  if (Failure f = check_lengths(count, blocklengths)) return f;
  if (Failure f = check_list(count, displacements, of)) return f;
  ContentsOf contents(call, of);
  contents.number(count).numbers(count, blocklengths).addresses(count, displacements);
  return make_list(
      MPI_COMBINER_HINDEXED, count, [&](MPI_Count i) { return blocklengths[i]; }, displacements, 1,
      *of, contents, made);
}

Failure make_indexed_block(Call call, MPI_Count count, MPI_Count blocklength, Values displacements,
                           const TypeRef& of, TypeRef* made) {
  if (Failure f = check_list(count, displacements, of)) return f;
  if (Failure f = check_blocklength(blocklength)) return f;
  ContentsOf contents(call, of);
  contents.number(count).number(blocklength).numbers(count, displacements);
  return make_list(
      MPI_COMBINER_INDEXED_BLOCK, count, [&](MPI_Count) { return blocklength; }, displacements,
      of->bounds.extent(), *of, contents, made);
}

Failure make_hindexed_block(Call call, MPI_Count count, MPI_Count blocklength, Values displacements,
                            const TypeRef& of, TypeRef* made) {
  if (Failure f = check_list(count, displacements, of)) return f;
  if (Failure f = check_blocklength(blocklength)) return f;
  ContentsOf contents(call, of);
  contents.number(count).number(blocklength).addresses(count, displacements);
  return make_list(
      MPI_COMBINER_HINDEXED_BLOCK, count, [&](MPI_Count) { return blocklength; }, displacements, 1,
      *of, contents, made);
}

Failure make_struct(Call call, MPI_Count count, Values blocklengths, Values displacements,
                    const std::vector<TypeRef>& types, TypeRef* made) {
  if (Failure f = check_lengths(count, blocklengths)) return f;
  if (Failure f = check_array(count, displacements, "displacements")) return f;
  const Datatype* first = nullptr;
  const Datatype* sort = nullptr;
  bool mixed = false, one_sort = true;
  for (MPI_Count i = 0; i < count; ++i) {
    const TypeRef& of = types[static_cast<std::size_t>(i)];
    if (Failure f = check_old(of)) return f;
    if (is_bound(*of)) continue;
    if (sort == nullptr) sort = of.get();
    one_sort = one_sort && of.get() == sort;
    if (blocklengths[i] == 0 || of->size == 0) continue;
    if (first == nullptr) first = of.get();
    mixed = mixed || of->basic == nullptr || of->basic != first->basic;
  }
  ContentsOf contents(call, types);
  contents.number(count).numbers(count, blocklengths).addresses(count, displacements);
  TypeMaker maker(MPI_COMBINER_STRUCT, mixed);
  // The bounds of MPI-1, each the last of its sort.
  bool has_lb = false, has_ub = false;
  MPI_Aint lb = 0, ub = 0;
  for (MPI_Count i = 0; i < count; ++i) {
    const Datatype& of = *types[static_cast<std::size_t>(i)];
    if (of.handle == MPI_LB) {
      has_lb = true;
      lb = displacements[i];
    } else if (of.handle == MPI_UB) {
      has_ub = true;
      ub = displacements[i];
    } else if (Failure f = maker.add(displacements[i], 1, 0, blocklengths[i], of)) {
      return f;
    }
  }
  // MPICH takes blocks of one type for those of MPI_Type_create_hindexed, which it does not pad.
  if (Failure f = maker.end_struct(!one_sort)) return f;
  if (has_lb || has_ub) {
    if (!has_lb) lb = maker.bounds().lb;
    if (!has_ub) ub = maker.bounds().ub;
    MPI_Aint extent = 0;
    if (__builtin_sub_overflow(ub, lb, &extent))
      return {MPI_ERR_ARG, text("the bounds of a struct, %ld and %ld, are more than 64 bits apart",
                                static_cast<long>(lb), static_cast<long>(ub))};
    if (Failure f = maker.resize(lb, extent)) return f;
  }
  *made = maker.finish(contents.take());
  return {};
}

}  // namespace roam::mpi
