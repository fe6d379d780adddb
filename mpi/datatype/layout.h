#ifndef ROAM_MPI_DATATYPE_LAYOUT_H_
#define ROAM_MPI_DATATYPE_LAYOUT_H_

#include <vector>

#include "mpi/datatype/abi.h"
#include "mpi/datatype/basic.h"
#include "mpi/datatype/ref.h"

namespace roam::mpi {

// Where the bytes of a datatype lie, in the order in which they are packed: loops of loops of runs
// of bytes. The first packed byte of a node lies at its beginning, 0; others may lie before it.
//
//   run      `bytes` bytes in a row
//   loop     `count` times `child`, `stride` bytes apart
//   blocks   `count` runs of `block_bytes`, at offsets[i]
//   pieces   `count` runs, at pieces[i].offset, of pieces[i + 1].before - pieces[i].before bytes
//   parts    `count` nodes, at parts[i].offset
//
// There are nodes of two sorts. In those of bytes neighbours are one run, whatever they are. In
// typed ones a run (or all those of a node) is of one basic type, and elements are counted.
// Each loop has at least two turns and each list at least two entries, and nothing in them is
// empty. A layout may still be as deep as a program makes types of types: `depth` tells, and who
// goes through one has no frame on the stack for each node of a deep one.
struct Node {
  enum class Kind : unsigned char { run, loop, blocks, pieces, parts };
  struct Piece {
    MPI_Aint offset;
    MPI_Count before;  // packed bytes of the pieces before it
  };
  struct Part {
    MPI_Aint offset;
    MPI_Count before;
    const Node* node;
  };

  Holders holders;
  Kind kind = Kind::run;
  const Basic* basic = nullptr;  // of a run, of blocks or pieces; null: bytes of any kind
  MPI_Count bytes = 0;           // packed
  MPI_Count elements = 0;        // basic ones, in a typed node
  MPI_Count external = 0;        // bytes in external32, of a typed node
  MPI_Count count = 1;
  MPI_Aint stride = 0;
  MPI_Count block_bytes = 0;
  const Node* child = nullptr;
  const MPI_Aint* offsets = nullptr;
  const Piece* pieces = nullptr;  // count + 1: the last has `before` only
  const Part* parts = nullptr;
  int depth = 1;                              // nodes on the longest way down
  mutable const Node* next_unheld = nullptr;  // see free_unheld
};

// Frees the node, and what only it holds, however deep that is.
void free_unheld(const Node* node);

// A node, and where it begins. No node: nothing is in it.
struct TypeLayout {
  MPI_Aint offset = 0;
  Ref<Node> node;

  MPI_Count bytes() const { return node ? node->bytes : 0; }
};

// `count` times `what`, `stride` apart. All bytes lie within 64 bits, and there are less than 2^63.
TypeLayout repeat(const TypeLayout& what, MPI_Count count, MPI_Aint stride);

// A layout of others behind each other.
class LayoutBuilder {
 public:
  // Typed nodes, or such of bytes.
  explicit LayoutBuilder(bool typed) : typed_(typed) {}

  // Appends `what`, moved by `displacement`.
  void add(MPI_Aint displacement, const TypeLayout& what);
  TypeLayout finish();

 private:
  struct Entry {
    MPI_Aint offset;
    MPI_Count bytes;
    const Basic* basic;  // of a run
    Ref<Node> node;      // none: a run
  };
  TypeLayout one(const Entry& e) const;
  bool all_alike(MPI_Aint* stride) const;
  bool all_runs() const;
  bool all_of_one_length() const;
  TypeLayout list_of_blocks() const;
  TypeLayout list_of_pieces() const;
  TypeLayout list_of_parts() const;

  bool typed_;
  std::vector<Entry> entries_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_LAYOUT_H_
