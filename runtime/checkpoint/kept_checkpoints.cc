#include "runtime/checkpoint/kept_checkpoints.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/os/file_calls.h"
#include "base/os/file_limit.h"
#include "base/text.h"
#include "roam/error.h"
#include "runtime/checkpoint/folder.h"
#include "runtime/checkpoint/piece.h"
#include "runtime/keeper/keeper_wire.h"

namespace roam::runtime {
namespace {

constexpr std::size_t kChunkBytes = 16 << 20;  // of a piece, a message

void write_kept(const KeptAt& one, StateWriter& to) {
  to.put_text(text("%d %d %llu %d", one.rank, one.keeper,
                   static_cast<unsigned long long>(one.number), one.committed));
  std::string names;
  for (const std::string& name : one.pieces) names += name + '\n';
  to.put_text(names);
}

KeptAt read_kept(StateReader& in) {
  KeptAt one;
  unsigned long long number = 0;
  int committed = 0;
  const std::string head = in.get_text();
  ROAM_CHECK(
      std::sscanf(head.c_str(), "%d %d %llu %d", &one.rank, &one.keeper, &number, &committed) == 4,
      "a rank says of keepers '%s'", head.c_str());
  one.number = number;
  one.committed = committed != 0;
  const std::string names = in.get_text();
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t end = names.find('\n', at);
    one.pieces.push_back(names.substr(at, end - at));
    at = end + 1;
  }
  return one;
}

std::vector<std::string> files_of(const PieceSummary& piece) {
  std::vector<std::string> files{piece.file};
  for (const BaseEntry& base : piece.bases) files.push_back(base_name(base));
  return files;
}

}  // namespace

KeptCheckpoints::KeptCheckpoints(Mpi& mpi, const std::string& folder) {
  std::map<std::uint64_t, std::string> manifests;  // that this rank has seen
  StateWriter own;
  // Where a job never kept any in memory, there is no name.
  std::string none;
  name_ = name_for_keepers(keeper_folder(folder), false, &none);
  std::vector<std::string> troubles;
  os::allow_many_files();
  if (!name_.empty()) keepers_ = reach_keepers(name_, &troubles);
  for (auto at = keepers_.begin(); at != keepers_.end();) {
    const auto& [node, keeper] = *at;
    std::vector<KeeperClient::Kept> all;
    if (!keeper->list(&all)) {
      (keeper->lacked() ? lacked_ : troubles.emplace_back()) = keeper->error();
      at = keepers_.erase(at);
      continue;
    }
    ++at;
    for (KeeperClient::Kept& one : all) {
      if (one.committed) manifests.emplace(one.number, std::move(one.manifest));
      write_kept({mpi.rank(), node, one.number, one.committed, std::move(one.pieces)}, own);
    }
  }
  for (const std::string& trouble : troubles) report((trouble + ": it is passed over").c_str());
  const std::string lacked = mpi.first_said(lacked_);
  if (!lacked.empty()) {
    throw Error(Errc::out_of_memory, text("ROAM_RESTART=%s: what is in memory is not passed over, "
                                          "and is not told: %s",
                                          folder.c_str(), lacked.c_str()));
  }
  if (mpi.sum(own.bytes().size()) == 0) return;
  for (int rank = 0; rank < mpi.ranks(); ++rank) {
    const std::string said = mpi.broadcast_text(std::string(own.bytes()), rank);
    for (StateReader in(said); !in.at_end();) kept_.push_back(read_kept(in));
  }
  for (const std::uint64_t number : committed_numbers(kept_)) {
    const auto first = std::find_if(kept_.begin(), kept_.end(), [&](const KeptAt& one) {
      return one.number == number && one.committed;
    });
    manifests_.push_back(mpi.broadcast_text(manifests[number], first->rank));
  }
}

std::uint64_t KeptCheckpoints::largest_number() const {
  std::uint64_t largest = 0;
  for (const KeptAt& one : kept_) largest = std::max(largest, one.number);
  return largest;
}

void KeptCheckpoints::drop() {
  for (const auto& one : brought_) close(one.second);
  brought_.clear();
}

int KeptCheckpoints::open(const std::string& name) const {
  const auto found = brought_.find(name);
  if (found != brought_.end()) return fcntl(found->second, F_DUPFD_CLOEXEC, 0);
  errno = ENOENT;
  return -1;
}

// Before others wait for what this rank sends and receives.
bool KeptCheckpoints::has_chunk() {
  try {
    chunk_.reserve(kChunkBytes);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

bool KeptCheckpoints::bring(Net& net, const Manifest& manifest, std::string* why, bool* lacked) {
  drop();
  lacked_.clear();
  if (net.mpi().sum(!has_chunk()) != 0) {
    *why = "a rank has no memory for pieces that others send";
    *lacked = true;
    return false;
  }
  // Each piece and each of its bases is a descriptor, until all have been read.
  os::allow_many_files();
  Mpi& mpi = net.mpi();
  std::vector<WantedPiece> wanted;
  for (int p = 0; p < manifest.ranks; ++p) {
    const int reader = net.home_rank(p);
    for (const std::string& name : files_of(manifest.pieces[static_cast<std::size_t>(p)]))
      wanted.push_back({name, reader, net.node_of(reader)});
  }
  from_buddy_ = false;
  std::string trouble = wrong_;  // of the last that could not be had, as this rank saw it
  while (!wanted.empty()) {
    std::string missing;
    const std::vector<std::size_t> places = places_of(kept_, manifest.number, wanted, &missing);
    if (places.empty()) {
      *why = text("'%s' is in memory of no node that is left%s%s", missing.c_str(),
                  trouble.empty() ? "" : ": ", trouble.c_str());
      const std::string for_want_of = mpi.first_said(lacked_);
      *lacked = !for_want_of.empty();
      if (*lacked) *why = for_want_of;
      return false;
    }
    for (std::size_t w = 0; w < wanted.size(); ++w) places_[wanted[w].name] = places[w];
    const std::vector<std::size_t> failed = bring_from(mpi, manifest, wanted, places, &trouble);
    // They are looked for elsewhere.
    std::vector<WantedPiece> again;
    for (const std::size_t w : failed) {
      std::erase(kept_[places[w]].pieces, wanted[w].name);
      again.push_back(wanted[w]);
    }
    wanted = std::move(again);
  }
  return true;
}

bool KeptCheckpoints::distrust(Mpi& mpi, const Manifest& manifest, int piece,
                               const std::string& why) {
  const std::uint64_t count = mpi.sum(piece < 0 ? 0 : 1);
  if (count == 0) return false;
  wrong_ = why;
  for (int rank = 0; rank < mpi.ranks(); ++rank) {
    const int wrong = std::stoi(mpi.broadcast_text(std::to_string(piece), rank));
    if (wrong < 0) continue;
    // Whoever reaches that keeper.
    for (const std::string& name : files_of(manifest.pieces[static_cast<std::size_t>(wrong)])) {
      const int keeper = kept_[places_.at(name)].keeper;
      for (KeptAt& one : kept_) {
        if (one.keeper == keeper && one.number == manifest.number) std::erase(one.pieces, name);
      }
    }
  }
  return true;
}

std::vector<std::size_t> KeptCheckpoints::bring_from(Mpi& mpi, const Manifest& manifest,
                                                     const std::vector<WantedPiece>& wanted,
                                                     const std::vector<std::size_t>& places,
                                                     std::string* trouble) {
  StateWriter own;  // those that this rank reads, and has not got
  // In the same order everywhere, so that none waits in a circle. One that cannot be had is sent as
  // none.
  for (std::size_t w = 0; w < wanted.size(); ++w) {
    const KeptAt& from = kept_[places[w]];
    const WantedPiece& piece = wanted[w];
    from_buddy_ = from_buddy_ || from.rank != piece.reader || from.keeper != piece.node;
    const bool gives = from.rank == mpi.rank(), reads = piece.reader == mpi.rank();
    if (!gives && !reads) continue;
    std::string why;
    int fd = -1;
    if (gives) {
      KeeperClient& keeper = *keepers_.at(from.keeper);
      fd = keeper.get(manifest.number, piece.name);
      if (fd < 0) why = text("%s of node %d: ", piece.name.c_str(), from.keeper) + keeper.error();
      if (fd < 0 && keeper.lacked()) lacked_ = why;
      if (!reads) {
        send(mpi, piece.reader, fd);
        if (fd >= 0) close(fd);
      }
    } else {
      fd = receive(mpi, from.rank, &why);
    }
    if (reads && fd >= 0) brought_[piece.name] = fd;
    if (reads && fd < 0) own.put<std::uint64_t>(w);
    if (why.empty()) continue;
    report((why + ": it is looked for elsewhere").c_str());
    *trouble = why;
  }
  std::vector<std::size_t> failed;
  if (mpi.sum(own.bytes().size()) == 0) return failed;
  for (int rank = 0; rank < mpi.ranks(); ++rank) {
    const std::string said = mpi.broadcast_text(std::string(own.bytes()), rank);
    for (StateReader in(said); !in.at_end();) failed.push_back(in.get<std::uint64_t>());
  }
  std::sort(failed.begin(), failed.end());
  return failed;
}

// Its length, then its bytes. What cannot be read is sent as one byte less.
void KeptCheckpoints::send(Mpi& mpi, int to, int fd) {
  struct stat status {};
  const bool there = fd >= 0 && fstat(fd, &status) == 0;
  const std::uint64_t bytes = there ? static_cast<std::uint64_t>(status.st_size) : 0;
  mpi.send_now(to, &bytes, sizeof bytes);
  std::vector<char>& chunk = chunk_;
  chunk.resize(std::min<std::uint64_t>(bytes, kChunkBytes));
  for (std::uint64_t at = 0; at < bytes; at += chunk.size()) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes - at, chunk.size()));
    const bool good = os::read_all(fd, chunk.data(), count, at);
    mpi.send_now(to, chunk.data(), good ? count : count - 1);
  }
}

int KeptCheckpoints::receive(Mpi& mpi, int from, std::string* why) {
  std::vector<char>& chunk = chunk_;
  mpi.receive_now(from, &chunk);
  std::uint64_t bytes = 0;
  ROAM_CHECK(chunk.size() == sizeof bytes, "a piece begins with %zu bytes", chunk.size());
  std::memcpy(&bytes, chunk.data(), sizeof bytes);
  const int fd = memfd_create("roam-checkpoint", MFD_CLOEXEC);
  bool good = fd >= 0 && bytes != 0;
  if (fd < 0) *why = lacked_ = text("no memory for a piece: %s", strerror(errno));
  for (std::uint64_t at = 0; at < bytes;) {
    const std::uint64_t count = std::min<std::uint64_t>(bytes - at, kChunkBytes);
    mpi.receive_now(from, &chunk);
    if (good && chunk.size() != count) good = false;
    if (good && !os::write_all(fd, chunk.data(), chunk.size(), at)) {
      *why = lacked_ = text("no memory for a piece: %s", strerror(errno));
      good = false;
    }
    at += count;
  }
  if (good) return fd;
  if (why->empty()) *why = text("rank %d cannot send a piece that is in memory there", from);
  if (fd >= 0) close(fd);
  return -1;
}

void KeptCheckpoints::settle(Mpi& mpi, const Manifest& manifest) {
  bool all = true;
  for (const KeptAt& one : kept_) {
    if (one.rank != mpi.rank() || one.number != manifest.number || one.committed) continue;
    KeeperClient& keeper = *keepers_.at(one.keeper);
    if (keeper.commit(manifest.number, manifest.text())) continue;
    all = false;
    report((keeper.error() + ": it has no whole checkpoint").c_str());
  }
  if (mpi.sum(!all) == 0) {
    for (const KeptAt& one : kept_) {
      if (one.rank == mpi.rank() && one.number == manifest.number)
        keepers_.at(one.keeper)->settle(manifest.number);
    }
  }
  drop();
  mpi.barrier();  // no newer one is begun there before
}

std::vector<std::shared_ptr<KeeperClient>> KeptCheckpoints::take_keepers() {
  std::vector<std::shared_ptr<KeeperClient>> all;
  for (auto& [node, keeper] : keepers_) all.push_back(std::move(keeper));
  keepers_.clear();
  return all;
}

}  // namespace roam::runtime
