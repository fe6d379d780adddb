#include "mpi/datatype/type_maker.h"

#include <algorithm>
#include <memory>

#include "base/text.h"

namespace roam::mpi {

namespace {

using Wide = __int128;

bool fits(Wide value) { return value == static_cast<MPI_Aint>(value); }

Failure too_far(MPI_Aint displacement, MPI_Count count, MPI_Aint stride, MPI_Count blocklength,
                MPI_Aint extent) {
  return {MPI_ERR_ARG,
          text("%ld blocks, %ld bytes apart from displacement %ld on, of %ld elements with an "
               "extent of %ld bytes reach beyond 64 bits",
               static_cast<long>(count), static_cast<long>(stride), static_cast<long>(displacement),
               static_cast<long>(blocklength), static_cast<long>(extent))};
}

}  // namespace

TypeMaker::TypeMaker(int combiner, bool mixed) {
  type_.combiner = combiner;
  if (mixed) bytes_.emplace(false);
}

const TypeLayout& TypeMaker::block_of(const TypeLayout& layout, MPI_Count blocklength,
                                      MPI_Aint extent, Block* last) {
  if (blocklength == 1) return layout;
  if (last->node != layout.node.get() || last->blocklength != blocklength ||
      last->offset != layout.offset || last->extent != extent) {
    *last = {layout.node.get(), layout.offset, blocklength, extent,
             repeat(layout, blocklength, extent)};
  }
  return last->layout;
}

Failure TypeMaker::add(MPI_Aint displacement, MPI_Count count, MPI_Aint stride,
                       MPI_Count blocklength, const Datatype& of) {
  if (count == 0 || blocklength == 0) return {};
  const MPI_Aint extent = of.bounds.extent();
  MPI_Count number = 0, bytes = 0, size = 0;
  if (__builtin_mul_overflow(count, blocklength, &number) ||
      __builtin_mul_overflow(number, of.size, &bytes) ||
      __builtin_add_overflow(type_.size, bytes, &size)) {
    return {MPI_ERR_COUNT, text("%ld blocks of %ld elements of %ld bytes are more than 64 bits "
                                "count",
                                static_cast<long>(count), static_cast<long>(blocklength),
                                static_cast<long>(of.size))};
  }
  // The outermost of the elements, in either direction.
  const Wide rows = Wide(count - 1) * stride, row = Wide(blocklength - 1) * extent;
  if (!fits(rows) || !fits(row)) return too_far(displacement, count, stride, blocklength, extent);
  const Wide low = displacement + std::min<Wide>(rows, 0) + std::min<Wide>(row, 0);
  const Wide high = displacement + std::max<Wide>(rows, 0) + std::max<Wide>(row, 0);
  const Bounds& o = of.bounds;
  Wide lb = low + o.lb, ub = high + o.ub, true_lb = low + o.true_lb, true_ub = high + o.true_ub;
  if (!first_) {
    lb = std::min<Wide>(lb, type_.bounds.lb);
    ub = std::max<Wide>(ub, type_.bounds.ub);
    true_lb = std::min<Wide>(true_lb, type_.bounds.true_lb);
    true_ub = std::max<Wide>(true_ub, type_.bounds.true_ub);
  }
  for (const Wide value : {lb, ub, ub - lb, true_lb, true_ub, true_ub - true_lb}) {
    if (!fits(value)) return too_far(displacement, count, stride, blocklength, extent);
  }
  type_.bounds = {static_cast<MPI_Aint>(lb), static_cast<MPI_Aint>(ub),
                  static_cast<MPI_Aint>(true_lb), static_cast<MPI_Aint>(true_ub)};
  type_.alignment = std::max(type_.alignment, of.alignment);
  type_.size = size;
  first_ = false;
  if (of.size == 0) return {};

  type_.basic = no_bytes_ || type_.basic == of.basic ? of.basic : nullptr;
  type_.unit = no_bytes_ || type_.unit == of.unit ? of.unit : nullptr;
  no_bytes_ = false;
  typed_.add(displacement,
             repeat(block_of(of.typed, blocklength, extent, &last_typed_), count, stride));
  if (bytes_) {
    bytes_->add(displacement,
                repeat(block_of(of.bytes, blocklength, extent, &last_bytes_), count, stride));
  }
  return {};
}

Failure TypeMaker::end_struct(bool is_padded) {
  if (type_.size == 0) {
    type_.bounds = {};
    type_.alignment = 1;
  }
  const MPI_Aint over = type_.bounds.extent() % type_.alignment;
  if (over == 0 || !is_padded) return {};
  const Wide ub = Wide(type_.bounds.ub) + type_.alignment - over;
  if (!fits(ub) || !fits(ub - type_.bounds.lb)) {
    return {MPI_ERR_ARG, text("a struct that ends at %ld is padded beyond 64 bits",
                              static_cast<long>(type_.bounds.ub))};
  }
  type_.bounds.ub = static_cast<MPI_Aint>(ub);
  return {};
}

Failure TypeMaker::resize(MPI_Aint lb, MPI_Aint extent) {
  if (!fits(Wide(lb) + extent)) {
    return {MPI_ERR_ARG, text("a lower bound of %ld and an extent of %ld end beyond 64 bits",
                              static_cast<long>(lb), static_cast<long>(extent))};
  }
  type_.bounds.lb = lb;
  type_.bounds.ub = lb + extent;
  return {};
}

TypeRef TypeMaker::finish(Contents contents) {
  type_.typed = typed_.finish();
  type_.bytes = bytes_ ? bytes_->finish() : type_.typed;
  type_.contents = std::move(contents);
  return TypeRef(new Datatype(std::move(type_)));
}

TypeRef with_bounds(int combiner, const TypeRef& of, const Bounds& bounds, Contents contents) {
  auto type = std::make_unique<Datatype>();
  type->combiner = combiner;
  type->bounds = bounds;
  type->size = of->size;
  type->alignment = of->alignment;
  type->basic = of->basic;
  type->unit = of->unit;
  type->bytes = of->bytes;
  type->typed = of->typed;
  type->contents = std::move(contents);
  return TypeRef(type.release());
}

}  // namespace roam::mpi
