#include "mpi/datatype/elements.h"

namespace roam::mpi {

namespace {

constexpr MPI_Count kWithin = MPI_UNDEFINED;

// Goes down to where the first `*from` of a typed node end, counted by one of its members: past
// what is whole, of which it gives the sum of the other member. What is left of `*from` is in the
// node that it gives, which is no list and no loop, or is all of it.
template <MPI_Count Node::*kFrom, MPI_Count Node::*kTo>
const Node& go_down(const Node& top, MPI_Count* from, MPI_Count* whole) {
  const Node* n = &top;
  while (*from != n->*kFrom) {
    if (n->kind == Node::Kind::loop) {
      *whole += *from / n->child->*kFrom * n->child->*kTo;
      *from %= n->child->*kFrom;
      n = n->child;
    } else if (n->kind == Node::Kind::parts) {
      const Node::Part* p = n->parts;
      for (; *from >= p->node->*kFrom; ++p) {
        *whole += p->node->*kTo;
        *from -= p->node->*kFrom;
      }
      n = p->node;
    } else {
      break;
    }
  }
  return *n;
}

// Elements that the first `bytes` of a typed node are.
MPI_Count elements_in(const Node& top, MPI_Count bytes) {
  MPI_Count elements = 0;
  const Node& n = go_down<&Node::bytes, &Node::elements>(top, &bytes, &elements);
  if (bytes == n.bytes) return elements + n.elements;
  if (bytes == 0) return elements;
  return bytes % n.basic->bytes == 0 ? elements + bytes / n.basic->bytes : kWithin;
}

MPI_Count bytes_in(const Node& top, MPI_Count elements) {
  MPI_Count bytes = 0;
  const Node& n = go_down<&Node::elements, &Node::bytes>(top, &elements, &bytes);
  if (elements == n.elements) return bytes + n.bytes;
  return elements == 0 ? bytes : bytes + elements * n.basic->bytes;
}

}  // namespace

MPI_Count get_count(MPI_Count bytes, const Datatype& type) {
  if (bytes == 0) return 0;
  if (type.size == 0 || bytes % type.size != 0) return MPI_UNDEFINED;
  return bytes / type.size;
}

MPI_Count get_elements(MPI_Count bytes, const Datatype& type) {
  if (bytes == 0) return 0;
  if (type.size == 0) return MPI_UNDEFINED;
  const Node& n = *type.typed.node;
  const MPI_Count rest = elements_in(n, bytes % n.bytes);
  return rest == kWithin ? MPI_UNDEFINED : bytes / n.bytes * n.elements + rest;
}

MPI_Count bytes_of_elements(MPI_Count elements, const Datatype& type) {
  if (elements == 0 || type.size == 0) return 0;
  const Node& n = *type.typed.node;
  return elements / n.elements * n.bytes + bytes_in(n, elements % n.elements);
}

}  // namespace roam::mpi
