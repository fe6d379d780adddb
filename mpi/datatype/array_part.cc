#include "mpi/datatype/array_part.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "mpi/datatype/type_maker.h"

namespace roam::mpi {

ArrayPart::ArrayPart(int combiner, const TypeRef& of)
    : combiner_(combiner),
      of_(of),
      bounds_(of->bounds),
      size_(of->size),
      stride_(of->bounds.extent()),
      typed_(of->typed),
      bytes_(of->bytes) {}

TypeLayout ArrayPart::row(const TypeLayout& index, const IndexSet& in, bool typed) const {
  LayoutBuilder row(typed);
  // Of one block `apart` may be anything.
  const MPI_Aint apart = in.count > 1 ? in.apart * stride_ : 0;
  row.add(in.start * stride_, repeat(repeat(index, in.block, stride_), in.count, apart));
  if (in.last != 0) {
    const MPI_Count begin = in.start + in.count * in.apart;
    row.add(begin * stride_, repeat(index, in.last, stride_));
  }
  return row.finish();
}

Failure ArrayPart::add(MPI_Count size, const IndexSet& in) {
  using Wide = __int128;
  const Wide end = Wide(stride_) * size;
  const Wide most = Wide(1) << 62;
  if (end > most || end < -most) {
    return {MPI_ERR_ARG, text("an array with a dimension of %ld times %ld bytes is too large",
                              static_cast<long>(size), static_cast<long>(stride_))};
  }
  const MPI_Count indices = in.count * in.block + in.last;
  MPI_Count bytes = 0;
  if (__builtin_mul_overflow(size_, indices, &bytes)) {
    return {MPI_ERR_COUNT, text("%ld times %ld bytes are more than 64 bits count",
                                static_cast<long>(indices), static_cast<long>(size_))};
  }
  size_ = bytes;
  if (size_ == 0) {
    typed_ = bytes_ = {};
    bounds_.true_lb = bounds_.true_ub = 0;
  } else {
    const MPI_Count blocks = in.count + (in.last != 0 ? 1 : 0);
    const MPI_Count last =
        in.start + (blocks - 1) * in.apart + (in.last != 0 ? in.last : in.block) - 1;
    const Wide a = Wide(in.start) * stride_, b = Wide(last) * stride_;
    const Wide true_lb = std::min(a, b) + bounds_.true_lb;
    const Wide true_ub = std::max(a, b) + bounds_.true_ub;
    if (true_lb != static_cast<MPI_Aint>(true_lb) || true_ub != static_cast<MPI_Aint>(true_ub))
      return {MPI_ERR_ARG,
              text("a part of an array that begins at index %ld of %ld lies beyond 64 bits",
                   static_cast<long>(in.start), static_cast<long>(size))};
    bounds_.true_lb = static_cast<MPI_Aint>(true_lb);
    bounds_.true_ub = static_cast<MPI_Aint>(true_ub);
    const bool same = bytes_.node == typed_.node;
    typed_ = row(typed_, in, true);
    bytes_ = same ? typed_ : row(bytes_, in, false);
  }
  stride_ = static_cast<MPI_Aint>(end);
  return {};
}

TypeRef ArrayPart::finish(Contents contents) {
  bounds_.lb = 0;
  bounds_.ub = stride_;
  Datatype part;
  part.combiner = combiner_;
  part.bounds = bounds_;
  part.size = size_;
  part.alignment = size_ != 0 ? of_->alignment : 1;
  part.basic = size_ != 0 ? of_->basic : nullptr;
  part.unit = size_ != 0 ? of_->unit : nullptr;
  part.bytes = std::move(bytes_);
  part.typed = std::move(typed_);
  part.contents = std::move(contents);
  return TypeRef(new Datatype(std::move(part)));
}

}  // namespace roam::mpi
