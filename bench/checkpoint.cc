// What does a checkpoint cost a job, and how fast is it on disk?
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "bench/contest.h"
#include "roam/roam.h"

namespace {

namespace fs = std::filesystem;

constexpr const char* kQuestion =
    "How long do threads stand still for a checkpoint, beside a memcpy of what is copied by as "
    "many\n"
    "ranks at once; how long is it until it is on disk, beside writing and syncing as many bytes;\n"
    "and how much is written of what lives? Of all memory, where each hundredth page has changed, "
    "and\nof many threads of two pages. (ns)";
const std::initializer_list<bench::Option> kOptions = {
    {"mib", "live memory of all ranks (1024)"},
    {"threads", "of two pages each, instead of that memory (0: none)"},
    {"folder", "on the disk that is measured (a new one where it is started)", true},
    {"contents", "of the memory: ones, or doubles, which are random between 0 and 1 (ones)", true},
};

constexpr int kMembersOfARank = 4;
constexpr std::size_t kPage = 4096, kChangedOf = 100;
constexpr std::size_t kWriteBytes = 4 << 20;

struct FreePages {
  void operator()(char* p) const { ::operator delete[](p, std::align_val_t{kPage}); }
};
using Pages = std::unique_ptr<char[], FreePages>;
Pages pages(std::size_t bytes) {
  Pages p(static_cast<char*>(::operator new[](bytes, std::align_val_t{kPage})));
  std::memset(p.get(), 1, bytes);
  return p;
}
void fill_with_doubles(const Pages& p, std::size_t bytes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::size_t at = 0; at < bytes; at += sizeof(double)) {
    const double number = std::generate_canonical<double, 53>(random);
    std::memcpy(p.get() + at, &number, sizeof number);
  }
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "checkpoint: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

// The longest time between two turns of a thread that does nothing else.
class Gap {
 public:
  Gap() {
    watcher_ = roam::spawn([this] {
      std::int64_t last = bench::now_ns();
      begun_.store(true);
      while (!end_.load()) {
        roam::this_thread::yield();
        const std::int64_t now = bench::now_ns();
        longest_ = std::max(longest_, now - last);
        last = now;
      }
    });
    while (!begun_.load()) roam::this_thread::yield();
  }
  double end() {
    end_.store(true);
    watcher_.join();
    return static_cast<double>(longest_);
  }

 private:
  std::atomic<bool> begun_ = false, end_ = false;
  std::int64_t longest_ = 0;
  roam::Thread watcher_;
};

// Writes `bytes` as a piece is written, and removes it.
void write_and_sync(const std::string& path, const Pages& from, std::size_t available,
                    std::size_t bytes) {
  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EINVAL) fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) fail(path);
  for (std::size_t done = 0; done < bytes;) {
    const std::size_t at = done % available;
    const std::size_t part = std::min({kWriteBytes, bytes - done, available - at});
    if (write(fd, from.get() + at, part) != static_cast<ssize_t>(part)) fail(path);
    done += part;
  }
  if (fsync(fd) != 0 || close(fd) != 0) fail(path);
}

struct Figures {
  std::vector<double> still, copy, disk, write, bytes;
};

struct Plan {
  std::size_t bytes;  // of a member
  std::string folder;
  bool doubles;
  int rounds;
};

double bytes_written(const std::string& folder) {
  double sum = 0;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().filename().string().starts_with("piece-"))
      sum += static_cast<double>(file.file_size());
  }
  return sum;
}

using CrowdData = std::array<char, 2048>;
constexpr CrowdData kCrowdData = [] {
  CrowdData data{};
  data.fill('x');
  return data;
}();

class Member {
 public:
  explicit Member(const Plan& plan)
      : plan_(plan), memory_(pages(plan.bytes)), copy_(pages(plan.bytes)) {
    const auto seed = static_cast<std::uint64_t>(2 * team_.index());
    if (plan.doubles) fill_with_doubles(memory_, plan.bytes, seed);
    if (plan.doubles) fill_with_doubles(copy_, plan.bytes, seed + 1);
  }

  void run() {
    for (int round = 0; round < plan_.rounds; ++round) {
      // Another folder: what is first in it has all memory.
      const std::string folder = plan_.folder + "/" + std::to_string(round);
      measure(folder, 1, all_, 1);
      for (std::size_t at = 0; at < plan_.bytes; at += kChangedOf * kPage) memory_[at] ^= 1;
      measure(folder, 2, changed_, kChangedOf);
    }
    if (team_.index() != 0) return;
    const std::string ranks = "/ranks=" + std::to_string(roam::ranks());
    for (const auto& [name, figures] : {std::pair{"all", &all_}, std::pair{"changed", &changed_}}) {
      const std::string of = std::string("/") + name + ranks;
      bench::print_row("checkpoint_still" + of, "ns", figures->still, figures->copy);
      bench::print_row("checkpoint_disk" + of, "ns", figures->disk, figures->write);
      bench::print_row("checkpoint_bytes" + of, "x", figures->bytes, {});
    }
  }

 private:
  // One checkpoint, `number` in its folder, and its floors; one of `part` pages is copied.
  void measure(const std::string& folder, int number, Figures& figures, std::size_t part) {
    const bool first = team_.index() == 0;
    // Of both halves; what this changes in the second one is as much as was changed in the first.
    const std::size_t copied = (plan_.bytes / part + kPage - 1) / kPage * kPage;
    team_.barrier();
    std::int64_t begin = bench::now_ns();
    for (int half = 0; half < 2; ++half) std::memcpy(copy_.get(), memory_.get(), copied);
    team_.barrier();
    if (first) figures.copy.push_back(static_cast<double>(bench::now_ns() - begin));
    begin = bench::now_ns();
    const std::string file = plan_.folder + "/floor-" + std::to_string(roam::rank());
    if (team_.index() % kMembersOfARank == 0)
      write_and_sync(file, copy_, plan_.bytes, 2 * copied * kMembersOfARank);
    team_.barrier();
    if (first) {
      figures.write.push_back(static_cast<double>(bench::now_ns() - begin));
      Gap gap;
      begin = bench::now_ns();
      roam::checkpoint(folder);
      figures.disk.push_back(static_cast<double>(bench::now_ns() - begin));
      figures.still.push_back(gap.end());
      const double live = static_cast<double>(plan_.bytes) * 2 * team_.size();
      figures.bytes.push_back(bytes_written(folder + "/00000" + std::to_string(number)) / live);
    }
    team_.barrier();
  }

  const Plan plan_;
  const roam::Team team_ = roam::Team::current();
  Pages memory_, copy_;
  Figures all_, changed_;
};

// One of many that wait. It has two pages: one of its stack, and that of its heap in which `data`
// is, a part of what it was made with.
class MemberOfCrowd {
 public:
  explicit MemberOfCrowd(const Plan& plan) : plan_(plan) {}

  void run(const CrowdData& data) {
    for (int round = 0; round < plan_.rounds; ++round) {
      team_.barrier();
      if (team_.index() == 0) measure(plan_.folder + "/" + std::to_string(round));
    }
    team_.barrier();
    if (data != kCrowdData) fail("what a thread had is not what it has");
    if (team_.index() != 0) return;
    const std::string of =
        "/" + std::to_string(team_.size()) + "/ranks=" + std::to_string(roam::ranks());
    bench::print_row("checkpoint_crowd_still" + of, "ns", still_, {});
    bench::print_row("checkpoint_crowd_disk" + of, "ns", disk_, {});
    bench::print_row("checkpoint_crowd_bytes" + of, "x", bytes_, {});
  }

 private:
  void measure(const std::string& folder) {
    Gap gap;
    const std::int64_t begin = bench::now_ns();
    roam::checkpoint(folder);
    disk_.push_back(static_cast<double>(bench::now_ns() - begin));
    still_.push_back(gap.end());
    bytes_.push_back(bytes_written(folder + "/000001") / (2.0 * kPage * team_.size()));
  }

  const Plan& plan_;
  const roam::Team team_ = roam::Team::current();
  std::vector<double> still_, disk_, bytes_;
};

void measure(const bench::Options& options) {
  const std::size_t mib = options.number("mib", options.quick ? 64 : 1024);
  const int members = kMembersOfARank * roam::ranks();
  Plan plan;
  plan.bytes = ((mib << 20) / 2 / static_cast<std::size_t>(members) + kPage - 1) / kPage * kPage;
  plan.rounds = options.quick ? 1 : 5;
  plan.doubles = options.text("contents", "ones") == "doubles";
  plan.folder = options.text("folder", fs::absolute("roam-bench-checkpoints").string());
  fs::create_directories(plan.folder);
  if (const std::size_t crowd = options.number("threads", 0); crowd != 0)
    roam::spawn_team({.name = "crowd"}, static_cast<int>(crowd), [plan = &plan, data = kCrowdData] {
      MemberOfCrowd(*plan).run(data);
    }).join();
  else
    roam::spawn_team({.name = "members"}, members, [plan] { Member(plan).run(); }).join();
  fs::remove_all(plan.folder);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::read_options(argc, argv, kQuestion, kOptions);
  const std::string contents = options.text("contents", "ones");
  if (contents != "ones" && contents != "doubles") {
    std::fprintf(stderr, "checkpoint: --contents=%s is not ones or doubles\n", contents.c_str());
    return 2;
  }
  return roam::run(argc, argv, [&options] { measure(options); });
}
