// Runs the survive cases: each in every mode, one at a time or (--at-once) all of them together.
//
//   survive [--group=usual|heavy|large|setjmp] [--cases=PART,PART] [--without=PART,PART]
//   [--modes=MODE,MODE] [--seed=N] [--at-once] [--list] [--folder=DIR]
//
// DIR: of checkpoints, which the modes checkpoint and restart make. In the mode restart, all cases
// are under way when the job is killed, and end in one that is started with ROAM_RESTART=DIR.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

struct Options {
  Group group = Group::usual;
  std::vector<std::string> parts;  // of case names; none: all
  std::vector<std::string> without;
  std::vector<Mode> modes{all_modes().begin(), all_modes().end()};
  std::uint64_t seed = 20261122;
  bool at_once = false;
  bool list = false;
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return parts;
}

Group group_from(std::string_view name) {
  if (name == "usual") return Group::usual;
  if (name == "heavy") return Group::heavy;
  if (name == "large") return Group::large;
  if (name == "setjmp") return Group::setjmp;
  throw std::invalid_argument("no group \"" + std::string(name) + "\"");
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    auto value = [&](std::string_view key) {
      return arg.starts_with(key) ? std::string(arg.substr(key.size())) : std::string();
    };
    if (arg == "--at-once") {
      options.at_once = true;
    } else if (arg == "--list") {
      options.list = true;
    } else if (auto group = value("--group="); !group.empty()) {
      options.group = group_from(group);
    } else if (auto parts = value("--cases="); !parts.empty()) {
      options.parts = split(parts);
    } else if (auto without = value("--without="); !without.empty()) {
      options.without = split(without);
    } else if (auto folder = value("--folder="); !folder.empty()) {
      checkpoint_folder = folder;
    } else if (auto seed = value("--seed="); !seed.empty()) {
      options.seed = std::stoull(seed);
    } else if (auto modes = value("--modes="); !modes.empty()) {
      options.modes.clear();
      for (const std::string& mode : split(modes)) options.modes.push_back(mode_from(mode));
    } else {
      throw std::invalid_argument("unknown argument " + std::string(arg));
    }
  }
  for (const Mode mode : options.modes) {
    if ((mode == Mode::checkpoint || mode == Mode::restart) && checkpoint_folder.empty())
      throw std::invalid_argument(std::string(to_string(mode)) + " wants --folder=DIR");
    if (mode == Mode::restart && !options.at_once)
      throw std::invalid_argument("restart wants --at-once");
  }
  return options;
}

bool chosen(const Case& one, const Options& options) {
  const auto has_one_of = [&one](const std::vector<std::string>& parts) {
    return std::any_of(parts.begin(), parts.end(), [&one](const std::string& part) {
      return std::string_view(one.name).find(part) != std::string_view::npos;
    });
  };
  return one.group == options.group && !has_one_of(options.without) &&
         (options.parts.empty() || has_one_of(options.parts));
}

std::uint64_t seed_of(std::uint64_t seed, const Case& one) {
  for (const char* c = one.name; *c; ++c) seed = mix(seed ^ static_cast<unsigned char>(*c));
  return seed;
}

// Takes the code's address, which is the same on every rank; the list of cases is each rank's own.
void run_case(void (*body)(Mover&), Mode mode, std::uint64_t seed) {
  Mover move(mode, seed);
  body(move);
  expect(move.moves() > 0, "the case moved");
}

roam::Thread start(const Case& one, Mode mode, std::uint64_t seed, int rank) {
  const std::string name = std::string(one.name) + "/" + to_string(mode);
  return roam::spawn(roam::SpawnOptions{.name = name, .stack_bytes = one.stack_bytes, .rank = rank},
                     run_case, one.body, mode, seed_of(seed, one));
}

// What the thread failed with; empty if it did not.
std::string outcome(roam::Thread thread) {
  try {
    thread.join();
    return {};
  } catch (const roam::Error& error) {
    return std::string("roam::Error(") + roam::to_string(error.code()) + "): " + error.what();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

int report(const Case& one, Mode mode, int start, const std::string& why) {
  if (why.empty()) return 0;
  printf("FAILED  case %s, mode %s, started on rank %d of %d: %s\n", one.name, to_string(mode),
         start, roam::ranks(), why.c_str());
  return 1;
}

struct Tally {
  int ran = 0;
  int failed = 0;
};

// One after the other; each is announced before it runs, so that a crash shows which it was.
void run_one_by_one(const std::vector<const Case*>& list, Mode mode, const Options& options,
                    Tally& tally) {
  int home = 0;
  for (const Case* one : list) {
    const int from = home++ % roam::ranks();
    printf("%-14s %s, from rank %d\n", to_string(mode), one->name, from);
    fflush(stdout);
    tally.failed += report(*one, mode, from, outcome(start(*one, mode, options.seed, from)));
    ++tally.ran;
  }
}

// Of all ranks, which need not share memory.
std::size_t all_moves_begun() {
  std::size_t sum = 0;
  for (int rank = 0; rank < roam::ranks(); ++rank) {
    const std::string said = outcome(
        roam::spawn({.rank = rank}, [] { throw std::runtime_error(std::to_string(moves_begun)); }));
    sum += static_cast<std::size_t>(std::stoul(said));
  }
  return sum;
}

// When all cases wait to be moved, the job ends as one that crashed. Returns in the next one.
void die_and_go_on(std::size_t cases) {
  std::size_t begun = 0;
  for (std::size_t last = 1; begun < cases || begun != last;) {
    roam::this_thread::sleep_for(std::chrono::milliseconds(500));
    last = std::exchange(begun, all_moves_begun());
  }
  if (roam::checkpoint(checkpoint_folder) == roam::Resumed::yes) return;
  printf("%zu moves of %zu cases wait, and the job is killed\n", begun, cases);
  fflush(stdout);
  kill(getpid(), SIGKILL);
}

// The cases by value: the list of all is in the process's memory, which a restart has anew.
void run_at_once(const std::vector<const Case*>& list, Mode mode, const Options& options,
                 Tally& tally) {
  printf("%-14s %zu cases at once\n", to_string(mode), list.size());
  fflush(stdout);
  std::vector<Case> cases;
  for (const Case* one : list) cases.push_back(*one);
  const int ranks = roam::ranks();
  std::vector<roam::Thread> threads;
  for (std::size_t i = 0; i < cases.size(); ++i)
    threads.push_back(start(cases[i], mode, options.seed, static_cast<int>(i) % ranks));
  if (mode == Mode::restart) die_and_go_on(cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    tally.failed += report(cases[i], mode, static_cast<int>(i) % ranks, outcome(threads[i]));
    ++tally.ran;
  }
}

int run_all(const Options& options) {
  std::vector<const Case*> list;
  for (const Case& one : cases()) {
    if (chosen(one, options)) list.push_back(&one);
  }
  printf("survive: seed %llu, %d ranks, %zu cases, %zu modes\n",
         static_cast<unsigned long long>(options.seed), roam::ranks(), list.size(),
         options.modes.size());
  Tally tally;
  for (Mode mode : options.modes) {
    if (options.at_once) {
      run_at_once(list, mode, options, tally);
    } else {
      run_one_by_one(list, mode, options, tally);
    }
  }
  printf("survive: %d ran, %d failed\n", tally.ran, tally.failed);
  fflush(stdout);
  return tally.failed == 0 && tally.ran > 0 ? 0 : 1;
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) {
  roam_test::Options options;
  try {
    options = roam_test::parse(argc, argv);
  } catch (const std::exception& error) {
    fprintf(stderr, "survive: %s\n", error.what());
    return 2;
  }
  if (options.list) {
    for (const roam_test::Case& one : roam_test::cases()) printf("%s\n", one.name);
    return 0;
  }
  roam::on_restart([] { roam_test::goes_on_from_checkpoint = true; });
  return roam::run(argc, argv, [options] { return roam_test::run_all(options); });
}
