// Trees and graphs by raw pointer.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

struct Node {
  std::uint64_t key;
  Node* parent = nullptr;
  Node* left = nullptr;
  Node* right = nullptr;
};

Node** place_of(Node** root, std::uint64_t key, Node** parent) {
  *parent = nullptr;
  while (*root != nullptr && (*root)->key != key) {
    *parent = *root;
    root = key < (*root)->key ? &(*root)->left : &(*root)->right;
  }
  return root;
}

void insert(Node** root, std::uint64_t key) {
  Node* parent;
  Node** place = place_of(root, key, &parent);
  if (*place == nullptr) *place = new Node{key, parent};
}

void in_order(const Node* node, const Node* parent, std::vector<std::uint64_t>& keys) {
  if (node == nullptr) return;
  expect(node->parent == parent, "the parent pointer agrees");
  in_order(node->left, node, keys);
  keys.push_back(node->key);
  in_order(node->right, node, keys);
}

void destroy(Node* node) {
  if (node == nullptr) return;
  destroy(node->left);
  destroy(node->right);
  delete node;
}

SURVIVE_CASE(binary_tree_with_parent_pointers) {
  Node* root = nullptr;
  Random rng(move.seed());
  for (int i = 0; i < 3000; ++i) insert(&root, rng.next());
  move();
  for (int i = 0; i < 1000; ++i) insert(&root, rng.next());
  Random again(move.seed());
  std::vector<std::uint64_t> want(4000);
  for (std::uint64_t& key : want) key = again.next();
  std::sort(want.begin(), want.end());
  std::vector<std::uint64_t> got;
  in_order(root, nullptr, got);
  expect(got == want, "an in-order walk finds the keys that were put in");
  destroy(root);
}

struct Directory {
  std::string name;
  Directory* up;
  std::vector<std::unique_ptr<Directory>> inside;

  std::string path() const { return up == nullptr ? name : up->path() + "/" + name; }
};

void grow(Directory* at, int depth, Random& rng, std::vector<std::string>& paths,
          std::vector<const Directory*>& all) {
  all.push_back(at);
  paths.push_back(at->path());
  if (depth == 0) return;
  const std::uint64_t count = rng.between(1, 6);
  for (std::uint64_t i = 0; i < count; ++i) {
    at->inside.push_back(
        std::make_unique<Directory>(Directory{rng.text(rng.between(1, 40)), at, {}}));
    grow(at->inside.back().get(), depth - 1, rng, paths, all);
  }
}

SURVIVE_CASE(tree_of_strings_that_own_their_children) {
  Random rng(move.seed());
  auto root = std::make_unique<Directory>(Directory{"root", nullptr, {}});
  std::vector<std::string> paths;
  std::vector<const Directory*> all;
  grow(root.get(), 5, rng, paths, all);
  move();
  for (std::size_t i = 0; i < all.size(); ++i) {
    expect_eq(all[i]->path(), paths[i], "path of a directory");
  }
}

struct Vertex {
  std::uint64_t value;
  std::vector<Vertex*> edges;  // to anywhere, itself too
};

SURVIVE_CASE(graph_with_cycles) {
  constexpr std::size_t kVertices = 1000;
  Random rng(move.seed());
  std::vector<Vertex*> all;
  for (std::size_t i = 0; i < kVertices; ++i) all.push_back(new Vertex{rng.next(), {}});
  for (Vertex* from : all) {
    for (int i = 0; i < 5; ++i) from->edges.push_back(all[rng.below(kVertices)]);
  }
  // A walk that chooses each edge by what it has seen: one wrong pointer or value and it ends
  // elsewhere.
  auto walk = [&] {
    std::uint64_t seen = 0;
    Vertex* at = all[0];
    for (int i = 0; i < 20000; ++i) {
      seen = mix(seen ^ at->value);
      at = at->edges[seen % at->edges.size()];
    }
    return seen;
  };
  const std::uint64_t before = walk();
  move();
  expect_eq(walk(), before, "what a walk over the graph saw");
  for (Vertex* vertex : all) delete vertex;
}

}  // namespace
}  // namespace roam_test
