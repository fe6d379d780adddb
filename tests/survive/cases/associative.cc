// set, map, multiset, multimap and their unordered kin.
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"
#include "tests/survive/cases/like_new.h"

namespace roam_test {
namespace {

template <class Set>
void set_case(Mover& move, int count) {
  expect_like_new(
      move,
      [count](Random& rng) {
        Set set;
        for (int i = 0; i < count; ++i) set.insert(rng.text(rng.below(5) * 5));
        return set;
      },
      [count](Set& set, Random& rng) {
        for (int i = 0; i < count / 2; ++i) {
          set.erase(set.begin());
          set.insert(rng.text(rng.below(30)));
        }
      });
}

template <class Map>
void map_case(Mover& move, int count) {
  expect_like_new(
      move,
      [count](Random& rng) {
        Map map;
        for (int i = 0; i < count; ++i) {
          const std::uint64_t key = rng.below(count);
          map.insert({key, rng.text(rng.below(30))});
        }
        return map;
      },
      [count](Map& map, Random& rng) {
        for (int i = 0; i < count; ++i) {
          map.erase(rng.below(count));
          const std::uint64_t key = rng.below(2 * count);
          map.insert({key, rng.text(rng.below(30))});
        }
      });
}

SURVIVE_CASE(set) { set_case<std::set<std::string>>(move, 2000); }
SURVIVE_CASE(set_with_another_order) {
  set_case<std::set<std::string, std::greater<>>>(move, 2000);
}
SURVIVE_CASE(multiset) { set_case<std::multiset<std::string>>(move, 2000); }
SURVIVE_CASE(unordered_set) { set_case<std::unordered_set<std::string>>(move, 2000); }
SURVIVE_CASE(unordered_multiset) { set_case<std::unordered_multiset<std::string>>(move, 2000); }
SURVIVE_CASE(map) { map_case<std::map<std::uint64_t, std::string>>(move, 2000); }
SURVIVE_CASE(multimap) { map_case<std::multimap<std::uint64_t, std::string>>(move, 2000); }
SURVIVE_CASE(unordered_map) {
  map_case<std::unordered_map<std::uint64_t, std::string>>(move, 2000);
}
SURVIVE_CASE(unordered_multimap) {
  map_case<std::unordered_multimap<std::uint64_t, std::string>>(move, 2000);
}

SURVIVE_CASE(map_of_maps_of_vectors) {
  using Inner = std::map<std::string, std::vector<std::uint64_t>>;
  expect_like_new(
      move,
      [](Random& rng) {
        std::unordered_map<std::string, Inner> outer;
        for (int i = 0; i < 50; ++i) {
          Inner& inner = outer[rng.text(20)];
          for (int j = 0; j < 20; ++j) {
            auto& values = inner[rng.text(rng.below(30))];
            for (int k = 0; k < 10; ++k) values.push_back(rng.next());
          }
        }
        return outer;
      },
      [](auto& outer, Random& rng) {
        outer.rehash(1000);
        outer[rng.text(25)][rng.text(3)].assign(1000, rng.next());
      });
}

SURVIVE_CASE(node_handles_and_hints_held_over_the_move) {
  Random rng(move.seed());
  std::map<std::uint64_t, std::string> map;
  for (std::uint64_t i = 0; i < 1000; ++i) map[i * 2] = rng.text(25);
  auto hint = map.find(500);
  auto node = map.extract(100);  // in no container while it moves
  const std::string text = node.mapped();
  std::unordered_map<std::string, std::uint64_t> hashed;
  for (const auto& [key, value] : map) hashed[value] = key;
  auto at = hashed.find(map[998]);
  const std::size_t bucket = hashed.bucket(at->first);
  move();
  expect_eq(node.key(), std::uint64_t{100}, "key of the extracted node");
  expect_eq(node.mapped(), text, "value of the extracted node");
  node.key() = 501;
  hint = map.insert(std::next(hint), std::move(node));
  expect_eq(std::prev(hint)->first, std::uint64_t{500}, "key before the node that was put back");
  expect_eq(at->second, std::uint64_t{998}, "what the unordered map's iterator points at");
  expect_eq(hashed.bucket(at->first), bucket, "bucket of a string");
  for (const auto& [text, key] : hashed) {
    if (key != 100) expect_eq(map.at(key), text, "value under a key");
  }
}

}  // namespace
}  // namespace roam_test
