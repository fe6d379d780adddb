#include "mpi/datatype/twin.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "mpi/datatype/basic_table.h"

namespace roam::mpi {

namespace {

// Both have to accept what is made here.
void expect(const Failure& ours, int theirs) {
  if (!ours && theirs == MPI_SUCCESS) return;
  std::fprintf(stderr, "twin: we say '%s', MPICH gives %d\n", ours.text.c_str(), theirs);
  std::abort();
}

std::vector<MPI_Aint> addresses(const std::vector<int>& numbers) {
  return {numbers.begin(), numbers.end()};
}

std::vector<MPI_Count> counts(const std::vector<int>& numbers) {
  return {numbers.begin(), numbers.end()};
}

}  // namespace

std::vector<MPI_Datatype> predefined_handles() {
  std::vector<MPI_Datatype> handles;
  for (const Basic& b : kBasic) {
    // MPICH 4.0 cannot pack its own type of 16 bits.
    if (b.bytes != 0 && b.number != Number::f16) handles.push_back(b.handle);
  }
  for (const Pair& p : kPair) handles.push_back(p.handle);
  return handles;
}

std::string describe(const Datatype& type) {
  if (type.named()) return type.name;
  static const char* const names[] = {"none",       "named",         "dup",
                                      "contiguous", "vector",        "hvector_integer",
                                      "hvector",    "indexed",       "hindexed_integer",
                                      "hindexed",   "indexed_block", "struct_integer",
                                      "struct",     "subarray",      "darray",
                                      "f90_real",   "f90_complex",   "f90_integer",
                                      "resized",    "hindexed_block"};
  std::string s = std::string(names[type.combiner]) + "(";
  for (const int n : type.contents.integers) s += std::to_string(n) + " ";
  s += "; ";
  for (const MPI_Aint n : type.contents.addresses) s += std::to_string(n) + " ";
  s += "; ";
  for (const MPI_Count n : type.contents.counts) s += std::to_string(n) + " ";
  for (const TypeRef& t : type.contents.types) s += "; " + describe(*t);
  return s + ")";
}

bool contains(const Datatype& type, const std::function<bool(const Datatype&)>& is) {
  if (is(type)) return true;
  for (const TypeRef& t : type.contents.types) {
    if (contains(*t, is)) return true;
  }
  return false;
}

TwinMaker::~TwinMaker() {
  for (MPI_Datatype& t : made_) MPI_Type_free(&t);
}

Twin TwinMaker::keep(const TypeRef& ours, MPI_Datatype theirs) {
  made_.push_back(theirs);
  return {ours, theirs};
}

std::vector<int> TwinMaker::numbers(int count, int low, int high) {
  std::vector<int> n(static_cast<std::size_t>(count));
  for (int& value : n) value = number(low, high);
  return n;
}

Twin TwinMaker::predefined_one() {
  static const std::vector<MPI_Datatype> handles = predefined_handles();
  const MPI_Datatype h = handles[static_cast<std::size_t>(number(0, int(handles.size()) - 1))];
  return {predefined(h), h};
}

Twin TwinMaker::make(int depth) {
  const auto any = [&] {
    switch (number(0, 7)) {
      case 0:
        return contiguous_like(depth);
      case 1:
        return vector_like(depth);
      case 2:
        return indexed_like(depth);
      case 3:
        return indexed_block_like(depth);
      case 4:
        return structure(depth);
      case 5:
        return subarray(depth);
      case 6:
        return darray(depth);
      default:
        return predefined_one();
    }
  };
  const Twin t = depth == 0 ? predefined_one() : any();
  if (!t.ours->named()) MPI_Type_commit(&made_.back());
  return t;
}

// One that is given at most a count, or bounds.
Twin TwinMaker::contiguous_like(int depth) {
  const Twin of = make(depth - 1);
  TypeRef ours;
  MPI_Datatype theirs = MPI_DATATYPE_NULL;
  const int n = number(0, 4), lb = number(-40, 40), extent = number(-60, 200);
  switch (number(0, 4)) {
    case 0:
      expect(make_contiguous(Call::plain, n, of.ours, &ours),
             MPI_Type_contiguous(n, of.theirs, &theirs));
      break;
    case 1:
      expect(make_contiguous(Call::large, n, of.ours, &ours),
             MPI_Type_contiguous_c(n, of.theirs, &theirs));
      break;
    case 2:
      expect(make_resized(Call::plain, of.ours, lb, extent, &ours),
             MPI_Type_create_resized(of.theirs, lb, extent, &theirs));
      break;
    case 3:
      expect(make_resized(Call::large, of.ours, lb, extent, &ours),
             MPI_Type_create_resized_c(of.theirs, lb, extent, &theirs));
      break;
    default:
      expect(make_dup(of.ours, &ours), MPI_Type_dup(of.theirs, &theirs));
  }
  return keep(ours, theirs);
}

Twin TwinMaker::vector_like(int depth) {
  const Twin of = make(depth - 1);
  TypeRef ours;
  MPI_Datatype theirs = MPI_DATATYPE_NULL;
  const int n = number(0, 5), length = number(1, 3), stride = number(-6, 8);
  const int bytes = number(-100, 300);
  switch (number(0, 3)) {
    case 0:
      expect(make_vector(Call::plain, n, length, stride, of.ours, &ours),
             MPI_Type_vector(n, length, stride, of.theirs, &theirs));
      break;
    case 1:
      expect(make_vector(Call::large, n, length, stride, of.ours, &ours),
             MPI_Type_vector_c(n, length, stride, of.theirs, &theirs));
      break;
    case 2:
      expect(make_hvector(Call::plain, n, length, bytes, of.ours, &ours),
             MPI_Type_create_hvector(n, length, bytes, of.theirs, &theirs));
      break;
    default:
      expect(make_hvector(Call::large, n, length, bytes, of.ours, &ours),
             MPI_Type_create_hvector_c(n, length, bytes, of.theirs, &theirs));
  }
  return keep(ours, theirs);
}

Twin TwinMaker::indexed_like(int depth) {
  const Twin of = make(depth - 1);
  TypeRef ours;
  MPI_Datatype theirs = MPI_DATATYPE_NULL;
  const int n = number(0, 5);
  const std::vector<int> lengths = numbers(n, 0, 3), places = numbers(n, -12, 20);
  const std::vector<int> bytes = numbers(n, -200, 300);
  const int* l = lengths.data();
  switch (number(0, 3)) {
    case 0:
      expect(make_indexed(Call::plain, n, l, places.data(), of.ours, &ours),
             MPI_Type_indexed(n, l, places.data(), of.theirs, &theirs));
      break;
    case 1:
      expect(
          make_indexed(Call::large, n, counts(lengths).data(), counts(places).data(), of.ours,
                       &ours),
          MPI_Type_indexed_c(n, counts(lengths).data(), counts(places).data(), of.theirs, &theirs));
      break;
    case 2:
      expect(make_hindexed(Call::plain, n, l, addresses(bytes).data(), of.ours, &ours),
             MPI_Type_create_hindexed(n, l, addresses(bytes).data(), of.theirs, &theirs));
      break;
    default:
      expect(make_hindexed(Call::large, n, counts(lengths).data(), counts(bytes).data(), of.ours,
                           &ours),
             MPI_Type_create_hindexed_c(n, counts(lengths).data(), counts(bytes).data(), of.theirs,
                                        &theirs));
  }
  return keep(ours, theirs);
}

Twin TwinMaker::indexed_block_like(int depth) {
  const Twin of = make(depth - 1);
  TypeRef ours;
  MPI_Datatype theirs = MPI_DATATYPE_NULL;
  const int n = number(0, 5), length = number(1, 3);
  const std::vector<int> places = numbers(n, -12, 20), bytes = numbers(n, -200, 300);
  switch (number(0, 3)) {
    case 0:
      expect(make_indexed_block(Call::plain, n, length, places.data(), of.ours, &ours),
             MPI_Type_create_indexed_block(n, length, places.data(), of.theirs, &theirs));
      break;
    case 1:
      expect(make_indexed_block(Call::large, n, length, counts(places).data(), of.ours, &ours),
             MPI_Type_create_indexed_block_c(n, length, counts(places).data(), of.theirs, &theirs));
      break;
    case 2:
      expect(
          make_hindexed_block(Call::plain, n, length, addresses(bytes).data(), of.ours, &ours),
          MPI_Type_create_hindexed_block(n, length, addresses(bytes).data(), of.theirs, &theirs));
      break;
    default:
      expect(make_hindexed_block(Call::large, n, length, counts(bytes).data(), of.ours, &ours),
             MPI_Type_create_hindexed_block_c(n, length, counts(bytes).data(), of.theirs, &theirs));
  }
  return keep(ours, theirs);
}

Twin TwinMaker::structure(int depth) {
  const int n = number(0, 5);
  std::vector<TypeRef> our_types;
  std::vector<MPI_Datatype> their_types;
  for (int i = 0; i < n; ++i) {
    Twin of = make(number(0, depth - 1));
    if (i > 0 && number(0, 3) == 0) of = {our_types.back(), their_types.back()};
    if (number(0, 15) == 0) of = {predefined(MPI_LB), MPI_LB};
    if (number(0, 15) == 0) of = {predefined(MPI_UB), MPI_UB};
    our_types.push_back(of.ours);
    their_types.push_back(of.theirs);
  }
  const std::vector<int> lengths = numbers(n, 0, 3), bytes = numbers(n, -100, 400);
  TypeRef ours;
  MPI_Datatype theirs = MPI_DATATYPE_NULL;
  if (number(0, 1) == 0) {
    expect(make_struct(Call::plain, n, lengths.data(), addresses(bytes).data(), our_types, &ours),
           MPI_Type_create_struct(n, lengths.data(), addresses(bytes).data(), their_types.data(),
                                  &theirs));
  } else {
    expect(
        make_struct(Call::large, n, counts(lengths).data(), counts(bytes).data(), our_types, &ours),
        MPI_Type_create_struct_c(n, counts(lengths).data(), counts(bytes).data(),
                                 their_types.data(), &theirs));
  }
  return keep(ours, theirs);
}

// Now and then one is 0.
std::vector<int> TwinMaker::array_sizes(int count, int most) {
  std::vector<int> sizes = numbers(count, 1, most);
  for (int& size : sizes) {
    if (number(0, 15) == 0) size = 0;
  }
  return sizes;
}

Twin TwinMaker::subarray(int depth) {
  const Twin of = make(depth - 1);
  const int n = number(1, 3), order = number(0, 1) == 0 ? MPI_ORDER_C : MPI_ORDER_FORTRAN;
  const std::vector<int> sizes = array_sizes(n, 6);
  std::vector<int> subsizes, starts;
  for (const int size : sizes) {
    subsizes.push_back(number(number(0, 7) == 0 ? 0 : std::min(size, 1), size));
    starts.push_back(number(0, size - subsizes.back()));
  }
  TypeRef ours;
  MPI_Datatype theirs = MPI_DATATYPE_NULL;
  if (number(0, 1) == 0) {
    expect(make_subarray(Call::plain, n, sizes.data(), subsizes.data(), starts.data(), order,
                         of.ours, &ours),
           MPI_Type_create_subarray(n, sizes.data(), subsizes.data(), starts.data(), order,
                                    of.theirs, &theirs));
  } else {
    expect(make_subarray(Call::large, n, counts(sizes).data(), counts(subsizes).data(),
                         counts(starts).data(), order, of.ours, &ours),
           MPI_Type_create_subarray_c(n, counts(sizes).data(), counts(subsizes).data(),
                                      counts(starts).data(), order, of.theirs, &theirs));
  }
  return keep(ours, theirs);
}

Twin TwinMaker::darray(int depth) {
  const Twin of = make(depth - 1);
  const int n = number(1, 3), order = number(0, 1) == 0 ? MPI_ORDER_C : MPI_ORDER_FORTRAN;
  const std::vector<int> sizes = array_sizes(n, 7);
  std::vector<int> distributions, arguments, processes;
  int size = 1;
  for (const int g : sizes) {
    const int kinds[] = {MPI_DISTRIBUTE_NONE, MPI_DISTRIBUTE_BLOCK, MPI_DISTRIBUTE_CYCLIC};
    const int kind = kinds[number(0, 2)];
    const int p = kind == MPI_DISTRIBUTE_NONE ? 1 : number(1, 3);
    const bool is_default = number(0, 1) == 0;
    const int least = kind == MPI_DISTRIBUTE_BLOCK ? std::max((g + p - 1) / p, 1) : 1;
    distributions.push_back(kind);
    processes.push_back(p);
    arguments.push_back(is_default ? MPI_DISTRIBUTE_DFLT_DARG : number(least, least + 2));
    size *= p;
  }
  const int rank = number(0, size - 1);
  TypeRef ours;
  MPI_Datatype theirs = MPI_DATATYPE_NULL;
  if (number(0, 1) == 0) {
    expect(make_darray(Call::plain, size, rank, n, sizes.data(), distributions.data(),
                       arguments.data(), processes.data(), order, of.ours, &ours),
           MPI_Type_create_darray(size, rank, n, sizes.data(), distributions.data(),
                                  arguments.data(), processes.data(), order, of.theirs, &theirs));
  } else {
    expect(make_darray(Call::large, size, rank, n, counts(sizes).data(), distributions.data(),
                       arguments.data(), processes.data(), order, of.ours, &ours),
           MPI_Type_create_darray_c(size, rank, n, counts(sizes).data(), distributions.data(),
                                    arguments.data(), processes.data(), order, of.theirs, &theirs));
  }
  return keep(ours, theirs);
}

}  // namespace roam::mpi
