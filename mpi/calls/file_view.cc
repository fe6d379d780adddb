#include "mpi/calls/file_view.h"

#include <strings.h>

#include <limits>
#include <utility>

#include "base/text.h"
#include "mpi/calls/call_error.h"
#include "mpi/datatype/external.h"
#include "mpi/datatype/external_type.h"

namespace roam::mpi {
namespace {

constexpr MPI_Offset kLast = std::numeric_limits<MPI_Offset>::max();

[[noreturn]] void throw_beyond() {
  throw CallError(MPI_ERR_ARG, "a place in the file is beyond 64 bits");
}

TypeRef in_file(const TypeRef& type, FileView::Representation representation) {
  if (representation == FileView::Representation::kNative) return type;
  TypeRef made;
  throw_failure(make_external_type(type, &made));
  return made;
}

// From smaller to larger places, as the standard wants it, none before the displacement.
void check_places(const char* what, const Datatype& type, bool is_written) {
  MPI_Aint last = 0, end = 0;
  bool grows = true, overlaps = false;
  throw_failure(for_each_piece(1, type, 0, type.size, [&](MPI_Aint at, MPI_Count bytes) {
    grows = grows && at >= last;
    overlaps = overlaps || at < end;
    last = at;
    end = at + bytes;
  }));
  if (!grows) {
    throw CallError(MPI_ERR_IO,
                    text("the displacements of the %s are not in growing order from 0", what));
  }
  if (overlaps && is_written)
    throw CallError(MPI_ERR_IO, text("parts of the %s overlap, and the file is written to", what));
}

}  // namespace

FileView FileView::make(MPI_Offset displacement, Type etype, Type filetype,
                        const char* representation, bool is_written) {
  FileView view;
  view.displacement = displacement;
  view.representation_name = representation;
  if (strcasecmp(representation, "external32") == 0) {
    view.representation = Representation::kExternal;
  } else if (strcasecmp(representation, "native") != 0 &&
             strcasecmp(representation, "internal") != 0) {
    throw CallError(MPI_ERR_UNSUPPORTED_DATAREP,
                    text("the data representation is \"%s\"; there are native, internal and "
                         "external32",
                         representation));
  }
  view.etype_there = in_file(etype.ref(), view.representation);
  view.filetype_there = in_file(filetype.ref(), view.representation);
  view.etype = std::move(etype);
  view.filetype = std::move(filetype);
  const Datatype& e = *view.etype_there;
  const Datatype& f = *view.filetype_there;
  if (e.size == 0) throw CallError(MPI_ERR_ARG, "the elementary type has no bytes");
  if (f.size % e.size != 0) {
    throw CallError(MPI_ERR_ARG,
                    text("the file type has %ld bytes, which are not whole elementary types of %ld",
                         static_cast<long>(f.size), static_cast<long>(e.size)));
  }
  check_places("elementary type", e, is_written);
  check_places("file type", f, is_written);
  if (f.size != 0 && f.bounds.extent() <= 0)
    throw CallError(MPI_ERR_ARG, "the file type has bytes, and an extent that is not positive");
  return view;
}

MPI_Count FileView::stream_bytes(const Type& type, MPI_Count count) const {
  if (representation == Representation::kNative) return static_cast<MPI_Count>(type.bytes(count));
  MPI_Count bytes = 0;
  throw_failure(external_bytes("external32", count, *type, &bytes));
  return bytes;
}

MPI_Count FileView::stream_begin(MPI_Offset offset) const {
  MPI_Count begin = 0;
  if (__builtin_mul_overflow(offset, etype_bytes(), &begin)) throw_beyond();
  return begin;
}

FileView::Tiles FileView::tiles(MPI_Count from, MPI_Count bytes) const {
  const MPI_Count each = filetype_there->size;
  if (each == 0) throw CallError(MPI_ERR_IO, "the file type of the view has no bytes");
  MPI_Count end = 0;
  Tiles t{0, 0, from % each};
  if (__builtin_mul_overflow(from / each, filetype_there->bounds.extent(), &t.begin) ||
      __builtin_add_overflow(t.begin, displacement, &t.begin) ||
      __builtin_add_overflow(t.from, bytes, &end))
    throw_beyond();
  t.count = (end - 1) / each + 1;
  // The last byte, too, has a place of 63 bits.
  MPI_Offset last = 0;
  if (__builtin_mul_overflow(t.count, filetype_there->bounds.extent(), &last) ||
      __builtin_add_overflow(last, filetype_there->bounds.true_ub, &last) ||
      __builtin_add_overflow(last, t.begin, &last))
    throw_beyond();
  return t;
}

MPI_Offset FileView::place_of(MPI_Count at) const {
  MPI_Offset place = displacement;
  if (filetype_there->size == 0) return place;
  for_each_piece(at, 1, [&](MPI_Offset where, MPI_Count) { place = where; });
  return place;
}

bool FileView::places_grow() const {
  return filetype_there->bounds.true_extent() <= filetype_there->bounds.extent();
}

FileView::Span FileView::span_of(MPI_Count from, MPI_Count bytes) const {
  if (places_grow()) return {place_of(from), place_of(from + bytes - 1) + 1};
  const Tiles t = tiles(from, bytes);
  const Bounds& bounds = filetype_there->bounds;
  return {t.begin + bounds.true_lb, t.begin + (t.count - 1) * bounds.extent() + bounds.true_ub};
}

// Places grow inside of a file type, and from each to the next, but not over all of them: so first
// the file type is found whose last elementary type is behind, and then by halving which of its
// own.
MPI_Offset FileView::end_of(MPI_Offset size) const {
  const MPI_Count each = filetype_there->size / etype_bytes();
  if (each == 0) return 0;
  const MPI_Offset last = place_of(stream_begin(each - 1));
  const MPI_Offset tile =
      last >= size ? 0 : (size - last - 1) / filetype_there->bounds.extent() + 1;
  MPI_Offset first = 0;
  if (__builtin_mul_overflow(tile, each, &first) || first > kLast - each) throw_beyond();
  MPI_Count before = -1, behind = each - 1;
  while (behind - before > 1) {
    const MPI_Count middle = before + (behind - before) / 2;
    (place_of(stream_begin(first + middle)) >= size ? behind : before) = middle;
  }
  return first + behind;
}

}  // namespace roam::mpi
