#include "mpi/calls/file_transfer.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mpi/calls/call_error.h"
#include "mpi/calls/file_bytes.h"
#include "mpi/calls/file_error.h"
#include "mpi/calls/file_lock.h"
#include "mpi/datatype/external.h"
#include "mpi/datatype/pack.h"

namespace roam::mpi {
namespace {

// Bytes of memory that go through a buffer at a time.
constexpr MPI_Count kChunkBytes = 4 << 20;
// A system call costs as much as copying about so many bytes, or as reading and writing them.
constexpr MPI_Count kMostReadBetween = 4096, kMostWriteBetween = 1024;
// Pieces from this size on go alone.
constexpr MPI_Count kLargePiece = 64 << 10;
constexpr MPI_Count kWindowBytes = 1 << 20;

// Pieces of a stream, taken in its order, that are moved together.
class Window {
 public:
  Window(File* file, MPI_Count most_between) : path_(file->name.path), most_between_(most_between) {
    const open_files::Descriptor d = file->descriptor();
    descriptor_ = d.number;
    is_local_ = d.is_local;
  }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

 protected:
  struct Piece {
    MPI_Offset at;
    MPI_Count bytes;
    char* memory;
  };
  ~Window() = default;

  // Whether the piece can be with those that are there.
  bool takes(MPI_Offset at, MPI_Count bytes) const {
    return pieces_.empty() || (at >= end_ && at - end_ <= most_between_ && bytes < kLargePiece &&
                               at + bytes - pieces_.front().at <= kWindowBytes);
  }
  void put(const Piece& piece) {
    pieces_.push_back(piece);
    end_ = piece.at + piece.bytes;
  }
  MPI_Offset begin() const { return pieces_.front().at; }
  char* buffer() {
    if (buffer_ == nullptr) buffer_.reset(new char[kWindowBytes]);
    return buffer_.get();
  }

  int descriptor_;
  bool is_local_;
  const std::string& path_;
  MPI_Count most_between_;
  std::vector<Piece> pieces_;
  MPI_Offset end_ = 0;

 private:
  std::unique_ptr<char[]> buffer_;
};

// What lies behind the end of the file is not read. Where places of the view do not grow, pieces
// that follow may lie before it again: these are read, and not counted.
class Reader : public Window {
 public:
  // `notes_missing`: for take_parts().
  Reader(File* file, bool notes_missing)
      : Window(file, kMostReadBetween),
        locked_(file->is_atomic),
        places_grow_(file->view.places_grow()),
        notes_missing_(notes_missing) {}

  // Into `memory`.
  void add(MPI_Offset at, MPI_Count bytes, char* memory) {
    const Piece piece{at, bytes, memory};
    if (is_over()) return got(piece, 0);
    if (!takes(at, bytes)) finish();
    put(piece);
  }
  // The bytes that were read, of all pieces so far up to the first that was not there as a whole.
  MPI_Count finish() {
    if (!pieces_.empty()) move();
    pieces_.clear();
    return done_;
  }
  // Something was not there, as nothing is that follows, if it is_over().
  bool at_end() const { return at_end_; }
  bool is_over() const { return at_end_ && places_grow_; }
  // Calls visit(char* begin, MPI_Count bytes) for what was read of the memory that the pieces since
  // the last call have filled in a row, from `memory` on.
  template <class Visit>
  void take_parts(char* memory, MPI_Count bytes, Visit visit) {
    char* const end = memory + bytes;
    for (const Piece& m : std::exchange(missing_, {})) {
      if (m.memory != memory) visit(memory, m.memory - memory);
      memory = m.memory + m.bytes;
    }
    if (memory != end) visit(memory, end - memory);
  }

 private:
  void move() {
    FileLock lock;
    if (!is_local_ && !locked_)
      (void)lock.take_if_any(descriptor_, false, begin(), end_ - begin(), path_);
    if (pieces_.size() == 1) {
      const Piece& p = pieces_.front();
      return got(p, static_cast<MPI_Count>(read_bytes(descriptor_, p.at, p.memory,
                                                      static_cast<std::size_t>(p.bytes), path_)));
    }
    const auto there = static_cast<MPI_Count>(read_bytes(
        descriptor_, begin(), buffer(), static_cast<std::size_t>(end_ - begin()), path_));
    for (const Piece& p : pieces_) {
      const MPI_Count now = std::clamp(there - (p.at - begin()), MPI_Count{0}, p.bytes);
      if (now != 0)
        std::memcpy(p.memory, buffer() + (p.at - begin()), static_cast<std::size_t>(now));
      got(p, now);
    }
  }
  void got(const Piece& piece, MPI_Count bytes) {
    if (!at_end_) done_ += bytes;
    if (bytes == piece.bytes) return;
    at_end_ = true;
    if (!notes_missing_) return;
    char* const begin = piece.memory + bytes;
    if (missing_.empty() || missing_.back().memory + missing_.back().bytes != begin)
      missing_.push_back({piece.at + bytes, 0, begin});
    missing_.back().bytes += piece.bytes - bytes;
  }

  bool locked_, places_grow_, notes_missing_;
  MPI_Count done_ = 0;
  bool at_end_ = false;
  std::vector<Piece> missing_;
};

class Writer : public Window {
 public:
  // `locked`: whoever calls has a lock of all of it.
  Writer(File* file, bool locked)
      : Window(file, kMostWriteBetween), reads_(file->is_readable()), locked_(locked) {}

  void add(MPI_Offset at, MPI_Count bytes, const char* memory) {
    if (!takes(at, bytes)) finish();
    put({at, bytes, const_cast<char*>(memory)});
  }
  void finish() {
    if (!pieces_.empty()) move();
    pieces_.clear();
  }

 private:
  void move() {
    FileLock lock;
    const bool alone =
        locked_ || lock.take_if_any(descriptor_, true, begin(), end_ - begin(), path_);
    if (pieces_.size() == 1 || !alone || !reads_) {
      for (const Piece& p : pieces_)
        write_bytes(descriptor_, p.at, p.memory, static_cast<std::size_t>(p.bytes), path_);
      return;
    }
    const auto bytes = static_cast<std::size_t>(end_ - begin());
    const std::size_t there = read_bytes(descriptor_, begin(), buffer(), bytes, path_);
    std::memset(buffer() + there, 0, bytes - there);
    for (const Piece& p : pieces_)
      std::memcpy(buffer() + (p.at - begin()), p.memory, static_cast<std::size_t>(p.bytes));
    write_bytes(descriptor_, begin(), buffer(), bytes, path_);
  }

  bool reads_, locked_;
};

// In atomic mode nobody else is at work between the first and the last byte.
void lock_all(File* file, bool for_writing, MPI_Count from, MPI_Count bytes, FileLock* lock) {
  if (!file->is_atomic || bytes == 0) return;
  const FileView::Span all = file->view.span_of(from, bytes);
  const int error =
      lock->take(file->descriptor().number, for_writing, all.begin, all.end - all.begin);
  if (error != 0) throw_file_error(error, "locking " + file->name.path + ", in atomic mode");
}

// The parts of the data, in a row each: `each_part(first byte, bytes)` of those in memory.
template <class Part>
void by_chunks(MPI_Count bytes, MPI_Count most, Part part) {
  for (MPI_Count from = 0; from < bytes; from += most) {
    if (!part(from, std::min(most, bytes - from))) return;
  }
}

// How many of a type go through a buffer at a time, in external32.
MPI_Count at_a_time(MPI_Count each) { return std::max<MPI_Count>(1, kChunkBytes / each); }

char* nth(const Transfer& t, MPI_Count i) {
  return static_cast<char*>(t.data) + i * t.type.extent();
}

std::unique_ptr<char[]> buffer_of(MPI_Count bytes) {
  return std::unique_ptr<char[]>(new char[static_cast<std::size_t>(bytes)]);
}

// Nothing is brought that follows what is not there.
MPI_Count read_external(const FileView& view, Reader* reader, MPI_Count from, const Transfer& t) {
  const MPI_Count each = view.stream_bytes(t.type, 1), few = at_a_time(each);
  const std::unique_ptr<char[]> buffer = buffer_of(each * std::min(few, t.count));
  MPI_Count seen = 0, unpacked = 0;
  by_chunks(t.count, few, [&](MPI_Count i, MPI_Count n) {
    char* to = buffer.get();
    view.for_each_piece(from + i * each, n * each, [&](MPI_Offset at, MPI_Count bytes) {
      reader->add(at, bytes, to);
      to += bytes;
    });
    const MPI_Count now = reader->finish() - seen;
    seen += now;
    MPI_Count bytes = 0;
    throw_failure(unpack_external_front(buffer.get(), now, nth(t, i), n, *t.type, &bytes));
    unpacked += bytes;
    return !reader->at_end();
  });
  return unpacked;
}

void write_external(const FileView& view, Writer* writer, MPI_Count from, const Transfer& t) {
  const MPI_Count each = view.stream_bytes(t.type, 1), few = at_a_time(each);
  const MPI_Count room = each * std::min(few, t.count);
  const std::unique_ptr<char[]> buffer = buffer_of(room);
  by_chunks(t.count, few, [&](MPI_Count i, MPI_Count n) {
    MPI_Count packed = 0;
    throw_failure(pack_external("external32", nth(t, i), n, *t.type, buffer.get(), room, &packed));
    const char* data = buffer.get();
    view.for_each_piece(from + i * each, n * each, [&](MPI_Offset at, MPI_Count bytes) {
      writer->add(at, bytes, data);
      data += bytes;
    });
    writer->finish();
    return true;
  });
}

}  // namespace

MPI_Count elementary_types(const File& file, const Transfer& t) {
  const MPI_Count bytes = file.view.stream_bytes(t.type, t.count);
  if (bytes % file.view.etype_bytes() == 0) return bytes / file.view.etype_bytes();
  throw CallError(MPI_ERR_IO,
                  text("%ld bytes are no whole number of the view's elementary types, "
                       "which have %ld",
                       static_cast<long>(bytes), static_cast<long>(file.view.etype_bytes())));
}

MPI_Count read(File* file, const Transfer& t) {
  const FileView& view = file->view;
  const MPI_Count from = view.stream_begin(t.offset), all = view.stream_bytes(t.type, t.count);
  if (all == 0) return 0;
  FileLock lock;
  lock_all(file, false, from, all, &lock);
  char* row = t.type.in_a_row(t.data, t.count);
  const bool is_external = view.representation == FileView::Representation::kExternal;
  Reader reader(file, row == nullptr && !is_external);
  if (is_external) return read_external(view, &reader, from, t);
  if (row != nullptr) {
    view.for_each_piece(from, all, [&](MPI_Offset at, MPI_Count bytes) {
      reader.add(at, bytes, row);
      row += bytes;
    });
    return reader.finish();
  }
  const std::unique_ptr<char[]> buffer = buffer_of(std::min(all, kChunkBytes));
  by_chunks(all, kChunkBytes, [&](MPI_Count begin, MPI_Count n) {
    char* to = buffer.get();
    view.for_each_piece(from + begin, n, [&](MPI_Offset at, MPI_Count bytes) {
      reader.add(at, bytes, to);
      to += bytes;
    });
    reader.finish();
    reader.take_parts(buffer.get(), n, [&](const char* part, MPI_Count bytes) {
      const MPI_Count where = begin + (part - buffer.get());
      throw_failure(unpack(part, where, bytes, t.data, t.count, *t.type));
    });
    return !reader.is_over();
  });
  return reader.finish();
}

MPI_Count write(File* file, const Transfer& t) {
  const FileView& view = file->view;
  const MPI_Count from = view.stream_begin(t.offset), all = view.stream_bytes(t.type, t.count);
  if (all == 0) return 0;
  FileLock lock;
  lock_all(file, true, from, all, &lock);
  Writer writer(file, file->is_atomic);
  if (view.representation == FileView::Representation::kExternal) {
    write_external(view, &writer, from, t);
  } else if (const char* row = t.type.in_a_row(t.data, t.count)) {
    view.for_each_piece(from, all, [&](MPI_Offset at, MPI_Count bytes) {
      writer.add(at, bytes, row);
      row += bytes;
    });
    writer.finish();
  } else {
    const std::unique_ptr<char[]> buffer = buffer_of(std::min(all, kChunkBytes));
    by_chunks(all, kChunkBytes, [&](MPI_Count begin, MPI_Count n) {
      throw_failure(pack(t.data, t.count, *t.type, begin, n, buffer.get()));
      const char* data = buffer.get();
      view.for_each_piece(from + begin, n, [&](MPI_Offset at, MPI_Count bytes) {
        writer.add(at, bytes, data);
        data += bytes;
      });
      writer.finish();
      return true;
    });
  }
  return static_cast<MPI_Count>(t.type.bytes(t.count));
}

}  // namespace roam::mpi
