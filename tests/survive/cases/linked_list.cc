// Lists whose nodes lie in the heap, on the stack, and point at each other by raw pointer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

struct Single {
  std::uint64_t value;
  Single* next;
};

SURVIVE_CASE(singly_linked_list) {
  Random rng(move.seed());
  Single* head = nullptr;
  Single** tail = &head;
  for (int i = 0; i < 5000; ++i) {
    *tail = new Single{rng.next(), nullptr};
    tail = &(*tail)->next;
  }
  move();
  // `tail` points into the last node: append through it.
  for (int i = 0; i < 1000; ++i) {
    *tail = new Single{rng.next(), nullptr};
    tail = &(*tail)->next;
  }
  Random again(move.seed());
  int count = 0;
  while (head != nullptr) {
    expect_eq(head->value, again.next(), "value of a node");
    Single* next = head->next;
    delete head;
    head = next;
    ++count;
  }
  expect_eq(count, 6000, "nodes");
}

struct Ring {
  Ring* previous;
  Ring* next;
  std::uint64_t value;
};

void insert_before(Ring* at, Ring* node) {
  node->previous = at->previous;
  node->next = at;
  at->previous->next = node;
  at->previous = node;
}

// The sentinel is on the stack, the nodes in the heap: both sides hold pointers to the other.
SURVIVE_CASE(circular_list_with_its_sentinel_on_the_stack) {
  Random rng(move.seed());
  Ring sentinel{&sentinel, &sentinel, 0};
  for (int i = 0; i < 3000; ++i) insert_before(&sentinel, new Ring{nullptr, nullptr, rng.next()});
  move();
  Random again(move.seed());
  int count = 0;
  for (Ring* node = sentinel.next; node != &sentinel; node = node->next) {
    expect(node->next->previous == node && node->previous->next == node, "both links agree");
    expect_eq(node->value, again.next(), "value of a node");
    ++count;
  }
  expect_eq(count, 3000, "nodes");
  while (sentinel.next != &sentinel) {
    Ring* gone = sentinel.next;
    gone->previous->next = gone->next;
    gone->next->previous = gone->previous;
    delete gone;
  }
}

struct Xor {
  std::uintptr_t both;  // previous ^ next: no word of it looks like an address
  std::uint64_t value;
};

SURVIVE_CASE(list_whose_links_are_the_xor_of_two_addresses) {
  Random rng(move.seed());
  Xor* head = nullptr;
  Xor* last = nullptr;
  for (int i = 0; i < 2000; ++i) {
    auto* node = new Xor{reinterpret_cast<std::uintptr_t>(last), rng.next()};
    if (last != nullptr) last->both ^= reinterpret_cast<std::uintptr_t>(node);
    (head == nullptr ? head : last) = node;
    last = node;
  }
  move();
  Random again(move.seed());
  std::uintptr_t previous = 0;
  int count = 0;
  for (Xor* node = head; node != nullptr; ++count) {
    expect_eq(node->value, again.next(), "value of a node");
    auto* next = reinterpret_cast<Xor*>(node->both ^ previous);
    previous = reinterpret_cast<std::uintptr_t>(node);
    if (next == nullptr) expect(node == last, "the walk ends at the last node");
    node = next;
  }
  expect_eq(count, 2000, "nodes");
  previous = 0;
  for (Xor* node = head; node != nullptr;) {
    auto* next = reinterpret_cast<Xor*>(node->both ^ previous);
    previous = reinterpret_cast<std::uintptr_t>(node);
    delete node;
    node = next;
  }
}

struct Frame {
  Frame* caller;
  std::uint64_t value;
};

void verify_frames(const Frame* frame, std::uint64_t seed) {
  for (; frame != nullptr; frame = frame->caller) {
    expect_eq(frame->value, mix(seed ^ reinterpret_cast<std::uintptr_t>(frame)),
              "value of a node in a frame");
  }
}

[[gnu::noinline]] void descend(Frame* caller, int depth, Mover& move) {
  Frame mine{caller, 0};
  mine.value = mix(move.seed() ^ reinterpret_cast<std::uintptr_t>(&mine));
  if (depth == 0) {
    move();
  } else {
    descend(&mine, depth - 1, move);
  }
  verify_frames(&mine, move.seed());
}

SURVIVE_CASE(list_that_runs_through_the_frames_of_a_stack) { descend(nullptr, 100, move); }

struct Level {
  std::uint64_t value;
  Level* next;
  Level* lane[];  // as many as the node is high: a flexible array, so sizes differ
};

// A skip list: nodes of many sizes, with many pointers to each.
SURVIVE_CASE(skip_list) {
  constexpr int kHeight = 8;
  Random rng(move.seed());
  auto make = [](std::uint64_t value) {
    void* memory = std::malloc(sizeof(Level) + kHeight * sizeof(Level*));
    auto* node = new (memory) Level{};
    node->value = value;
    for (int i = 0; i < kHeight; ++i) node->lane[i] = nullptr;
    return node;
  };
  Level* head = make(0);
  auto insert = [&](std::uint64_t value) {
    Level* node = make(value);
    const int height = 1 + static_cast<int>(rng.below(kHeight));
    Level* at = head;
    for (int level = kHeight - 1; level >= 0; --level) {
      while (at->lane[level] != nullptr && at->lane[level]->value < value) at = at->lane[level];
      if (level >= height) continue;
      node->lane[level] = at->lane[level];
      at->lane[level] = node;
    }
  };
  std::uint64_t sum = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t value = rng.next() >> 8;
    sum += value;
    insert(value);
    if (i == 1000) move();
  }
  for (int level = 0; level < kHeight; ++level) {
    std::uint64_t last = 0;
    for (Level* at = head->lane[level]; at != nullptr; at = at->lane[level]) {
      expect(at->value >= last, "each lane is sorted");
      last = at->value;
    }
  }
  for (Level* at = head->lane[0]; at != nullptr;) {
    sum -= at->value;
    Level* next = at->lane[0];
    std::free(at);
    at = next;
  }
  std::free(head);
  expect_eq(sum, std::uint64_t{0}, "values put in less values found");
}

}  // namespace
}  // namespace roam_test
