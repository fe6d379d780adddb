#include "mpi/datatype/elements.h"

namespace roam::mpi {

namespace {

constexpr MPI_Count kWithin = MPI_UNDEFINED;

// Elements that the first `bytes` of a typed node are.
MPI_Count elements_in(const Node& n, MPI_Count bytes) {
  if (bytes == n.bytes) return n.elements;
  switch (n.kind) {
    case Node::Kind::run:
    case Node::Kind::blocks:
    case Node::Kind::pieces:
      return bytes % n.basic->bytes == 0 ? bytes / n.basic->bytes : kWithin;
    case Node::Kind::loop: {
      const MPI_Count rest = elements_in(*n.child, bytes % n.child->bytes);
      return rest == kWithin ? kWithin : bytes / n.child->bytes * n.child->elements + rest;
    }
    case Node::Kind::parts:
      break;
  }
  MPI_Count elements = 0;
  const Node::Part* p = n.parts;
  for (; bytes >= p->node->bytes; ++p) {
    elements += p->node->elements;
    bytes -= p->node->bytes;
  }
  const MPI_Count rest = elements_in(*p->node, bytes);
  return rest == kWithin ? kWithin : elements + rest;
}

MPI_Count bytes_in(const Node& n, MPI_Count elements) {
  if (elements == n.elements) return n.bytes;
  switch (n.kind) {
    case Node::Kind::run:
    case Node::Kind::blocks:
    case Node::Kind::pieces:
      return elements * n.basic->bytes;
    case Node::Kind::loop:
      return elements / n.child->elements * n.child->bytes +
             bytes_in(*n.child, elements % n.child->elements);
    case Node::Kind::parts:
      break;
  }
  MPI_Count bytes = 0;
  const Node::Part* p = n.parts;
  for (; elements >= p->node->elements; ++p) {
    elements -= p->node->elements;
    bytes += p->node->bytes;
  }
  return bytes + bytes_in(*p->node, elements);
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
