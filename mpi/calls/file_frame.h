#ifndef ROAM_MPI_CALLS_FILE_FRAME_H_
#define ROAM_MPI_CALLS_FILE_FRAME_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "mpi/calls/call.h"
#include "mpi/calls/communicators.h"
#include "mpi/calls/file.h"

// The frame of each function for files.
namespace roam::mpi {

// Tells the error handler of the file; that of MPI_FILE_NULL, if it is none.
int tell_file_error(VirtualRank& me, MPI_File handle, const char* name, const FailedCall& failed);

// Runs `body(me)`; errors go to the handler of the file.
template <class Body>
int file_call(const char* name, MPI_File handle, Needs given, Body body) {
  if (const VirtualRank& me = VirtualRank::running(); !me.is_open()) [[unlikely]]
    refuse_call(me, name);
  return call_telling(
      name,
      [=](VirtualRank& me, const FailedCall& failed) {
        return tell_file_error(me, handle, name, failed);
      },
      given, body);
}
template <class Body>
int file_call(const char* name, MPI_File handle, Body body) {
  return file_call(name, handle, Needs(), body);
}
// The same, with `body(me, file)`. CallError(MPI_ERR_FILE): it is none.
File& file_of(VirtualRank& me, MPI_File handle);
template <class Body>
int call_of_file(const char* name, MPI_File handle, Needs given, Body body) {
  return file_call(name, handle, given, [&](VirtualRank& me) { body(me, file_of(me, handle)); });
}
template <class Body>
int call_of_file(const char* name, MPI_File handle, Body body) {
  return call_of_file(name, handle, Needs(), body);
}

// CallError: another member failed with this class.
[[noreturn]] void throw_as_other(int rank, int error);

// What all members of a file do together. Each calls prepare(&its word); when none has thrown
// CallError, rank 0 calls work(the words of all, by rank), and all return them. If anything fails,
// all fail. A Word is plain data with an int `error`. Suspends.
template <class Word, class Prepare, class Work>
std::vector<Word> together(VirtualRank& me, Communicator& c, Prepare prepare, Work work) {
  Word mine{};
  std::unique_ptr<CallError> own;
  const auto guarded = [&own](Word* word, auto body) {
    try {
      body();
      return;
    } catch (const CallError& failure) {
      own = std::make_unique<CallError>(failure);
    } catch (const Error& error) {
      own = std::make_unique<CallError>(MPI_ERR_OTHER, error.what());
    } catch (const std::bad_alloc&) {
      own = std::make_unique<CallError>(MPI_ERR_NO_MEM, "there is no memory");
    }
    word->error = own->code;
  };
  guarded(&mine, [&] { prepare(&mine); });
  std::vector<Word> all(static_cast<std::size_t>(c.size()));
  const auto failed = [&all] {
    return std::find_if(all.begin(), all.end(), [](const Word& w) { return w.error != 0; });
  };
  const auto take = [&all](const char* bytes) {
    std::memcpy(all.data(), bytes, all.size() * sizeof(Word));
  };
  const std::vector<char> bytes = agree_on_bytes(me, c, &mine, sizeof mine, [&](char* words) {
    take(words);
    if (failed() == all.end()) guarded(&all[0], [&] { work(all); });
    std::memcpy(words, all.data(), all.size() * sizeof(Word));
  });
  take(bytes.data());
  if (failed() == all.end()) return all;
  if (own != nullptr) throw CallError(*own);
  throw_as_other(static_cast<int>(failed() - all.begin()), failed()->error);
}
// Nothing more than that no member fails, or that all have come.
struct NoWord {
  int error;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_FILE_FRAME_H_
