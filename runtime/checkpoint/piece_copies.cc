#include "runtime/checkpoint/piece_copies.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/os/file_calls.h"
#include "base/text.h"
#include "runtime/keeper/buddy.h"

namespace roam::runtime {
namespace {

// Of one message: a rank has other things to do.
constexpr std::uint64_t kPartBytes = 1 << 20;

}  // namespace

bool PieceCopies::begin(int fd, const PieceSummary& summary, std::uint64_t base) {
  if (buddy_rank(net_.node_of(), net_.rank()) < 0) return false;
  sent_ = Sent{fd, summary, base};
  result_.reset();
  return true;
}

// The next part, when the one before has left, whatever else is sent meanwhile. A busy rank looks
// after its sends when it looks at messages, and has new ones when it comes here.
void PieceCopies::poll() {
  if (!sent_ || sent_->all) return;
  Mpi& mpi = net_.mpi();
  if (mpi.sends_done() < sent_->left_with) mpi.progress_sends();
  if (mpi.sends_done() < sent_->left_with) return;
  const PieceSummary& summary = sent_->summary;
  const int to = buddy_rank(net_.node_of(), net_.rank());
  CheckpointCopyHead head{Kind::kCheckpointCopy, 0,          summary.number, summary.bytes,
                          sent_->offset,         sent_->base};
  if (sent_->offset == summary.bytes) {
    head.last = 1;
    sent_->all = true;
    return net_.send_long(to, head, pack_summary(summary));
  }
  std::vector<char> part(std::min(kPartBytes, summary.bytes - sent_->offset));
  const ssize_t got = pread(sent_->fd, part.data(), part.size(), static_cast<off_t>(sent_->offset));
  if (got <= 0) {
    why_ = text("a piece in memory cannot be read: %s", std::strerror(errno));
    result_ = false;
    sent_.reset();
    return;
  }
  net_.send_long(to, head, {part.data(), static_cast<std::size_t>(got)});
  sent_->offset += static_cast<std::uint64_t>(got);
  sent_->left_with = mpi.sent();
}

void PieceCopies::take_answer(const CheckpointCopiedHead& head, std::string_view why) {
  if (!sent_ || sent_->summary.number != head.number) return;
  result_ = head.good != 0;
  why_ = why;
  sent_.reset();
}

std::optional<bool> PieceCopies::take_result(std::string* why) {
  if (result_) *why = why_;
  return std::exchange(result_, std::nullopt);
}

// ---- others' ----

void PieceCopies::take_part(int from, const CheckpointCopyHead& head, std::string_view bytes) {
  Kept& kept = kept_[from];
  if (head.offset == 0 && head.last == 0) {
    kept.why.clear();
    kept.number = head.number;
    // Of the machine, which is several nodes with ROAM_NODE_RANKS.
    const int ranks = static_cast<int>(ranks_buddied_by(net_.node_of(), net_.rank()).size()) *
                      net_.mpi().host_ranks();
    kept.fd = aside_.take(head.bytes, std::max(ranks, 1), head.number);
    if (kept.fd < 0) kept.why = "there is not enough memory to keep what another node has too";
  }
  if (head.last == 0) {
    for (std::size_t done = 0; kept.why.empty() && done < bytes.size();) {
      const ssize_t n = pwrite(kept.fd, bytes.data() + done, bytes.size() - done,
                               static_cast<off_t>(head.offset + done));
      if (n <= 0) kept.why = text("pwrite: %s", std::strerror(errno));
      if (n > 0) done += static_cast<std::size_t>(n);
    }
    return;
  }
  const PieceSummary summary = unpack_summary(bytes);
  const bool good = keep(kept, summary, head.base);
  net_.send_long(from, CheckpointCopiedHead{Kind::kCheckpointCopied, good, head.number},
                 good ? std::string() : text("rank %d: ", net_.rank()) + kept.why);
}

bool PieceCopies::keep(Kept& kept, const PieceSummary& summary, std::uint64_t last) {
  if (!kept.why.empty()) return false;
  if (!keeper_.connected() && !reach_(keeper_, &kept.why)) return false;
  bool good = ftruncate(kept.fd, static_cast<off_t>(summary.bytes)) == 0;
  for (const BaseEntry& base : summary.bases) {
    // Under the number of the one before it has its own name, or was a base there too. All that is
    // older is gone.
    const std::string name = base.number == last ? piece_name(summary.rank) : base_name(base);
    good = good && keeper_.link(summary.number, base_name(base), last, name);
  }
  good = good && keeper_.put(summary.number, summary.file, kept.fd);
  kept.bases = summary.bases;
  if (!good) {
    kept.why = "the keeper of checkpoints in memory: " + keeper_.error();
    close();
  }
  return good;
}

void PieceCopies::settled(std::uint64_t number) {
  std::vector<std::uint64_t> needed{number};
  for (const auto& [from, kept] : kept_) {
    for (const BaseEntry& base : kept.bases) needed.push_back(base.number);
  }
  aside_.keep_only(needed);
  aside_.give_back();
}

void PieceCopies::close() {
  keeper_.close();
  for (auto& [from, kept] : kept_)
    kept = {-1, 0, {}, "the keeper of checkpoints in memory is lost"};
  aside_.clear();  // the keeper may still hold it: later pieces go into other memory
}

}  // namespace roam::runtime
