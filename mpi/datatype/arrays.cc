// Constructors of parts of arrays. Both are a loop a dimension, the innermost first, with the
// bounds of the whole array.
#include <algorithm>

#include "mpi/datatype/arguments.h"
#include "mpi/datatype/array_part.h"
#include "mpi/datatype/constructors.h"

namespace roam::mpi {

namespace {

Failure check_array_shape(int dimensions, int order, const TypeRef& of) {
  if (dimensions < 1)
    return {MPI_ERR_ARG,
            text("an array of %d dimensions is none: there is at least one", dimensions)};
  if (order != MPI_ORDER_C && order != MPI_ORDER_FORTRAN) {
    return {MPI_ERR_ARG, text("the order is %d, neither MPI_ORDER_C nor MPI_ORDER_FORTRAN", order)};
  }
  return check_old(of);
}

// The dimension that is `i`th from the innermost.
int dimension(int i, int dimensions, int order) {
  return order == MPI_ORDER_FORTRAN ? i : dimensions - 1 - i;
}

// What one process has of one dimension.
Failure distribute(int distribution, int argument, MPI_Count gsize, int processes, int coordinate,
                   IndexSet* mine) {
  const bool is_default = argument == MPI_DISTRIBUTE_DFLT_DARG;
  if (distribution == MPI_DISTRIBUTE_NONE) {
    if (processes != 1)
      return {MPI_ERR_ARG, text("a dimension that is not distributed has %d processes", processes)};
    *mine = {0, 1, gsize, 0, 0};
    return {};
  }
  if (!is_default && argument < 1)
    return {MPI_ERR_ARG, text("a dimension is distributed in blocks of %d", argument)};
  if (distribution == MPI_DISTRIBUTE_BLOCK) {
    const MPI_Count block = is_default ? (gsize - 1) / processes + 1 : argument;
    if (block * static_cast<__int128>(processes) < gsize) {
      return {MPI_ERR_ARG, text("%d blocks of %ld do not cover a dimension of %ld", processes,
                                static_cast<long>(block), static_cast<long>(gsize))};
    }
    const MPI_Count start = coordinate == 0 ? 0 : std::min(block, gsize) * coordinate;
    *mine = {start, 1, std::max<MPI_Count>(std::min(block, gsize - start), 0), 0, 0};
    return {};
  }
  if (distribution != MPI_DISTRIBUTE_CYCLIC)
    return {MPI_ERR_ARG, text("the distribution of a dimension is %d", distribution)};
  const MPI_Count block = is_default ? 1 : argument;
  const MPI_Count round = block * processes, start = block * coordinate;
  const MPI_Count whole_rounds = gsize / round, rest = gsize % round - start;
  const MPI_Count last = std::max<MPI_Count>(std::min(rest, block), 0);
  const bool last_is_whole = last == block;
  *mine = {start, whole_rounds + (last_is_whole ? 1 : 0), block, round, last_is_whole ? 0 : last};
  return {};
}

}  // namespace

Failure make_subarray(Call call, int dimensions, Values sizes, Values subsizes, Values starts,
                      int order, const TypeRef& of, TypeRef* made) {
  if (Failure f = check_array_shape(dimensions, order, of)) return f;
  for (const Values& v : {sizes, subsizes, starts}) {
    if (Failure f = check_array(dimensions, v, "sizes, subsizes or starts")) return f;
  }
  for (int i = 0; i < dimensions; ++i) {
    if (sizes[i] < 0 || subsizes[i] < 0 || subsizes[i] > sizes[i] || starts[i] < 0 ||
        starts[i] > sizes[i] - subsizes[i]) {
      return {MPI_ERR_ARG, text("dimension %d: %ld elements from %ld are no part of %ld", i,
                                static_cast<long>(subsizes[i]), static_cast<long>(starts[i]),
                                static_cast<long>(sizes[i]))};
    }
  }
  ArrayPart part(MPI_COMBINER_SUBARRAY, of);
  for (int i = 0; i < dimensions; ++i) {
    const int d = dimension(i, dimensions, order);
    if (Failure f = part.add(sizes[d], {starts[d], 1, subsizes[d], 0, 0})) return f;
  }
  ContentsOf contents(call, of);
  contents.integer(dimensions);
  contents.numbers(dimensions, sizes).numbers(dimensions, subsizes).numbers(dimensions, starts);
  *made = part.finish(contents.integer(order).take());
  return {};
}

Failure make_darray(Call call, int size, int rank, int dimensions, Values gsizes,
                    const int* distributions, const int* arguments, const int* psizes, int order,
                    const TypeRef& of, TypeRef* made) {
  if (Failure f = check_array_shape(dimensions, order, of)) return f;
  if (Failure f = check_array(dimensions, gsizes, "global sizes")) return f;
  for (const int* a : {distributions, arguments, psizes}) {
    if (Failure f = check_array(dimensions, a, "distributions, arguments or processes")) return f;
  }
  if (size < 1 || rank < 0 || rank >= size)
    return {MPI_ERR_ARG, text("rank %d is none of %d processes", rank, size)};
  __int128 processes = 1;
  for (int i = 0; i < dimensions; ++i) {
    if (psizes[i] < 1 || gsizes[i] < 0 || (processes *= psizes[i]) > size) {
      return {MPI_ERR_ARG, text("dimension %d: %ld elements over %d processes, of %d in all", i,
                                static_cast<long>(gsizes[i]), psizes[i], size)};
    }
  }
  if (processes != size) {
    return {MPI_ERR_ARG, text("the dimensions have %ld processes, the array %d",
                              static_cast<long>(processes), size)};
  }
  // Processes are in C's order, whatever the array is in.
  std::vector<IndexSet> mine(static_cast<std::size_t>(dimensions));
  for (int i = dimensions - 1, rest = rank; i >= 0; rest /= psizes[i--]) {
    if (Failure f = distribute(distributions[i], arguments[i], gsizes[i], psizes[i],
                               rest % psizes[i], &mine[static_cast<std::size_t>(i)])) {
      return f;
    }
  }
  ArrayPart part(MPI_COMBINER_DARRAY, of);
  for (int i = 0; i < dimensions; ++i) {
    const int d = dimension(i, dimensions, order);
    if (Failure f = part.add(gsizes[d], mine[static_cast<std::size_t>(d)])) return f;
  }
  ContentsOf contents(call, of);
  contents.integer(size).integer(rank).integer(dimensions).numbers(dimensions, gsizes);
  for (const int* a : {distributions, arguments, psizes}) {
    for (int i = 0; i < dimensions; ++i) contents.integer(a[i]);
  }
  *made = part.finish(contents.integer(order).take());
  return {};
}

}  // namespace roam::mpi
