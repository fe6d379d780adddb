// Reading and writing of files (chapter 13.4 of the standard). Calls that do not wait have moved
// their data when they return, and collective ones move each member's own; of those in two parts
// the first does it.

#include <cstring>
#include <memory>
#include <utility>

#include "base/text.h"
#include "mpi/calls/file_frame.h"
#include "mpi/calls/file_transfer.h"
#include "mpi/calls/messages.h"
#include "mpi/calls/shared_pointer.h"

namespace roam::mpi {
namespace {

enum class Move { kRead, kWrite };
// What says where in the file.
enum class By { kOffset, kPointer, kShared, kOrder };

void check_access(const File& file, Move move, By by, MPI_Offset offset) {
  if (move == Move::kRead && !file.is_readable())
    throw CallError(MPI_ERR_ACCESS, "the file is open for writing only");
  if (move == Move::kWrite && !file.is_writable())
    throw CallError(MPI_ERR_READ_ONLY, "the file is open for reading only");
  if (file.has(MPI_MODE_SEQUENTIAL) && (by == By::kOffset || by == By::kPointer)) {
    throw CallError(MPI_ERR_UNSUPPORTED_OPERATION,
                    "the file is open with MPI_MODE_SEQUENTIAL: only the shared pointer is moved");
  }
  if (by == By::kOffset && offset < 0)
    throw CallError(MPI_ERR_ARG, text("the offset is %lld", offset + 0LL));
}

Transfer prepare(VirtualRank& me, const File& file, Move move, By by, MPI_Offset offset,
                 const void* data, MPI_Count count, MPI_Datatype datatype) {
  check_access(file, move, by, offset);
  Transfer t{offset, const_cast<void*>(data), count, Type(me, datatype)};
  t.type.check_buffer(data, count);
  return t;
}

struct Turn {
  int error;
  MPI_Count elementary_types;  // and then where the member's begin
};

// In the order of ranks, from where the shared pointer is.
MPI_Offset take_turn(VirtualRank& me, File* file, const std::function<MPI_Count()>& prepare) {
  const std::vector<Turn> all = together<Turn>(
      me, file->members, [&](Turn* mine) { mine->elementary_types = prepare(); },
      [&](std::vector<Turn>& turns) {
        MPI_Count sum = 0;
        for (const Turn& t : turns) {
          if (__builtin_add_overflow(sum, t.elementary_types, &sum))
            throw CallError(MPI_ERR_ARG, "the members' data is beyond 64 bits");
        }
        MPI_Offset at = shared_pointer::move(file, sum);
        for (Turn& t : turns) at += std::exchange(t.elementary_types, at);
      });
  return all[static_cast<std::size_t>(file->members.rank)].elementary_types;
}

// A program that reads again and again until something is there lets others of its rank write it:
// not before each read, since that costs up to half as much as a read of few bytes.
constexpr unsigned kReadsBetween = 16;

// Moves the data, and the pointer by what was asked for. What is told of it.
MPI_Status move_data(VirtualRank& me, File* file, Move move, By by, MPI_Offset offset,
                     const void* data, MPI_Count count, MPI_Datatype datatype) {
  if (move == Move::kRead && file->reads++ % kReadsBetween == 0) me.look_around();
  Transfer t;
  const auto begin = [&] {
    t = prepare(me, *file, move, by, offset, data, count, datatype);
    return elementary_types(*file, t);
  };
  if (by == By::kOrder) {
    t.offset = take_turn(me, file, begin);
  } else {
    const MPI_Count moved = begin();
    if (by == By::kPointer) {
      t.offset = file->position;
      if (__builtin_add_overflow(t.offset, moved, &file->position)) {
        file->position = t.offset;
        throw CallError(MPI_ERR_ARG, "the file pointer is moved beyond 64 bits");
      }
    } else if (by == By::kShared) {
      t.offset = shared_pointer::move(file, moved);
    }
  }
  MPI_Status status = empty_status();
  set_bytes(&status, move == Move::kRead ? read(file, t) : write(file, t));
  return status;
}

// ---- the calls, each with or without an offset ----

template <Name kName, Move kMove, By kBy, class Data, class Count>
int access(MPI_File handle, Data* data, Count count, MPI_Datatype type, MPI_Status* status) {
  return call_of_file(kName.text, handle, [&](VirtualRank& me, File& file) {
    tell(move_data(me, &file, kMove, kBy, 0, data, count, type), status);
  });
}
template <Name kName, Move kMove, class Data, class Count>
int access_at(MPI_File handle, MPI_Offset offset, Data* data, Count count, MPI_Datatype type,
              MPI_Status* status) {
  return call_of_file(kName.text, handle, [&](VirtualRank& me, File& file) {
    tell(move_data(me, &file, kMove, By::kOffset, offset, data, count, type), status);
  });
}

// A request that has ended.
MPI_Request ended(VirtualRank& me, const MPI_Status& status) {
  auto request = std::make_unique<Request>();
  request->started = true;
  request->status = status;
  return me.requests.add(std::move(request));
}
template <Name kName, Move kMove, By kBy, class Data, class Count>
int start(MPI_File handle, Data* data, Count count, MPI_Datatype type, MPI_Request* request) {
  return call_of_file(kName.text, handle, needs(request), [&](VirtualRank& me, File& file) {
    *request = MPI_REQUEST_NULL;
    *request = ended(me, move_data(me, &file, kMove, kBy, 0, data, count, type));
  });
}
template <Name kName, Move kMove, class Data, class Count>
int start_at(MPI_File handle, MPI_Offset offset, Data* data, Count count, MPI_Datatype type,
             MPI_Request* request) {
  return call_of_file(kName.text, handle, needs(request), [&](VirtualRank& me, File& file) {
    *request = MPI_REQUEST_NULL;
    *request = ended(me, move_data(me, &file, kMove, By::kOffset, offset, data, count, type));
  });
}

// One at a time is under way for a file.
void begin_split(VirtualRank& me, File* file, const char* kind, Move move, By by, MPI_Offset offset,
                 const void* data, MPI_Count count, MPI_Datatype type) {
  if (file->begun != nullptr)
    throw CallError(MPI_ERR_OTHER, text("%s has not ended, and another begins", file->begun));
  file->begun_status = move_data(me, file, move, by, offset, data, count, type);
  file->begun = kind;
}
// Which of them it is: the name of the call without _begin or _end.
template <Name kName, Name kKind, Move kMove, By kBy, class Data, class Count>
int begin(MPI_File handle, Data* data, Count count, MPI_Datatype type) {
  return call_of_file(kName.text, handle, [&](VirtualRank& me, File& file) {
    begin_split(me, &file, kKind.text, kMove, kBy, 0, data, count, type);
  });
}
template <Name kName, Name kKind, Move kMove, class Data, class Count>
int begin_at(MPI_File handle, MPI_Offset offset, Data* data, Count count, MPI_Datatype type) {
  return call_of_file(kName.text, handle, [&](VirtualRank& me, File& file) {
    begin_split(me, &file, kKind.text, kMove, By::kOffset, offset, data, count, type);
  });
}
template <Name kName, Name kKind, class Data>
int end(MPI_File handle, Data*, MPI_Status* status) {
  return call_of_file(kName.text, handle, [&](VirtualRank&, File& file) {
    if (file.begun == nullptr || std::strcmp(file.begun, kKind.text) != 0) {
      throw CallError(MPI_ERR_OTHER, text("%s is under way",
                                          file.begun == nullptr ? "no collective" : file.begun));
    }
    file.begun = nullptr;
    tell(file.begun_status, status);
  });
}

using Into = void;
using From = const void;

}  // namespace

// Of `kind` what reads and what writes, with its pointer; without waiting by `ikind`.
#define ROAM_ACCESS(kWord, kMove, kBy, kData) \
  ROAM_BOTH("MPI_File_" kWord, access, Move::kMove, By::kBy, kData)
#define ROAM_START(kWord, kMove, kBy, kData) \
  ROAM_BOTH("MPI_File_i" kWord, start, Move::kMove, By::kBy, kData)
#define ROAM_SPLIT(kWord, kMove, kBy, kData)                                                    \
  ROAM_BOTH("MPI_File_" kWord "_begin", begin, "MPI_File_" kWord, Move::kMove, By::kBy, kData); \
  add_call("MPI_File_" kWord "_end", &end<"MPI_File_" kWord "_end", "MPI_File_" kWord, kData>)

void add_file_access_calls() {
  ROAM_ACCESS("read", kRead, kPointer, Into);
  ROAM_ACCESS("read_all", kRead, kPointer, Into);
  ROAM_ACCESS("read_shared", kRead, kShared, Into);
  ROAM_ACCESS("read_ordered", kRead, kOrder, Into);
  ROAM_ACCESS("write", kWrite, kPointer, From);
  ROAM_ACCESS("write_all", kWrite, kPointer, From);
  ROAM_ACCESS("write_shared", kWrite, kShared, From);
  ROAM_ACCESS("write_ordered", kWrite, kOrder, From);
  ROAM_BOTH("MPI_File_read_at", access_at, Move::kRead, Into);
  ROAM_BOTH("MPI_File_read_at_all", access_at, Move::kRead, Into);
  ROAM_BOTH("MPI_File_write_at", access_at, Move::kWrite, From);
  ROAM_BOTH("MPI_File_write_at_all", access_at, Move::kWrite, From);

  ROAM_START("read", kRead, kPointer, Into);
  ROAM_START("read_all", kRead, kPointer, Into);
  ROAM_START("read_shared", kRead, kShared, Into);
  ROAM_START("write", kWrite, kPointer, From);
  ROAM_START("write_all", kWrite, kPointer, From);
  ROAM_START("write_shared", kWrite, kShared, From);
  ROAM_BOTH("MPI_File_iread_at", start_at, Move::kRead, Into);
  ROAM_BOTH("MPI_File_iread_at_all", start_at, Move::kRead, Into);
  ROAM_BOTH("MPI_File_iwrite_at", start_at, Move::kWrite, From);
  ROAM_BOTH("MPI_File_iwrite_at_all", start_at, Move::kWrite, From);

  ROAM_SPLIT("read_all", kRead, kPointer, Into);
  ROAM_SPLIT("read_ordered", kRead, kOrder, Into);
  ROAM_SPLIT("write_all", kWrite, kPointer, From);
  ROAM_SPLIT("write_ordered", kWrite, kOrder, From);
  ROAM_BOTH("MPI_File_read_at_all_begin", begin_at, "MPI_File_read_at_all", Move::kRead, Into);
  ROAM_BOTH("MPI_File_write_at_all_begin", begin_at, "MPI_File_write_at_all", Move::kWrite, From);
  add_call("MPI_File_read_at_all_end",
           &end<"MPI_File_read_at_all_end", "MPI_File_read_at_all", Into>);
  add_call("MPI_File_write_at_all_end",
           &end<"MPI_File_write_at_all_end", "MPI_File_write_at_all", From>);
}

}  // namespace roam::mpi
