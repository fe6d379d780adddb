// Datatypes (chapter 4 of the standard).

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/datatype/constructors.h"
#include "mpi/datatype/external.h"
#include "mpi/datatype/pack.h"

namespace roam::mpi {
namespace {

MPI_Datatype keep(VirtualRank& me, TypeRef type) {
  auto derived = std::make_unique<DerivedType>();
  derived->type = std::move(type);
  return me.types.add(std::move(derived));
}

// make(&type) makes it of datatypes that the program named.
template <class Make>
int construct(const char* name, MPI_Datatype* made, Needs given, Make make) {
  return call(name, MPI_COMM_WORLD, {given.all_there && made != nullptr}, [&](VirtualRank& me) {
    TypeRef type;
    throw_failure(make(me, &type));
    *made = keep(me, std::move(type));
  });
}
template <class Make>
int construct(const char* name, MPI_Datatype* made, Make make) {
  return construct(name, made, Needs(), make);
}

template <class Count>
constexpr Call kCallOf = sizeof(Count) == sizeof(int) ? Call::plain : Call::large;

// Of int and int, or of MPI_Count and MPI_Count; displacements in bytes are MPI_Aint in the former.
template <class Count>
using Displacement = std::conditional_t<sizeof(Count) == sizeof(int), MPI_Aint, MPI_Count>;

template <Name kName, class Count>
int contiguous_type(Count count, MPI_Datatype of, MPI_Datatype* made) {
  return construct(kName.text, made, [&](VirtualRank& me, TypeRef* type) {
    return make_contiguous(kCallOf<Count>, count, Type(me, of).ref(), type);
  });
}
template <Name kName, class Count>
int vector_type(Count count, Count length, Count stride, MPI_Datatype of, MPI_Datatype* made) {
  return construct(kName.text, made, [&](VirtualRank& me, TypeRef* type) {
    return make_vector(kCallOf<Count>, count, length, stride, Type(me, of).ref(), type);
  });
}
template <Name kName, class Count>
int hvector_type(Count count, Count length, Displacement<Count> stride, MPI_Datatype of,
                 MPI_Datatype* made) {
  return construct(kName.text, made, [&](VirtualRank& me, TypeRef* type) {
    return make_hvector(kCallOf<Count>, count, length, stride, Type(me, of).ref(), type);
  });
}
template <Name kName, class Count>
int indexed_type(Count count, const Count* lengths, const Count* displacements, MPI_Datatype of,
                 MPI_Datatype* made) {
  return construct(kName.text, made, needs(if_any(count, lengths), if_any(count, displacements)),
                   [&](VirtualRank& me, TypeRef* type) {
                     return make_indexed(kCallOf<Count>, count, lengths, displacements,
                                         Type(me, of).ref(), type);
                   });
}
template <Name kName, class Count>
int hindexed_type(Count count, const Count* lengths, const Displacement<Count>* displacements,
                  MPI_Datatype of, MPI_Datatype* made) {
  return construct(kName.text, made, needs(if_any(count, lengths), if_any(count, displacements)),
                   [&](VirtualRank& me, TypeRef* type) {
                     return make_hindexed(kCallOf<Count>, count, lengths, displacements,
                                          Type(me, of).ref(), type);
                   });
}
template <Name kName, class Count>
int indexed_block_type(Count count, Count length, const Count* displacements, MPI_Datatype of,
                       MPI_Datatype* made) {
  return construct(kName.text, made, needs(if_any(count, displacements)),
                   [&](VirtualRank& me, TypeRef* type) {
                     return make_indexed_block(kCallOf<Count>, count, length, displacements,
                                               Type(me, of).ref(), type);
                   });
}
template <Name kName, class Count>
int hindexed_block_type(Count count, Count length, const Displacement<Count>* displacements,
                        MPI_Datatype of, MPI_Datatype* made) {
  return construct(kName.text, made, needs(if_any(count, displacements)),
                   [&](VirtualRank& me, TypeRef* type) {
                     return make_hindexed_block(kCallOf<Count>, count, length, displacements,
                                                Type(me, of).ref(), type);
                   });
}
template <Name kName, class Count>
int struct_type(Count count, const Count* lengths, const Displacement<Count>* displacements,
                const MPI_Datatype* of, MPI_Datatype* made) {
  return construct(kName.text, made,
                   needs(if_any(count, lengths), if_any(count, displacements), if_any(count, of)),
                   [&](VirtualRank& me, TypeRef* type) {
                     std::vector<TypeRef> types;
                     for (Count i = 0; i < count; ++i) types.push_back(Type(me, of[i]).ref());
                     return make_struct(kCallOf<Count>, count, lengths, displacements, types, type);
                   });
}
template <Name kName, class Count>
int subarray_type(int dimensions, const Count* sizes, const Count* subsizes, const Count* starts,
                  int order, MPI_Datatype of, MPI_Datatype* made) {
  return construct(
      kName.text, made,
      needs(if_any(dimensions, sizes), if_any(dimensions, subsizes), if_any(dimensions, starts)),
      [&](VirtualRank& me, TypeRef* type) {
        return make_subarray(kCallOf<Count>, dimensions, sizes, subsizes, starts, order,
                             Type(me, of).ref(), type);
      });
}
template <Name kName, class Count>
int darray_type(int size, int rank, int dimensions, const Count* gsizes, const int* distributions,
                const int* arguments, const int* psizes, int order, MPI_Datatype of,
                MPI_Datatype* made) {
  return construct(kName.text, made,
                   needs(if_any(dimensions, gsizes), if_any(dimensions, distributions),
                         if_any(dimensions, arguments), if_any(dimensions, psizes)),
                   [&](VirtualRank& me, TypeRef* type) {
                     return make_darray(kCallOf<Count>, size, rank, dimensions, gsizes,
                                        distributions, arguments, psizes, order, Type(me, of).ref(),
                                        type);
                   });
}
template <Name kName, class Count>
int resized_type(MPI_Datatype of, Displacement<Count> lb, Displacement<Count> extent,
                 MPI_Datatype* made) {
  return construct(kName.text, made, [&](VirtualRank& me, TypeRef* type) {
    return make_resized(kCallOf<Count>, Type(me, of).ref(), lb, extent, type);
  });
}

// ---- what is known of one ----

template <class Count>
void put_bytes(MPI_Count bytes, Count* to) {
  *to = static_cast<Count>(bytes);
  if (MPI_Count{*to} != bytes) *to = MPI_UNDEFINED;
}
template <Name kName, class Count>
int size_of(MPI_Datatype type, Count* to) {
  return call(kName.text, MPI_COMM_WORLD, needs(to),
              [&](VirtualRank& me) { put_bytes(Type(me, type)->size, to); });
}
template <Name kName, class Count>
int extent_of(MPI_Datatype type, Count* lb, Count* extent) {
  return call(kName.text, MPI_COMM_WORLD, needs(lb, extent), [&](VirtualRank& me) {
    const Bounds bounds = Type(me, type)->bounds;
    *lb = bounds.lb;
    *extent = bounds.extent();
  });
}
template <Name kName, class Count>
int true_extent_of(MPI_Datatype type, Count* lb, Count* extent) {
  return call(kName.text, MPI_COMM_WORLD, needs(lb, extent), [&](VirtualRank& me) {
    const Bounds bounds = Type(me, type)->bounds;
    *lb = bounds.true_lb;
    *extent = bounds.true_extent();
  });
}
template <auto kWhat>  // of its bounds
int bound_of(MPI_Datatype type, MPI_Aint* to) {
  return call("MPI_Type_extent and its kin", MPI_COMM_WORLD, needs(to),
              [&](VirtualRank& me) { *to = kWhat(Type(me, type)->bounds); });
}

// ---- their life ----

DerivedType& derived(VirtualRank& me, MPI_Datatype handle) {
  DerivedType* found = me.types.find(handle);
  if (found == nullptr || found->freed) {
    throw CallError(MPI_ERR_TYPE, text("0x%08x is no datatype that the program made, or was freed",
                                       static_cast<unsigned>(handle)));
  }
  return *found;
}
int commit(MPI_Datatype* handle) {
  return call("MPI_Type_commit", MPI_COMM_WORLD, needs(handle), [&](VirtualRank& me) {
    const Type type(me, *handle);
    if (!type->named() || me.types.find(*handle) != nullptr) derived(me, *handle).committed = true;
  });
}
// Those by precision and range are given to whoever asks for them again.
bool is_of_fortran(const VirtualRank& me, MPI_Datatype handle) {
  return std::any_of(me.fortran_types.begin(), me.fortran_types.end(),
                     [handle](const auto& one) { return one.second == handle; });
}
int free_type(MPI_Datatype* handle) {
  return call("MPI_Type_free", MPI_COMM_WORLD, needs(handle), [&](VirtualRank& me) {
    if (is_of_fortran(me, *handle)) {
      throw CallError(MPI_ERR_TYPE,
                      "a datatype of MPI_Type_create_f90_integer or its kin cannot be freed");
    }
    derived(me, *handle).attributes.remove_all(me, *handle);
    me.free_type(*handle);
    *handle = MPI_DATATYPE_NULL;
  });
}
int duplicate(MPI_Datatype of, MPI_Datatype* made) {
  return call("MPI_Type_dup", MPI_COMM_WORLD, needs(made), [&](VirtualRank& me) {
    TypeRef type;
    throw_failure(make_dup(Type(me, of).ref(), &type));
    *made = keep(me, std::move(type));
    derived(me, *made).committed = true;
    try {
      const DerivedType* from = me.types.find(of);
      const Attributes& attributes =
          from == nullptr ? me.predefined_type_attributes[of] : from->attributes;
      attributes.copy_to(me, of, &derived(me, *made).attributes);
    } catch (...) {
      me.types.remove(*made);
      *made = MPI_DATATYPE_NULL;
      throw;
    }
  });
}

// Those of Fortran by precision and range: asked for again, the same one is given.
template <class Make>
int fortran_type(const char* name, long key, MPI_Datatype* made, Make make) {
  return call(name, MPI_COMM_WORLD, needs(made), [&](VirtualRank& me) {
    const auto known = me.fortran_types.find(key);
    if (known != me.fortran_types.end()) {
      *made = known->second;
      return;
    }
    TypeRef type;
    throw_failure(make(&type));
    *made = keep(me, std::move(type));
    derived(me, *made).committed = true;
    me.fortran_types[key] = *made;
  });
}
long key_of(int which, int precision, int range) {
  return (long{precision} << 32 | static_cast<unsigned>(range)) * 4 + which;
}
int f90_integer(int range, MPI_Datatype* made) {
  return fortran_type("MPI_Type_create_f90_integer", key_of(0, 0, range), made,
                      [=](TypeRef* type) { return make_f90_integer(range, type); });
}
int f90_real(int precision, int range, MPI_Datatype* made) {
  return fortran_type("MPI_Type_create_f90_real", key_of(1, precision, range), made,
                      [=](TypeRef* type) { return make_f90_real(precision, range, type); });
}
int f90_complex(int precision, int range, MPI_Datatype* made) {
  return fortran_type("MPI_Type_create_f90_complex", key_of(2, precision, range), made,
                      [=](TypeRef* type) { return make_f90_complex(precision, range, type); });
}
int match(int type_class, int bytes, MPI_Datatype* handle) {
  return call("MPI_Type_match_size", MPI_COMM_WORLD, needs(handle),
              [&](VirtualRank&) { throw_failure(match_size(type_class, bytes, handle)); });
}

// ---- how it was made ----

int envelope(MPI_Datatype handle, int* integers, int* addresses, int* types, int* combiner) {
  return call("MPI_Type_get_envelope", MPI_COMM_WORLD, needs(integers, addresses, types, combiner),
              [&](VirtualRank& me) {
                const Type type(me, handle);
                *integers = static_cast<int>(type->contents.integers.size());
                *addresses = static_cast<int>(type->contents.addresses.size());
                *types = static_cast<int>(type->contents.types.size());
                *combiner = type->combiner;
                if (!type->contents.counts.empty())
                  throw CallError(
                      MPI_ERR_TYPE,
                      "the datatype was made by a _c call: ask MPI_Type_get_envelope_c");
              });
}
int envelope_large(MPI_Datatype handle, MPI_Count* integers, MPI_Count* addresses,
                   MPI_Count* counts, MPI_Count* types, int* combiner) {
  return call("MPI_Type_get_envelope_c", MPI_COMM_WORLD,
              needs(integers, addresses, counts, types, combiner), [&](VirtualRank& me) {
                const Type type(me, handle);
                *integers = static_cast<MPI_Count>(type->contents.integers.size());
                *addresses = static_cast<MPI_Count>(type->contents.addresses.size());
                *counts = static_cast<MPI_Count>(type->contents.counts.size());
                *types = static_cast<MPI_Count>(type->contents.types.size());
                *combiner = type->combiner;
              });
}
void check_room(std::size_t count, MPI_Count most, const void* to) {
  if (static_cast<MPI_Count>(count) > most) {
    throw CallError(MPI_ERR_ARG, text("there is room for %lld of %zu values",
                                      static_cast<long long>(most), count));
  }
  check_pointer(if_any(static_cast<MPI_Count>(count), to));
}
template <class T>
void copy_contents(const std::vector<T>& from, MPI_Count most, T* to) {
  check_room(from.size(), most, to);
  std::copy(from.begin(), from.end(), to);
}
// Predefined types are given as they are; of derived ones, each time a new handle.
MPI_Datatype handle_of(VirtualRank& me, const TypeRef& type) {
  if (type->named()) return type->handle;
  for (const auto& [key, handle] : me.fortran_types) {
    if (me.types.find(handle)->type.get() == type.get()) return handle;
  }
  const MPI_Datatype made = keep(me, type);
  derived(me, made).committed = true;  // as the one may be that it was made of
  return made;
}
void copy_types(VirtualRank& me, const std::vector<TypeRef>& from, MPI_Count most,
                MPI_Datatype* to) {
  check_room(from.size(), most, to);
  for (const TypeRef& type : from) *to++ = handle_of(me, type);
}
Contents contents_of(VirtualRank& me, MPI_Datatype handle) {
  const Type type(me, handle);
  if (type->named()) throw CallError(MPI_ERR_TYPE, "a predefined datatype has no contents");
  return type->contents;
}
int contents(MPI_Datatype handle, int most_integers, int most_addresses, int most_types,
             int* integers, MPI_Aint* addresses, MPI_Datatype* types) {
  return call("MPI_Type_get_contents", MPI_COMM_WORLD, [&](VirtualRank& me) {
    const Contents c = contents_of(me, handle);
    copy_contents(c.integers, most_integers, integers);
    copy_contents(c.addresses, most_addresses, addresses);
    copy_types(me, c.types, most_types, types);
  });
}
int contents_large(MPI_Datatype handle, MPI_Count most_integers, MPI_Count most_addresses,
                   MPI_Count most_counts, MPI_Count most_types, int* integers, MPI_Aint* addresses,
                   MPI_Count* counts, MPI_Datatype* types) {
  return call("MPI_Type_get_contents_c", MPI_COMM_WORLD, [&](VirtualRank& me) {
    const Contents c = contents_of(me, handle);
    copy_contents(c.integers, most_integers, integers);
    copy_contents(c.addresses, most_addresses, addresses);
    copy_contents(c.counts, most_counts, counts);
    copy_types(me, c.types, most_types, types);
  });
}

int set_name(MPI_Datatype handle, const char* name) {
  return call("MPI_Type_set_name", MPI_COMM_WORLD, needs(name), [&](VirtualRank& me) {
    const Type type(me, handle);
    me.type_names[handle] = std::string(name).substr(0, MPI_MAX_OBJECT_NAME - 1);
  });
}
int get_name(MPI_Datatype handle, char* name, int* length) {
  return call("MPI_Type_get_name", MPI_COMM_WORLD, needs(name, length), [&](VirtualRank& me) {
    const Type type(me, handle);
    const auto own = me.type_names.find(handle);
    const std::string of = own != me.type_names.end()         ? own->second
                           : me.types.find(handle) == nullptr ? std::string(type->name)
                                                              : std::string();
    *length = std::snprintf(name, MPI_MAX_OBJECT_NAME, "%s", of.c_str());
  });
}

// ---- packing ----

// Of data that is packed, or unpacked to: MPICH says MPI_ERR_ARG here, as of what is packed.
const Type& packable(const Type& type, const void* data, MPI_Count count, const void* packed) {
  type.check_committed();
  if (type.is_nowhere(data, count)) check_pointer(nullptr);
  check_pointer(if_any(static_cast<MPI_Count>(type.bytes(count)), packed));
  return type;
}

template <Name kName, class Count>
int pack_bytes(const void* in, Count count, MPI_Datatype datatype, void* out, Count out_bytes,
               Count* position, MPI_Comm communicator) {
  return call(kName.text, communicator, needs(position), [&](VirtualRank& me) {
    me.communicator(communicator);
    const Type type(me, datatype);
    const auto bytes = static_cast<MPI_Count>(type.bytes(count));
    if (*position < 0 || bytes > out_bytes - *position) {
      throw CallError(MPI_ERR_TRUNCATE,
                      text("%lld bytes do not go into the %lld behind position %lld",
                           static_cast<long long>(bytes), static_cast<long long>(out_bytes),
                           static_cast<long long>(*position)));
    }
    packable(type, in, count, out).pack(in, count, static_cast<char*>(out) + *position);
    *position += static_cast<Count>(bytes);
  });
}
template <Name kName, class Count>
int unpack_bytes(const void* in, Count in_bytes, Count* position, void* out, Count count,
                 MPI_Datatype datatype, MPI_Comm communicator) {
  return call(kName.text, communicator, needs(position), [&](VirtualRank& me) {
    me.communicator(communicator);
    const Type type(me, datatype);
    const auto bytes = static_cast<MPI_Count>(type.bytes(count));
    if (*position < 0 || bytes > in_bytes - *position) {
      throw CallError(MPI_ERR_TRUNCATE,
                      text("%lld bytes are wanted of the %lld, from position %lld on",
                           static_cast<long long>(bytes), static_cast<long long>(in_bytes),
                           static_cast<long long>(*position)));
    }
    packable(type, out, count, in)
        .unpack(static_cast<const char*>(in) + *position, static_cast<std::size_t>(bytes), out,
                count);
    *position += static_cast<Count>(bytes);
  });
}
template <Name kName, class Count>
int pack_size(Count count, MPI_Datatype datatype, MPI_Comm communicator, Count* bytes) {
  return call(kName.text, communicator, needs(bytes), [&](VirtualRank& me) {
    me.communicator(communicator);
    const Type type(me, datatype);
    type.check_committed();
    put_bytes(static_cast<MPI_Count>(type.bytes(count)), bytes);
  });
}
// Positions are MPI_Aint with counts of int.
template <Name kName, class Count>
int pack_outside(const char* representation, const void* in, Count count, MPI_Datatype type,
                 void* out, Displacement<Count> out_bytes, Displacement<Count>* position) {
  return call(kName.text, MPI_COMM_WORLD, needs(representation, position), [&](VirtualRank& me) {
    MPI_Count at = *position;
    throw_failure(pack_external(representation, in, count,
                                *packable(Type(me, type), in, count, out), out, out_bytes, &at));
    *position = at;
  });
}
template <Name kName, class Count>
int unpack_outside(const char* representation, const void* in, Displacement<Count> in_bytes,
                   Displacement<Count>* position, void* out, Count count, MPI_Datatype type) {
  return call(kName.text, MPI_COMM_WORLD, needs(representation, position), [&](VirtualRank& me) {
    MPI_Count at = *position;
    throw_failure(unpack_external(representation, in, in_bytes, &at, out, count,
                                  *packable(Type(me, type), out, count, in)));
    *position = at;
  });
}
template <Name kName, class Count>
int outside_size(const char* representation, Count count, MPI_Datatype type,
                 Displacement<Count>* bytes) {
  return call(kName.text, MPI_COMM_WORLD, needs(representation, bytes), [&](VirtualRank& me) {
    MPI_Count found = 0;
    throw_failure(external_bytes(representation, count, *Type(me, type), &found));
    *bytes = found;
  });
}

}  // namespace

void add_type_calls() {
  ROAM_BOTH("MPI_Type_contiguous", contiguous_type);
  ROAM_BOTH("MPI_Type_vector", vector_type);
  ROAM_BOTH("MPI_Type_create_hvector", hvector_type);
  ROAM_BOTH("MPI_Type_indexed", indexed_type);
  ROAM_BOTH("MPI_Type_create_hindexed", hindexed_type);
  ROAM_BOTH("MPI_Type_create_indexed_block", indexed_block_type);
  ROAM_BOTH("MPI_Type_create_hindexed_block", hindexed_block_type);
  ROAM_BOTH("MPI_Type_create_struct", struct_type);
  ROAM_BOTH("MPI_Type_create_subarray", subarray_type);
  ROAM_BOTH("MPI_Type_create_darray", darray_type);
  ROAM_BOTH("MPI_Type_create_resized", resized_type);
  add_call("MPI_Type_hvector", &hvector_type<"MPI_Type_hvector", int>);
  add_call("MPI_Type_hindexed", &hindexed_type<"MPI_Type_hindexed", int>);
  add_call("MPI_Type_struct", &struct_type<"MPI_Type_struct", int>);
  add_call("MPI_Type_dup", &duplicate);
  add_call("MPI_Type_create_f90_integer", &f90_integer);
  add_call("MPI_Type_create_f90_real", &f90_real);
  add_call("MPI_Type_create_f90_complex", &f90_complex);
  add_call("MPI_Type_match_size", &match);
  add_call("MPI_Type_commit", &commit);
  add_call("MPI_Type_free", &free_type);
  ROAM_BOTH("MPI_Type_size", size_of);
  add_call("MPI_Type_size_x", &size_of<"MPI_Type_size_x", MPI_Count>);
  add_call("MPI_Type_get_extent", &extent_of<"MPI_Type_get_extent", MPI_Aint>);
  add_call("MPI_Type_get_extent_c", &extent_of<"MPI_Type_get_extent_c", MPI_Count>);
  add_call("MPI_Type_get_extent_x", &extent_of<"MPI_Type_get_extent_x", MPI_Count>);
  add_call("MPI_Type_get_true_extent", &true_extent_of<"MPI_Type_get_true_extent", MPI_Aint>);
  add_call("MPI_Type_get_true_extent_c", &true_extent_of<"MPI_Type_get_true_extent_c", MPI_Count>);
  add_call("MPI_Type_get_true_extent_x", &true_extent_of<"MPI_Type_get_true_extent_x", MPI_Count>);
  add_call("MPI_Type_lb", &bound_of<[](const Bounds& b) { return b.lb; }>);
  add_call("MPI_Type_ub", &bound_of<[](const Bounds& b) { return b.ub; }>);
  add_call("MPI_Type_extent", &bound_of<[](const Bounds& b) { return b.extent(); }>);
  add_call("MPI_Type_get_envelope", &envelope);
  add_call("MPI_Type_get_envelope_c", &envelope_large);
  add_call("MPI_Type_get_contents", &contents);
  add_call("MPI_Type_get_contents_c", &contents_large);
  add_call("MPI_Type_set_name", &set_name);
  add_call("MPI_Type_get_name", &get_name);
  ROAM_BOTH("MPI_Pack", pack_bytes);
  ROAM_BOTH("MPI_Unpack", unpack_bytes);
  ROAM_BOTH("MPI_Pack_size", pack_size);
  ROAM_BOTH("MPI_Pack_external", pack_outside);
  ROAM_BOTH("MPI_Unpack_external", unpack_outside);
  ROAM_BOTH("MPI_Pack_external_size", outside_size);
}

}  // namespace roam::mpi
