#ifndef ROAM_RUNTIME_CHECKPOINT_TEST_JOB_H_
#define ROAM_RUNTIME_CHECKPOINT_TEST_JOB_H_

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "base/test_bytes.h"
#include "isomalloc/arena.h"
#include "isomalloc/range_pool.h"
#include "runtime/checkpoint/folder.h"
#include "runtime/checkpoint/piece.h"
#include "runtime/checkpoint/piece_file.h"
#include "runtime/image/test_image.h"
#include "threads/scheduler.h"

namespace roam::runtime {

// For tests: what a rank does with a piece, to which all was added, whose file is compressed.
inline bool write_compressed(PieceWriter& writer, const std::string& path, const Compression& how,
                             PieceSummary* summary, KnownPages* pages, std::string* why) {
  struct Memory {
    ~Memory() { close(fd); }
    int fd = memfd_create("piece", MFD_CLOEXEC);
  } memory;
  PieceFile file;
  bool good = writer.arrange();
  if (good) {
    file.begin(path, memory.fd, nullptr, 0);
    file.compress(how, sizeof(PieceHead) + writer.bytes_copied());
    writer.put_into(memory.fd, {}, [&file](std::uint64_t bytes) { file.grew_to(bytes); });
    good = writer.copy();
  }
  if (good) file.begin_to_compress();
  good = good && writer.finish(summary, pages);
  *why = writer.error();
  if (!good || !file.end(summary->bytes, why)) return false;
  if (file.compressed_bytes() == 0) return true;
  summary->stored = file.compressed_bytes();
  if (pages != nullptr) pages->compressed = true;
  return true;
}

// For tests: a rank with a suspended thread and a block, of which checkpoints can be made; and a
// folder for them, which goes at the end.
class TestJob {
 public:
  // `in_memory`: its files are changed often, and a disk would take long.
  explicit TestJob(bool in_memory = false)
      : block_(iso::pool(iso::Region::kBlocks).allocate(kBlockBytes)->range) {
    const bool memory = in_memory && access("/dev/shm", W_OK) == 0;
    std::string name = (memory ? "/dev/shm/" : testing::TempDir()) + "roam-job.XXXXXX";
    top_ = mkdtemp(name.data());
    iso::arena().units().mark(block_, iso::UnitKind::kBlock);
    fill_bytes(block_.pointer(), kBlockTouched, test_seed());
  }
  ~TestJob() {
    iso::arena().units().unmark(block_);
    std::filesystem::remove_all(top_);
  }

  // Runs `body` while the thread is suspended.
  void while_suspended(std::function<void()> body) {
    threads_.on_depart = [&](Tcb* t, int) {
      t_ = t;
      close_for_image(t);
      plan_image(*t, ImageOf::kThread, &image_);
      body();
      reopen(t);
      threads::scheduler().resume_arrived(t);
    };
    threads_.spawn(
        [] {
          void* heap_block = threads::scheduler().current()->heap.allocate(9000);
          fill_bytes(heap_block, 9000, test_seed() + 1);
          threads::scheduler().depart_current(threads::TestThreads::kRank + 1);
          threads::scheduler().current()->heap.free(heap_block);
        },
        "a thread whose name does not fit into its control block");
    threads_.run();
  }

  bool write_piece(const std::string& path, std::uint64_t number, PieceSummary* summary,
                   std::string* why) {
    PieceWriter writer;
    writer.begin(path, 0, 1, number);
    const bool good = writer.add_image(head_of(*t_, ImageOf::kThread, image_), image_) &&
                      writer.add_block(block_, kBlockAsked) &&
                      writer.add_state("state", "some bytes");
    if (good && compression.level != 0)
      return write_compressed(writer, path, compression, summary, nullptr, why);
    const bool written = good && writer.copy() && writer.finish(summary);
    *why = writer.error();
    return written;
  }
  // A whole checkpoint in dir().
  bool make_checkpoint(std::string* why) {
    NewCheckpoint fresh;
    Manifest manifest;
    PieceSummary summary;
    if (!fresh.begin(dir(), why)) return false;
    if (!write_piece(fresh.part_path() + "/" + piece_name(0), fresh.number, &summary, why))
      return false;
    manifest.ranks = manifest.homes = 1;
    manifest.threads = 1;
    manifest.arena = iso::arena().whole();
    manifest.lease_bytes = iso::arena().lease_bytes();
    manifest.layout = {"module /some/program at 0x0, build-id 1234"};
    manifest.pieces.push_back(std::move(summary));
    return fresh.publish(std::move(manifest), why);
  }
  // Every byte of it is right.
  static bool is_whole(const std::string& folder, std::string* why) {
    Manifest manifest;
    PieceReader reader;
    return manifest.read(folder, why) &&
           reader.open(manifest.path_of(0), manifest.pieces[0], why) && reader.verify(why) &&
           reader.state("state") == "some bytes";
  }

  Compression compression;  // of its pieces

  std::string dir() const { return top_ + "/checkpoints"; }
  const std::string& top() const { return top_; }
  const Image& image() const { return image_; }
  Range block() const { return block_; }
  static constexpr std::size_t kBlockBytes = 256 << 10, kBlockAsked = 200'000,
                               kBlockTouched = 3 * kPageBytes;

 private:
  threads::TestThreads threads_;
  Range block_;
  std::string top_;
  Tcb* t_ = nullptr;
  Image image_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_TEST_JOB_H_
