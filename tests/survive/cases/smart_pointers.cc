// shared_ptr, weak_ptr, unique_ptr and what hangs on them.
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

struct Counted {
  Counted(std::uint64_t v, int* alive) : value(v), alive_(alive) { ++*alive_; }
  ~Counted() { --*alive_; }
  Counted(const Counted&) = delete;
  std::uint64_t value;
  int* alive_;
};

SURVIVE_CASE(shared_ptrs_and_weak_ptrs) {
  int alive = 0;
  {
    std::vector<std::shared_ptr<Counted>> shared;
    std::vector<std::weak_ptr<Counted>> weak;
    for (std::uint64_t i = 0; i < 300; ++i) {
      shared.push_back(i % 2 ? std::make_shared<Counted>(i, &alive)
                             : std::shared_ptr<Counted>(new Counted(i, &alive)));
      weak.push_back(shared.back());
      if (i % 3 == 0) shared.push_back(shared.back());
      if (i % 5 == 0) shared.push_back(nullptr);
    }
    expect_eq(alive, 300, "objects before the move");
    move();
    expect_eq(alive, 300, "objects after the move");
    for (std::uint64_t i = 0; i < 300; ++i) {
      expect_eq(weak[i].use_count(), i % 3 == 0 ? 2L : 1L, "use_count");
      expect_eq(weak[i].lock()->value, i, "value through a weak_ptr");
    }
    shared.erase(shared.begin(), shared.begin() + shared.size() / 2);
    move();
    int expired = 0;
    for (const auto& w : weak) expired += w.expired();
    expect_eq(300 - expired, alive, "weak_ptrs that have not expired");
    expect(expired > 100, "many have expired");
  }
  expect_eq(alive, 0, "objects at the end");
}

struct Member : std::enable_shared_from_this<Member> {
  std::uint64_t number = 0;
  std::string text;
  std::weak_ptr<Member> parent;
  std::vector<std::shared_ptr<Member>> children;
};

SURVIVE_CASE(shared_tree_with_weak_parents_and_aliases) {
  Random rng(move.seed());
  auto root = std::make_shared<Member>();
  std::vector<std::shared_ptr<std::string>>
      aliases;  // share ownership of the member that holds the string
  std::vector<std::shared_ptr<Member>> all{root};
  for (std::uint64_t i = 1; i < 500; ++i) {
    auto child = std::make_shared<Member>();
    auto parent = all[rng.below(all.size())];
    child->number = i;
    child->text = rng.text(rng.below(40));
    child->parent = parent;
    parent->children.push_back(child);
    aliases.emplace_back(child, &child->text);
    all.push_back(std::move(child));
  }
  all.clear();
  move();
  std::map<std::uint64_t, const std::string*> seen;
  std::function<void(const Member&)> walk = [&](const Member& member) {
    for (const auto& child : member.children) {
      expect(child->parent.lock().get() == &member, "the parent agrees");
      expect(child->shared_from_this() == child, "shared_from_this");
      seen[child->number] = &child->text;
      walk(*child);
    }
  };
  walk(*root);
  root.reset();  // the aliases keep each member, and so its children, alive
  Random again(move.seed());
  for (std::uint64_t i = 1; i < 500; ++i) {
    again.below(i);
    expect_eq(*aliases[i - 1], again.text(again.below(40)), "text of a member");
    expect_eq(seen.at(i), aliases[i - 1].get(), "address of the text");
  }
}

SURVIVE_CASE(deleters_of_all_kinds) {
  std::string log;
  {
    auto closing = [&log](int* p) {
      const std::unique_ptr<int> owned(p);
      log += "lambda" + std::to_string(*owned) + ";";
    };
    std::unique_ptr<int, decltype(closing)> with_lambda(new int(1), closing);
    std::unique_ptr<int, void (*)(void*)> with_free(static_cast<int*>(std::malloc(sizeof(int))),
                                                    std::free);
    std::unique_ptr<int, std::function<void(int*)>> with_function(new int(2), closing);
    std::shared_ptr<int> shared(new int(3), closing);
    std::shared_ptr<void> erased = shared;
    auto array = std::make_shared<std::string[]>(50);
    for (int i = 0; i < 50; ++i) array[i] = std::string(i, 'a');
    *with_free = 7;
    move();
    expect_eq(*with_free, 7, "malloc'ed int");
    for (int i = 0; i < 50; ++i) expect_eq(array[i], std::string(i, 'a'), "string of the array");
    expect_eq(*std::static_pointer_cast<int>(erased), 3, "int behind shared_ptr<void>");
    expect(std::get_deleter<decltype(closing)>(shared) != nullptr, "get_deleter");
  }
  expect_eq(log, "lambda3;lambda2;lambda1;", "deleters that ran, in turn");
}

}  // namespace
}  // namespace roam_test
