#ifndef ROAM_MPI_DATATYPE_WALK_H_
#define ROAM_MPI_DATATYPE_WALK_H_

#include <algorithm>
#include <vector>

#include "mpi/datatype/datatype.h"

namespace roam::mpi {

// Goes through a layout in the order of packing. An Action has
//
//   void run(MPI_Aint at, MPI_Count bytes, const Basic* basic);
//       bytes in a row; in a typed layout whole or cut elements of `basic`
//   void runs(MPI_Aint at, MPI_Aint stride, MPI_Count count, MPI_Count bytes, const Basic* basic);
//       `count` such, `stride` apart
//   void blocks(MPI_Aint at, const MPI_Aint* offsets, MPI_Count count, MPI_Count bytes,
//               const Basic* basic);
//   void pieces(MPI_Aint at, const Node::Piece* pieces, MPI_Count count, const Basic* basic);
//       whole ones, as in Node
//
// `at` counts from the buffer.
template <class Action>
class Walk {
 public:
  explicit Walk(Action& action) : action_(action) {}

  // All of `n`, which begins at `at`.
  void whole(const Node& n, MPI_Aint at) {
    switch (n.kind) {
      case Node::Kind::run:
        return action_.run(at, n.bytes, n.basic);
      case Node::Kind::loop:
        return turns(n, at, n.count);
      case Node::Kind::blocks:
        return action_.blocks(at, n.offsets, n.count, n.block_bytes, n.basic);
      case Node::Kind::pieces:
        return action_.pieces(at, n.pieces, n.count, n.basic);
      case Node::Kind::parts:
        for (MPI_Count i = 0; i < n.count; ++i) whole(*n.parts[i].node, at + n.parts[i].offset);
    }
  }

  // The packed bytes [from, from + bytes) of it.
  void some(const Node& n, MPI_Aint at, MPI_Count from, MPI_Count bytes) {
    if (bytes == 0) return;
    if (bytes == n.bytes) return whole(n, at);
    switch (n.kind) {
      case Node::Kind::run:
        return action_.run(at + from, bytes, n.basic);
      case Node::Kind::loop:
        return some_turns(n, at, from, bytes);
      case Node::Kind::blocks:
        return some_blocks(n, at, from, bytes);
      case Node::Kind::pieces:
        return some_pieces(n, at, from, bytes);
      case Node::Kind::parts:
        return some_parts(n, at, from, bytes);
    }
  }

  // The same, with a frame in memory for each node on the way, of those that are loops or lists.
  void some_of_deep(const Node& n, MPI_Aint at, MPI_Count from, MPI_Count bytes) {
    std::vector<Left> way{{&n, at, from, bytes}};
    while (!way.empty()) {
      Left& left = way.back();
      if (left.bytes == 0) {
        way.pop_back();
        continue;
      }
      const Node& node = *left.node;
      if (node.depth <= kMostFrames) {
        const Left all = left;
        way.pop_back();
        some(node, all.at, all.from, all.bytes);
        continue;
      }
      way.push_back(next_of(&left));
    }
  }

  // Deeper layouts are gone through with frames in memory: on a stack of 64 KiB there is room for
  // so many.
  static constexpr int kMostFrames = 64;

 private:
  struct Left {
    const Node* node;
    MPI_Aint at;
    MPI_Count from, bytes;
  };

  // Takes what comes next off what is left of a loop or a list.
  static Left next_of(Left* left) {
    const Node& n = *left->node;
    Left next{n.child, left->at, 0, 0};
    if (n.kind == Node::Kind::loop) {
      next.at += left->from / n.child->bytes * n.stride;
      next.from = left->from % n.child->bytes;
    } else {
      const Node::Part& p = part_at(n, left->from);
      next = {p.node, left->at + p.offset, left->from - p.before, 0};
    }
    next.bytes = std::min(left->bytes, next.node->bytes - next.from);
    left->from += next.bytes;
    left->bytes -= next.bytes;
    return next;
  }

  static const Node::Part& part_at(const Node& n, MPI_Count from) {
    return *(std::upper_bound(n.parts, n.parts + n.count, from,
                              [](MPI_Count b, const Node::Part& part) { return b < part.before; }) -
             1);
  }

  void turns(const Node& loop, MPI_Aint at, MPI_Count count) {
    const Node& child = *loop.child;
    if (child.kind == Node::Kind::run)
      return action_.runs(at, loop.stride, count, child.bytes, child.basic);
    for (MPI_Count i = 0; i < count; ++i) whole(child, at + i * loop.stride);
  }

  void some_turns(const Node& n, MPI_Aint at, MPI_Count from, MPI_Count bytes) {
    const MPI_Count each = n.child->bytes;
    at += from / each * n.stride;
    if (const MPI_Count skipped = from % each; skipped != 0) {
      const MPI_Count now = std::min(bytes, each - skipped);
      some(*n.child, at, skipped, now);
      bytes -= now;
      at += n.stride;
    }
    const MPI_Count full = bytes / each;
    turns(n, at, full);
    some(*n.child, at + full * n.stride, 0, bytes % each);
  }

  void some_blocks(const Node& n, MPI_Aint at, MPI_Count from, MPI_Count bytes) {
    const MPI_Count each = n.block_bytes;
    MPI_Count i = from / each;
    if (const MPI_Count skipped = from % each; skipped != 0) {
      const MPI_Count now = std::min(bytes, each - skipped);
      action_.run(at + n.offsets[i] + skipped, now, n.basic);
      bytes -= now;
      ++i;
    }
    const MPI_Count full = bytes / each;
    action_.blocks(at, n.offsets + i, full, each, n.basic);
    if (const MPI_Count rest = bytes % each; rest != 0)
      action_.run(at + n.offsets[i + full], rest, n.basic);
  }

  void some_pieces(const Node& n, MPI_Aint at, MPI_Count from, MPI_Count bytes) {
    const Node::Piece* p =
        std::upper_bound(n.pieces, n.pieces + n.count, from,
                         [](MPI_Count b, const Node::Piece& piece) { return b < piece.before; }) -
        1;
    if (const MPI_Count skipped = from - p->before; skipped != 0) {
      const MPI_Count now = std::min(bytes, p[1].before - from);
      action_.run(at + p->offset + skipped, now, n.basic);
      bytes -= now;
      from += now;
      ++p;
    }
    if (bytes == 0) return;
    // `last` is cut, or is the end.
    const Node::Piece* last =
        std::upper_bound(p, n.pieces + n.count, from + bytes,
                         [](MPI_Count b, const Node::Piece& piece) { return b < piece.before; }) -
        1;
    if (from + bytes == n.bytes) last = n.pieces + n.count;
    action_.pieces(at, p, last - p, n.basic);
    if (const MPI_Count rest = from + bytes - last->before; rest != 0)
      action_.run(at + last->offset, rest, n.basic);
  }

  void some_parts(const Node& n, MPI_Aint at, MPI_Count from, MPI_Count bytes) {
    for (const Node::Part* p = &part_at(n, from); bytes != 0; ++p) {
      const MPI_Count skipped = from - p->before;
      const MPI_Count now = std::min(bytes, p->node->bytes - skipped);
      some(*p->node, at + p->offset, skipped, now);
      bytes -= now;
      from += now;
    }
  }

  Action& action_;
};

// Goes through the packed bytes [from, from + bytes) of `count` of a type of this extent, whose
// layout is one of the type's two.
template <class Action>
void walk(const TypeLayout& layout, MPI_Aint extent, MPI_Count count, MPI_Count from,
          MPI_Count bytes, Action& action) {
  if (bytes == 0) return;
  Walk<Action> w(action);
  const Node& n = *layout.node;
  const bool is_deep = n.depth > Walk<Action>::kMostFrames;
  if (count == 1)
    return is_deep ? w.some_of_deep(n, layout.offset, from, bytes)
                   : w.some(n, layout.offset, from, bytes);
  if (n.kind == Node::Kind::run && n.bytes == extent)
    return action.run(layout.offset + from, bytes, n.basic);
  Node all;
  all.kind = Node::Kind::loop;
  all.count = count;
  all.stride = extent;
  all.child = &n;
  all.bytes = n.bytes * count;
  // One loop where two would do the same.
  if (n.kind == Node::Kind::loop && static_cast<__int128>(n.stride) * n.count == extent) {
    all.count *= n.count;
    all.stride = n.stride;
    all.child = n.child;
  }
  all.depth = all.child->depth + 1;
  if (is_deep) return w.some_of_deep(all, layout.offset, from, bytes);
  w.some(all, layout.offset, from, bytes);
}

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_WALK_H_
