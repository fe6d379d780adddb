#include "mpi/datatype/layout.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace roam::mpi {

namespace {

using Wide = __int128;

// Of a node with a basic type. No element grows in external32, so this has 64 bits too.
void count_elements(Node* node) {
  node->elements = node->bytes / node->basic->bytes;
  node->external = node->elements * node->basic->external_bytes;
}

Ref<Node> make_run(MPI_Count bytes, const Basic* basic) {
  auto node = std::make_unique<Node>();
  node->bytes = bytes;
  node->basic = basic;
  if (basic != nullptr) count_elements(node.get());
  return Ref<Node>(node.release());
}

void drop(const Node* node, const Node** unheld) {
  if (!node->holders.drop()) return;
  node->next_unheld = *unheld;
  *unheld = node;
}

}  // namespace

void free_unheld(const Node* first) {
  first->next_unheld = nullptr;
  for (const Node* unheld = first; unheld != nullptr;) {
    const Node* const node = unheld;
    unheld = node->next_unheld;
    if (node->child != nullptr) drop(node->child, &unheld);
    if (node->parts != nullptr) {
      for (MPI_Count i = 0; i < node->count; ++i) drop(node->parts[i].node, &unheld);
    }
    delete[] node->parts;
    delete[] node->pieces;
    delete[] node->offsets;
    delete node;
  }
}

TypeLayout repeat(const TypeLayout& what, MPI_Count count, MPI_Aint stride) {
  if (count == 0 || !what.node) return {};
  if (count == 1) return what;
  const Node& n = *what.node;
  if (n.kind == Node::Kind::run && stride == n.bytes)
    return {what.offset, make_run(n.bytes * count, n.basic)};
  auto loop = std::make_unique<Node>();
  loop->kind = Node::Kind::loop;
  loop->bytes = n.bytes * count;
  loop->elements = n.elements * count;
  loop->external = n.external * count;
  loop->count = count;
  loop->stride = stride;
  loop->child = &n;
  // What goes on in the stride of the loop inside is a longer loop.
  if (n.kind == Node::Kind::loop && Wide(n.stride) * n.count == stride) {
    loop->count *= n.count;
    loop->stride = n.stride;
    loop->child = n.child;
  }
  loop->depth = loop->child->depth + 1;
  loop->child->holders.add();
  return {what.offset, Ref<Node>(loop.release())};
}

void LayoutBuilder::add(MPI_Aint displacement, const TypeLayout& what) {
  if (!what.node) return;
  const MPI_Aint offset = displacement + what.offset;
  const Node& n = *what.node;
  if (n.kind != Node::Kind::run) {
    entries_.push_back({offset, n.bytes, nullptr, what.node});
    return;
  }
  const Basic* basic = typed_ ? n.basic : nullptr;
  if (!entries_.empty()) {
    Entry& last = entries_.back();
    if (!last.node && last.basic == basic && Wide(last.offset) + last.bytes == offset) {
      last.bytes += n.bytes;
      return;
    }
  }
  entries_.push_back({offset, n.bytes, basic, nullptr});
}

TypeLayout LayoutBuilder::one(const Entry& e) const {
  return {e.offset, e.node ? e.node : make_run(e.bytes, e.basic)};
}

// Whether all entries are the same, equally far apart.
bool LayoutBuilder::all_alike(MPI_Aint* stride) const {
  const Entry& first = entries_[0];
  const Wide apart = Wide(entries_[1].offset) - first.offset;
  for (std::size_t i = 1; i < entries_.size(); ++i) {
    const Entry& e = entries_[i];
    if (e.bytes != first.bytes || e.basic != first.basic || !(e.node == first.node)) return false;
    if (Wide(e.offset) - entries_[i - 1].offset != apart) return false;
  }
  *stride = static_cast<MPI_Aint>(apart);
  return *stride == apart;
}

bool LayoutBuilder::all_runs() const {
  return std::all_of(entries_.begin(), entries_.end(),
                     [this](const Entry& e) { return !e.node && e.basic == entries_[0].basic; });
}

bool LayoutBuilder::all_of_one_length() const {
  return std::all_of(entries_.begin(), entries_.end(),
                     [this](const Entry& e) { return e.bytes == entries_[0].bytes; });
}

TypeLayout LayoutBuilder::list_of_blocks() const {
  auto offsets = std::make_unique<MPI_Aint[]>(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i)
    offsets[i] = entries_[i].offset - entries_[0].offset;
  auto node = std::make_unique<Node>();
  node->kind = Node::Kind::blocks;
  node->count = static_cast<MPI_Count>(entries_.size());
  node->basic = entries_[0].basic;
  node->block_bytes = entries_[0].bytes;
  node->bytes = node->block_bytes * node->count;
  if (node->basic != nullptr) count_elements(node.get());
  node->offsets = offsets.release();
  return {entries_[0].offset, Ref<Node>(node.release())};
}

TypeLayout LayoutBuilder::list_of_pieces() const {
  auto pieces = std::make_unique<Node::Piece[]>(entries_.size() + 1);
  auto node = std::make_unique<Node>();
  node->kind = Node::Kind::pieces;
  node->count = static_cast<MPI_Count>(entries_.size());
  node->basic = entries_[0].basic;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    pieces[i] = {entries_[i].offset - entries_[0].offset, node->bytes};
    node->bytes += entries_[i].bytes;
  }
  pieces[entries_.size()] = {0, node->bytes};
  if (node->basic != nullptr) count_elements(node.get());
  node->pieces = pieces.release();
  return {entries_[0].offset, Ref<Node>(node.release())};
}

TypeLayout LayoutBuilder::list_of_parts() const {
  std::vector<Ref<Node>> nodes;
  for (const Entry& e : entries_) nodes.push_back(one(e).node);
  auto parts = std::make_unique<Node::Part[]>(nodes.size());
  auto node = std::make_unique<Node>();
  node->kind = Node::Kind::parts;
  node->count = static_cast<MPI_Count>(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    parts[i] = {entries_[i].offset - entries_[0].offset, node->bytes, nodes[i].get()};
    node->bytes += nodes[i]->bytes;
    node->elements += nodes[i]->elements;
    node->external += nodes[i]->external;
    node->depth = std::max(node->depth, nodes[i]->depth + 1);
  }
  for (Ref<Node>& n : nodes) n->holders.add();
  node->parts = parts.release();
  return {entries_[0].offset, Ref<Node>(node.release())};
}

TypeLayout LayoutBuilder::finish() {
  if (entries_.empty()) return {};
  if (entries_.size() == 1) return one(entries_[0]);
  MPI_Aint stride = 0;
  if (all_alike(&stride)) {
    return repeat(one(entries_[0]), static_cast<MPI_Count>(entries_.size()), stride);
  }
  if (!all_runs()) return list_of_parts();
  return all_of_one_length() ? list_of_blocks() : list_of_pieces();
}

}  // namespace roam::mpi
