#include "mpi/calls/error_classes.h"

#include <mpi.h>

#include <algorithm>
#include <iterator>

namespace roam::mpi {
namespace {

struct Class {
  int number;
  const char* name;
  const char* text;
};
#define ROAM_CLASS(kName, kText) \
  { kName, #kName, kText }
constexpr Class kClasses[] = {
    ROAM_CLASS(MPI_SUCCESS, "no error"),
    ROAM_CLASS(MPI_ERR_BUFFER, "invalid buffer"),
    ROAM_CLASS(MPI_ERR_COUNT, "invalid count"),
    ROAM_CLASS(MPI_ERR_TYPE, "invalid datatype"),
    ROAM_CLASS(MPI_ERR_TAG, "invalid tag"),
    ROAM_CLASS(MPI_ERR_COMM, "invalid communicator"),
    ROAM_CLASS(MPI_ERR_RANK, "invalid rank"),
    ROAM_CLASS(MPI_ERR_ROOT, "invalid root"),
    ROAM_CLASS(MPI_ERR_GROUP, "invalid group"),
    ROAM_CLASS(MPI_ERR_OP, "invalid operation"),
    ROAM_CLASS(MPI_ERR_TOPOLOGY, "invalid topology"),
    ROAM_CLASS(MPI_ERR_DIMS, "invalid dimensions"),
    ROAM_CLASS(MPI_ERR_ARG, "invalid argument"),
    ROAM_CLASS(MPI_ERR_UNKNOWN, "unknown error"),
    ROAM_CLASS(MPI_ERR_TRUNCATE, "a message is longer than the buffer it is received in"),
    ROAM_CLASS(MPI_ERR_OTHER, "another error"),
    ROAM_CLASS(MPI_ERR_INTERN, "internal error"),
    ROAM_CLASS(MPI_ERR_IN_STATUS, "the statuses have the errors"),
    ROAM_CLASS(MPI_ERR_PENDING, "neither failed nor done"),
    ROAM_CLASS(MPI_ERR_REQUEST, "invalid request"),
    ROAM_CLASS(MPI_ERR_ACCESS, "permission denied"),
    ROAM_CLASS(MPI_ERR_AMODE, "invalid mode of access"),
    ROAM_CLASS(MPI_ERR_BAD_FILE, "invalid file name"),
    ROAM_CLASS(MPI_ERR_CONVERSION, "a conversion of data failed"),
    ROAM_CLASS(MPI_ERR_DUP_DATAREP, "a data representation of that name exists"),
    ROAM_CLASS(MPI_ERR_FILE_EXISTS, "the file exists"),
    ROAM_CLASS(MPI_ERR_FILE_IN_USE, "the file is in use"),
    ROAM_CLASS(MPI_ERR_FILE, "invalid file handle"),
    ROAM_CLASS(MPI_ERR_INFO, "invalid info"),
    ROAM_CLASS(MPI_ERR_INFO_KEY, "invalid key of an info"),
    ROAM_CLASS(MPI_ERR_INFO_VALUE, "invalid value of an info"),
    ROAM_CLASS(MPI_ERR_INFO_NOKEY, "the info has no such key"),
    ROAM_CLASS(MPI_ERR_IO, "input or output failed"),
    ROAM_CLASS(MPI_ERR_NAME, "no such service name"),
    ROAM_CLASS(MPI_ERR_NO_MEM, "out of memory"),
    ROAM_CLASS(MPI_ERR_NOT_SAME, "members disagree"),
    ROAM_CLASS(MPI_ERR_NO_SPACE, "no space is left"),
    ROAM_CLASS(MPI_ERR_NO_SUCH_FILE, "no such file"),
    ROAM_CLASS(MPI_ERR_PORT, "invalid port name"),
    ROAM_CLASS(MPI_ERR_QUOTA, "quota exceeded"),
    ROAM_CLASS(MPI_ERR_READ_ONLY, "read-only"),
    ROAM_CLASS(MPI_ERR_SERVICE, "invalid service name"),
    ROAM_CLASS(MPI_ERR_SPAWN, "processes cannot be spawned"),
    ROAM_CLASS(MPI_ERR_UNSUPPORTED_DATAREP, "unsupported data representation"),
    ROAM_CLASS(MPI_ERR_UNSUPPORTED_OPERATION, "unsupported operation"),
    ROAM_CLASS(MPI_ERR_WIN, "invalid window"),
    ROAM_CLASS(MPI_ERR_BASE, "invalid base address"),
    ROAM_CLASS(MPI_ERR_LOCKTYPE, "invalid kind of lock"),
    ROAM_CLASS(MPI_ERR_KEYVAL, "invalid key of attributes"),
    ROAM_CLASS(MPI_ERR_RMA_CONFLICT, "conflicting accesses to a window"),
    ROAM_CLASS(MPI_ERR_RMA_SYNC, "wrong synchronisation of a window"),
    ROAM_CLASS(MPI_ERR_SIZE, "invalid size"),
    ROAM_CLASS(MPI_ERR_DISP, "invalid displacement"),
    ROAM_CLASS(MPI_ERR_ASSERT, "invalid assertion"),
    ROAM_CLASS(MPI_ERR_RMA_RANGE, "the target is not in the window"),
    ROAM_CLASS(MPI_ERR_RMA_ATTACH, "memory cannot be attached"),
    ROAM_CLASS(MPI_ERR_RMA_SHARED, "memory cannot be shared"),
    ROAM_CLASS(MPI_ERR_RMA_FLAVOR, "wrong kind of window"),
    ROAM_CLASS(MPI_ERR_SESSION, "invalid session"),
    ROAM_CLASS(MPI_ERR_PROC_ABORTED, "a process was aborted"),
    ROAM_CLASS(MPI_ERR_VALUE_TOO_LARGE, "a value is too large to be told"),
    ROAM_CLASS(MPI_T_ERR_MEMORY, "tools: out of memory"),
    ROAM_CLASS(MPI_T_ERR_NOT_INITIALIZED, "tools: the interface is not initialized"),
    ROAM_CLASS(MPI_T_ERR_CANNOT_INIT, "tools: the interface cannot be initialized now"),
    ROAM_CLASS(MPI_T_ERR_INVALID_INDEX, "tools: invalid index"),
    ROAM_CLASS(MPI_T_ERR_INVALID_ITEM, "tools: invalid item"),
    ROAM_CLASS(MPI_T_ERR_INVALID_HANDLE, "tools: invalid handle"),
    ROAM_CLASS(MPI_T_ERR_OUT_OF_HANDLES, "tools: no more handles"),
    ROAM_CLASS(MPI_T_ERR_OUT_OF_SESSIONS, "tools: no more sessions"),
    ROAM_CLASS(MPI_T_ERR_INVALID_SESSION, "tools: invalid session"),
    ROAM_CLASS(MPI_T_ERR_CVAR_SET_NOT_NOW, "tools: the variable cannot be set now"),
    ROAM_CLASS(MPI_T_ERR_CVAR_SET_NEVER, "tools: the variable cannot be set"),
    ROAM_CLASS(MPI_T_ERR_PVAR_NO_STARTSTOP, "tools: the variable is not started or stopped"),
    ROAM_CLASS(MPI_T_ERR_PVAR_NO_WRITE, "tools: the variable cannot be written"),
    ROAM_CLASS(MPI_T_ERR_PVAR_NO_ATOMIC, "tools: the variable is not read and written at once"),
    ROAM_CLASS(MPI_T_ERR_INVALID_NAME, "tools: no such name"),
    ROAM_CLASS(MPI_T_ERR_INVALID, "tools: invalid use"),
};
#undef ROAM_CLASS

const Class* find_class(int number) {
  const auto* const found = std::find_if(std::begin(kClasses), std::end(kClasses),
                                         [number](const Class& c) { return c.number == number; });
  return found == std::end(kClasses) ? nullptr : found;
}

constexpr int kFirstOwn = MPI_ERR_LASTCODE + 1;

}  // namespace

const char* name_of_error(int error_class) {
  const Class* found = find_class(error_class);
  return found == nullptr ? nullptr : found->name;
}

int OwnErrors::add(int error_class) {
  const int code = kFirstOwn + static_cast<int>(own_.size());
  own_.push_back({error_class < 0 ? code : error_class, {}});
  return code;
}

const OwnErrors::Own* OwnErrors::find(int code) const {
  if (code < kFirstOwn || code > last()) return nullptr;
  const Own* own = &own_[static_cast<std::size_t>(code - kFirstOwn)];
  return own->error_class == kGone ? nullptr : own;
}

// Numbers of the last ones are given again: no code that is there is of such a class.
bool OwnErrors::remove(int code, bool is_class) {
  const Own* own = find(code);
  if (own == nullptr || (own->error_class == code) != is_class) return false;
  own_[static_cast<std::size_t>(code - kFirstOwn)] = {kGone, {}};
  while (!own_.empty() && own_.back().error_class == kGone) own_.pop_back();
  return true;
}

bool OwnErrors::set_text(int code, const std::string& text) {
  if (find(code) == nullptr) return false;
  own_[static_cast<std::size_t>(code - kFirstOwn)].text = text;
  return true;
}

int OwnErrors::class_of(int code) const {
  if (const Own* own = find(code)) return own->error_class;
  return find_class(code) == nullptr ? MPI_ERR_UNKNOWN : code;
}

std::string OwnErrors::text_of(int code) const {
  if (const Own* own = find(code)) return own->text;
  const Class* found = find_class(code);
  return found == nullptr ? "unknown error" : std::string(found->name) + ": " + found->text;
}

int OwnErrors::last() const { return kFirstOwn + static_cast<int>(own_.size()) - 1; }

}  // namespace roam::mpi
