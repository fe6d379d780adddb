#include "runtime/keeper/keeper_store.h"

#include <cstring>
#include <utility>

#include "base/text.h"

namespace roam::runtime {
namespace {

// More names than ranks of a node and of its buddy, 240 each, would ever put for two checkpoints:
// a piece has as many as ROAM_CHECKPOINT=,full= says, at most 1,000.
constexpr std::size_t kMostPieces = 1 << 20;

void put_number(std::string* to, std::uint64_t n) {
  to->append(reinterpret_cast<const char*>(&n), sizeof n);
}

void put_text(std::string* to, std::string_view s) {
  put_number(to, s.size());
  to->append(s);
}

bool take_number(std::string_view* from, std::uint64_t* n) {
  if (from->size() < sizeof *n) return false;
  std::memcpy(n, from->data(), sizeof *n);
  from->remove_prefix(sizeof *n);
  return true;
}

bool take_text(std::string_view* from, std::string* s) {
  std::uint64_t bytes = 0;
  if (!take_number(from, &bytes) || bytes > from->size()) return false;
  s->assign(from->substr(0, bytes));
  from->remove_prefix(bytes);
  return true;
}

}  // namespace

bool KeeperStore::put(std::uint64_t number, const std::string& name, Memory memory,
                      std::string* why) {
  if (name.empty()) {
    *why = "a piece has no name";
    return false;
  }
  if (pieces() >= kMostPieces) {
    *why = text("it has %zu pieces already", pieces());
    return false;
  }
  // A job that went on from an older one gives the number again: what had it is of no use then.
  std::erase_if(checkpoints_,
                [&](const auto& one) { return one.second.committed == (one.first == number); });
  checkpoints_[number].pieces[name] = std::move(memory);
  return true;
}

bool KeeperStore::link(std::uint64_t number, const std::string& name, std::uint64_t from_number,
                       const std::string& from_name, std::string* why) {
  Memory memory = get(from_number, from_name);
  if (memory == nullptr) {
    *why = text("'%s' of checkpoint %llu is not here", from_name.c_str(),
                static_cast<unsigned long long>(from_number));
    return false;
  }
  return put(number, name, std::move(memory), why);
}

void KeeperStore::commit(std::uint64_t number, std::string manifest) {
  Checkpoint& one = checkpoints_[number];
  one.committed = true;
  one.manifest = std::move(manifest);
}

void KeeperStore::settle(std::uint64_t number) {
  // What has been put for a newer one since stays: this may be said twice.
  std::erase_if(checkpoints_, [&](const auto& one) { return one.first < number; });
}

KeeperStore::Memory KeeperStore::get(std::uint64_t number, const std::string& name) const {
  const auto one = checkpoints_.find(number);
  if (one == checkpoints_.end()) return nullptr;
  const auto piece = one->second.pieces.find(name);
  return piece == one->second.pieces.end() ? nullptr : piece->second;
}

std::vector<KeeperClient::Kept> KeeperStore::list() const {
  std::vector<KeeperClient::Kept> all;
  for (const auto& [number, one] : checkpoints_) {
    all.push_back({number, one.committed, one.manifest, {}});
    for (const auto& piece : one.pieces) all.back().pieces.push_back(piece.first);
  }
  return all;
}

std::size_t KeeperStore::pieces() const {
  std::size_t count = 0;
  for (const auto& one : checkpoints_) count += one.second.pieces.size();
  return count;
}

std::string pack_kept(const std::vector<KeeperClient::Kept>& kept) {
  std::string packed;
  put_number(&packed, kept.size());
  for (const KeeperClient::Kept& one : kept) {
    put_number(&packed, one.number);
    put_number(&packed, one.committed);
    put_text(&packed, one.manifest);
    put_number(&packed, one.pieces.size());
    for (const std::string& name : one.pieces) put_text(&packed, name);
  }
  return packed;
}

bool unpack_kept(std::string_view packed, std::vector<KeeperClient::Kept>* kept) {
  kept->clear();
  std::uint64_t count = 0;
  if (!take_number(&packed, &count)) return false;
  for (; count != 0; --count) {
    KeeperClient::Kept one;
    std::uint64_t committed = 0, names = 0;
    if (!take_number(&packed, &one.number) || !take_number(&packed, &committed) || committed > 1 ||
        !take_text(&packed, &one.manifest) || !take_number(&packed, &names)) {
      return false;
    }
    one.committed = committed != 0;
    for (; names != 0; --names) {
      std::string name;
      if (!take_text(&packed, &name)) return false;
      one.pieces.push_back(std::move(name));
    }
    kept->push_back(std::move(one));
  }
  return packed.empty();
}

}  // namespace roam::runtime
