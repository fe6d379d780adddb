#include <cstddef>
#include <utility>

#include "mpi/datatype/basic_table.h"
#include "mpi/datatype/datatype.h"

namespace roam::mpi {

namespace {

// All in this file is in every process at the same address, so pointers to it migrate. Nobody frees
// it, at exit neither.

constexpr int basic_index(MPI_Datatype handle) {
  int i = 0;
  while (kBasic[i].handle != handle) ++i;
  return i;
}

constexpr Node run_of(const Basic& b, MPI_Count elements) {
  Node n;
  n.holders = Holders(Holders::kConstant);
  n.basic = &b;
  n.elements = elements;
  n.bytes = b.bytes * elements;
  n.external = b.external_bytes * elements;
  return n;
}

struct BasicRun {
  Node node;
  constexpr explicit BasicRun(std::size_t i) : node(run_of(kBasic[i], 1)) {}
};

template <std::size_t... I>
struct BasicRuns {
  static constexpr BasicRun at[sizeof...(I)] = {BasicRun(I)...};
};
template <std::size_t... I>
constexpr BasicRuns<I...> basic_runs(std::index_sequence<I...>);
using Runs = decltype(basic_runs(std::make_index_sequence<kBasics>()));

// The nodes of a pair: a run of two, or two parts; and as bytes a run if there is no gap.
struct PairNodes {
  Node::Part parts[2]{};
  Node::Piece pieces[3]{};
  Node typed, bytes;

  constexpr explicit PairNodes(std::size_t i) {
    typed.holders = bytes.holders = Holders(Holders::kConstant);
    const Pair& p = kPair[i];
    const int a = basic_index(p.first), b = basic_index(p.second);
    const MPI_Count all = kBasic[a].bytes + kBasic[b].bytes;
    bytes.bytes = all;
    if (p.second_offset != kBasic[a].bytes) {
      bytes.kind = Node::Kind::pieces;
      bytes.count = 2;
      pieces[1] = {p.second_offset, kBasic[a].bytes};
      pieces[2] = {0, all};
      bytes.pieces = pieces;
    }
    if (a == b) {
      typed = run_of(kBasic[a], 2);
      return;
    }
    typed.kind = Node::Kind::parts;
    typed.count = 2;
    typed.bytes = all;
    typed.elements = 2;
    typed.external = kBasic[a].external_bytes + kBasic[b].external_bytes;
    typed.depth = 2;
    parts[0] = {0, 0, &Runs::at[a].node};
    parts[1] = {p.second_offset, kBasic[a].bytes, &Runs::at[b].node};
    typed.parts = parts;
  }
};

template <std::size_t... I>
struct AllPairNodes {
  static constexpr PairNodes at[sizeof...(I)] = {PairNodes(I)...};
};
template <std::size_t... I>
constexpr AllPairNodes<I...> pair_nodes(std::index_sequence<I...>);
using PairLayouts = decltype(pair_nodes(std::make_index_sequence<kPairs>()));

union Predefined {
  Datatype type;

  constexpr explicit Predefined(const Basic& b) : type() {
    begin(b.handle, b.name, b.bytes, b.bytes, b.alignment);
    type.size = b.bytes;
    if (b.bytes == 0) return;
    type.basic = &b;
    type.typed.node = Ref<Node>::constant(&Runs::at[&b - kBasic].node);
    type.bytes.node = Ref<Node>::constant(&Runs::at[&b - kBasic].node);
  }
  constexpr explicit Predefined(std::size_t i) : type() {
    const Pair& p = kPair[i];
    const PairNodes& nodes = PairLayouts::at[i];
    const Basic& second = kBasic[basic_index(p.second)];
    begin(p.handle, p.name, p.extent, p.second_offset + second.bytes, p.alignment);
    type.size = nodes.bytes.bytes;
    const bool alike = p.first == p.second;
    type.typed.node = Ref<Node>::constant(&nodes.typed);
    type.bytes.node = Ref<Node>::constant(alike ? &nodes.typed : &nodes.bytes);
    if (alike) type.basic = &second;
  }
  constexpr ~Predefined() {}

 private:
  constexpr void begin(MPI_Datatype handle, const char* name, MPI_Aint extent, MPI_Aint true_extent,
                       MPI_Aint alignment) {
    type.holders = Holders(Holders::kConstant);
    type.handle = handle;
    type.name = name;
    type.bounds = {0, extent, 0, true_extent};
    type.alignment = alignment;
    type.unit = &type;
  }
};

template <std::size_t... B>
struct BasicTypes {
  static constinit inline Predefined at[sizeof...(B)] = {Predefined(kBasic[B])...};
};
template <std::size_t... B>
constexpr BasicTypes<B...> basic_types(std::index_sequence<B...>);

template <std::size_t... P>
struct PairTypes {
  static constinit inline Predefined at[sizeof...(P)] = {Predefined(P)...};
};
template <std::size_t... P>
constexpr PairTypes<P...> pair_types(std::index_sequence<P...>);

}  // namespace

namespace {

// MPICH numbers the basic types in the last byte of their handles, the pairs too.
constexpr std::size_t kNumbers = 256;
struct ByNumber {
  unsigned char basic[kNumbers]{};  // index + 1
  constexpr ByNumber() {
    for (int i = 0; i < kBasics; ++i)
      basic[kBasic[i].handle & 0xff] = static_cast<unsigned char>(i + 1);
    for (int i = 0; i < kBasics; ++i) {
      if (basic[kBasic[i].handle & 0xff] != i + 1) throw "two types have the same number";
    }
  }
};
constexpr ByNumber kByNumber;

}  // namespace

TypeRef predefined(MPI_Datatype handle) {
  const int i = kByNumber.basic[handle & 0xff] - 1;
  if (i >= 0 && kBasic[i].handle == handle)
    return TypeRef(&decltype(basic_types(std::make_index_sequence<kBasics>()))::at[i].type);
  for (const Predefined& p : decltype(pair_types(std::make_index_sequence<kPairs>()))::at) {
    if (p.type.handle == handle) return TypeRef(&p.type);
  }
  return nullptr;
}

}  // namespace roam::mpi
