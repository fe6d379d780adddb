// Files: open and closed, their size, mode and error handlers (chapters 13.2, 13.6 and 8.3.3 of the
// standard).

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "mpi/calls/collectives.h"
#include "mpi/calls/ending.h"
#include "mpi/calls/file_error.h"
#include "mpi/calls/file_frame.h"
#include "mpi/calls/shared_pointer.h"
#include "roam/thread.h"

namespace roam::mpi {

// ---- the frame ----

int tell_file_error(VirtualRank& me, MPI_File handle, const char* name, const FailedCall& failed) {
  const File* file = me.files.find(handle);
  const MPI_Errhandler handler = file == nullptr ? me.files.errhandler : file->errhandler;
  int code = failed.code;
  if (returns_codes(handler)) return code;
  if (const UserErrhandler* own = me.errhandlers.find(handler)) {
    if (own->proxy != nullptr) {
      own->proxy(kHandlerOfFile, reinterpret_cast<int*>(&handle), &code,
                 reinterpret_cast<void (*)()>(own->file_function));
      return MPI_SUCCESS;  // as in tell_handler
    }
    own->file_function(&handle, &code);
    return code;
  }
  end_job(1,
          text("virtual rank %d: %s: %s: %s. MPI_ERRORS_ARE_FATAL is the error handler of the file",
               me.number(), name,
               name_of_error(code) == nullptr ? "an error of the program's" : name_of_error(code),
               failed.why.c_str()));
}

File& file_of(VirtualRank& me, MPI_File handle) {
  File* file = me.files.find(handle);
  if (file != nullptr) return *file;
  throw CallError(MPI_ERR_FILE, handle == MPI_FILE_NULL ? "the file is MPI_FILE_NULL"
                                                        : "it is no file, or was closed");
}

void throw_as_other(int rank, int error) {
  throw CallError(error, text("rank %d of those who have the file failed", rank));
}

namespace {

// ---- open ----

// A name may say what kind of file system it is on.
std::string plain_name(const char* name) {
  std::string path = name;
  for (const char* prefix : {"ufs:", "nfs:", "xfs:", "lustre:", "gpfs:", "panfs:"}) {
    if (path.starts_with(prefix)) return path.substr(std::strlen(prefix));
  }
  return path;
}

// It is opened anew in other processes, whose working folder may be another.
std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char folder[4096];
  if (getcwd(folder, sizeof folder) == nullptr) throw_file_error(errno, "the working folder");
  return std::string(folder) + "/" + path;
}

void check_mode(int mode) {
  constexpr int kAll = MPI_MODE_RDONLY | MPI_MODE_RDWR | MPI_MODE_WRONLY | MPI_MODE_CREATE |
                       MPI_MODE_EXCL | MPI_MODE_DELETE_ON_CLOSE | MPI_MODE_UNIQUE_OPEN |
                       MPI_MODE_APPEND | MPI_MODE_SEQUENTIAL;
  const int access = mode & (MPI_MODE_RDONLY | MPI_MODE_RDWR | MPI_MODE_WRONLY);
  const char* why = nullptr;
  if ((mode & ~kAll) != 0) {
    why = "has bits that mean nothing";
  } else if (access != MPI_MODE_RDONLY && access != MPI_MODE_RDWR && access != MPI_MODE_WRONLY) {
    why = "is to have one of MPI_MODE_RDONLY, MPI_MODE_RDWR and MPI_MODE_WRONLY";
  } else if (access == MPI_MODE_RDONLY && (mode & (MPI_MODE_CREATE | MPI_MODE_EXCL)) != 0) {
    why = "has MPI_MODE_RDONLY, with which no file is made";
  } else if (access == MPI_MODE_RDWR && (mode & MPI_MODE_SEQUENTIAL) != 0) {
    why = "has MPI_MODE_RDWR and MPI_MODE_SEQUENTIAL";
  }
  if (why != nullptr) throw CallError(MPI_ERR_AMODE, text("the mode %d %s", mode, why));
}

int flags_of(int mode) {
  if ((mode & MPI_MODE_RDWR) != 0) return O_RDWR;
  return (mode & MPI_MODE_WRONLY) != 0 ? O_WRONLY : O_RDONLY;
}

struct Opening {
  int error;
  int mode;
  // By rank 0.
  std::uint64_t id, random, kernel;
  dev_t device;
  ino_t inode;
  pid_t process;
  int descriptor;
  MPI_Offset size;
};

void open_as_first(VirtualRank& me, File* file, std::vector<Opening>& all) {
  for (const Opening& o : all) {
    if (o.mode != file->mode)
      throw CallError(MPI_ERR_NOT_SAME,
                      text("the members' modes are %d and %d", file->mode, o.mode));
  }
  FileName& name = file->name;
  name.id = me.make_context();
  open_files::open_first(&name,
                         name.flags | (file->has(MPI_MODE_CREATE) ? O_CREAT : 0) |
                             (file->has(MPI_MODE_CREATE) && file->has(MPI_MODE_EXCL) ? O_EXCL : 0));
  Opening& o = all[0];
  o.id = name.id;
  o.random = name.random;
  o.kernel = name.kernel;
  o.device = name.device;
  o.inode = name.inode;
  o.process = name.process;
  o.descriptor = name.descriptor;
  o.size = file->size();
}

void open_file(VirtualRank& me, Communicator& c, const char* path, int mode, File* file) {
  file->mode = mode;
  file->errhandler = me.files.errhandler;
  file->view = FileView::make(0, Type(me, MPI_BYTE), Type(me, MPI_BYTE), "native", false);
  const Opening first = together<Opening>(
      me, c,
      [&](Opening* mine) {
        mine->mode = mode;
        check_mode(mode);
        file->name.flags = flags_of(mode);
        file->name.path = absolute(plain_name(path));
      },
      [&](std::vector<Opening>& all) { open_as_first(me, file, all); })[0];
  FileName& name = file->name;
  name.id = first.id;
  name.random = first.random;
  name.is_checked = true;
  name.device = first.device;
  name.inode = first.inode;
  name.kernel = first.kernel;
  name.process = first.process;
  name.descriptor = first.descriptor;
  if (file->has(MPI_MODE_APPEND)) file->position = file->shared_position = first.size;
  file->members.context = first.id;
  file->members.group = c.group;
  file->members.rank = c.rank;
  try {
    together<NoWord>(
        me, c, [&](NoWord*) { file->descriptor(); }, [](std::vector<NoWord>&) {});
  } catch (const CallError&) {
    open_files::close_everywhere(name.id, file->used_on);
    throw;
  }
}

void add_info(VirtualRank& me, MPI_Info handle, Info* to) {
  if (handle == MPI_INFO_NULL) return;
  const Info* info = handle == MPI_INFO_ENV ? &me.environment_info : me.infos.find(handle);
  if (info == nullptr) throw CallError(MPI_ERR_INFO, "it is no info");
  for (const auto& [key, value] : info->entries) to->set(key, value);
}

// A program may try again and again until another one has made the file, has removed it, has moved
// its shared pointer, ...: calls in which it looks let others of its rank run (look_around).
int open(MPI_Comm communicator, const char* path, int mode, MPI_Info info, MPI_File* handle) {
  return file_call("MPI_File_open", MPI_FILE_NULL, needs(path, handle), [&](VirtualRank& me) {
    me.look_around();
    *handle = MPI_FILE_NULL;
    Communicator& c = me.communicator(communicator);
    if (c.is_inter()) throw CallError(MPI_ERR_COMM, "files are not opened by intercommunicators");
    auto file = std::make_unique<File>();
    add_info(me, info, &file->info);
    open_file(me, c, path, mode, file.get());
    *handle = me.files.add(std::move(file))->handle();
  });
}

// ---- closed ----

// What is to be closed: where there are descriptors, and whether there is a shared file pointer.
struct Used {
  std::vector<int> ranks;
  bool shared_pointer = false;
};

// A bit for each rank, and one for the pointer.
Used used_by_all(VirtualRank& me, File* file) {
  const int bits = ranks() + 1;
  const auto bytes = static_cast<std::size_t>(bits) / 8 + 1;
  std::vector<char> mine(bytes);
  const auto set = [&](int bit) {
    mine[static_cast<std::size_t>(bit) / 8] |= static_cast<char>(1 << bit % 8);
  };
  for (const int r : file->used_on) set(r);
  if (file->uses_shared_pointer) set(ranks());
  const auto members = static_cast<std::size_t>(file->members.size());
  const std::vector<char> all =
      agree_on_bytes(me, file->members, mine.data(), bytes, [=](char* begin) {
        for (std::size_t i = bytes; i < bytes * members; ++i) begin[i % bytes] |= begin[i];
      });
  const auto has = [&](int bit) {
    return (all[static_cast<std::size_t>(bit) / 8] >> bit % 8 & 1) != 0;
  };
  Used used;
  for (int r = 0; r < ranks(); ++r) {
    if (has(r)) used.ranks.push_back(r);
  }
  used.shared_pointer = has(ranks());
  return used;
}

// What is to be removed is removed where rank 0 opened it: it may be on another node by now. The
// file is open there until then, so no other one has its inode. Suspends.
void close_for_all(const File& file, Used used) {
  const int opener = file.used_on.front();
  const FileName pointer = shared_pointer::name_of(file.name);
  if (used.shared_pointer) {
    open_files::close_everywhere(pointer.id, used.ranks);
    open_files::remove_name(pointer, opener);
  }
  std::erase(used.ranks, opener);
  int error = open_files::close_everywhere(file.name.id, used.ranks);
  int kept = 0;
  if (error == 0 && file.has(MPI_MODE_DELETE_ON_CLOSE))
    kept = open_files::remove_name(file.name, opener);
  const int last = open_files::close_everywhere(file.name.id, {opener});
  if (error == 0) error = last;
  if (error != 0) throw_file_error(error, "closing " + file.name.path);
  if (kept == EEXIST) {
    throw CallError(MPI_ERR_FILE, "removing " + file.name.path +
                                      ": it is another file's name by now, which stays");
  }
  if (kept != 0) throw_file_error(kept, "removing " + file.name.path);
}

// When all have come, rank 0 closes it wherever it is open; nobody returns before.
int close(MPI_File* handle) {
  File* closed = nullptr;
  const MPI_File named = handle == nullptr ? MPI_FILE_NULL : *handle;
  const int result = file_call("MPI_File_close", named, needs(handle), [&](VirtualRank& me) {
    File& file = file_of(me, *handle);
    if (file.begun != nullptr) throw CallError(MPI_ERR_OTHER, text("%s has not ended", file.begun));
    const Used used = used_by_all(me, &file);
    const auto prepare = [&](NoWord*) {
      if (file.members.rank == 0) close_for_all(file, used);
    };
    closed = &file;  // whatever is said
    together<NoWord>(me, file.members, prepare, [](std::vector<NoWord>&) {});
  });
  // Its error handler has been told by now.
  if (closed != nullptr) {
    VirtualRank::running().files.remove(closed);
    *handle = MPI_FILE_NULL;
  }
  return result;
}

int remove(const char* path, MPI_Info) {
  return file_call("MPI_File_delete", MPI_FILE_NULL, needs(path), [&](VirtualRank& me) {
    me.look_around();
    const std::string name = plain_name(path);
    if (unlink(name.c_str()) != 0) throw_file_error(errno, name);
  });
}

// ---- size ----

struct Sized {
  int error;
  MPI_Offset size;
};

// Rank 0 does it for all: `change(descriptor, size)` returns the number of an error.
template <class Change>
void change_size(VirtualRank& me, File& file, MPI_Offset size, Change change) {
  together<Sized>(
      me, file.members,
      [&](Sized* mine) {
        mine->size = size;
        if (size < 0) throw CallError(MPI_ERR_ARG, text("the size is %lld", size + 0LL));
        if (!file.is_writable()) throw CallError(MPI_ERR_READ_ONLY, "the file is open for reading");
        if (file.has(MPI_MODE_SEQUENTIAL))
          throw CallError(MPI_ERR_UNSUPPORTED_OPERATION, "the file is open as a sequence");
      },
      [&](std::vector<Sized>& all) {
        for (const Sized& s : all) {
          if (s.size != size) throw CallError(MPI_ERR_NOT_SAME, "members give other sizes");
        }
        if (const int error = change(file.descriptor().number, size); error != 0)
          throw_file_error(error, "the size of " + file.name.path);
      });
}
int set_size(MPI_File handle, MPI_Offset size) {
  return call_of_file("MPI_File_set_size", handle, [&](VirtualRank& me, File& file) {
    change_size(me, file, size, [](int descriptor, MPI_Offset to) {
      return ftruncate(descriptor, to) == 0 ? 0 : errno;
    });
  });
}
// A file that is longer stays so.
int preallocate(MPI_File handle, MPI_Offset size) {
  return call_of_file("MPI_File_preallocate", handle, [&](VirtualRank& me, File& file) {
    change_size(me, file, size, [](int descriptor, MPI_Offset to) {
      return to == 0 ? 0 : posix_fallocate(descriptor, 0, to);
    });
  });
}
int get_size(MPI_File handle, MPI_Offset* size) {
  return call_of_file("MPI_File_get_size", handle, needs(size), [&](VirtualRank& me, File& file) {
    me.look_around();
    *size = file.size();
  });
}

// ---- what was given ----

int get_mode(MPI_File handle, int* mode) {
  return call_of_file("MPI_File_get_amode", handle, needs(mode),
                      [&](VirtualRank&, File& file) { *mode = file.mode; });
}
int get_group(MPI_File handle, MPI_Group* group) {
  return call_of_file("MPI_File_get_group", handle, needs(group),
                      [&](VirtualRank& me, File& file) { *group = me.add(file.members.group); });
}
int set_info(MPI_File handle, MPI_Info info) {
  return call_of_file("MPI_File_set_info", handle, [&](VirtualRank& me, File& file) {
    if (info == MPI_INFO_NULL) throw CallError(MPI_ERR_INFO, "the info is MPI_INFO_NULL");
    add_info(me, info, &file.info);
  });
}
int get_info(MPI_File handle, MPI_Info* info) {
  return call_of_file("MPI_File_get_info", handle, needs(info), [&](VirtualRank& me, File& file) {
    *info = me.infos.add(std::make_unique<Info>(file.info));
  });
}

MPI_Fint to_fortran(MPI_File handle) { return VirtualRank::running().files.number_of(handle); }
MPI_File from_fortran(MPI_Fint number) {
  File* file = VirtualRank::running().files.find_number(number);
  return file == nullptr ? MPI_FILE_NULL : file->handle();
}

// ---- error handlers ----

int make_errhandler(MPI_File_errhandler_function* function, MPI_Errhandler* handle) {
  return file_call(
      "MPI_File_create_errhandler", MPI_FILE_NULL, needs(handle), [&](VirtualRank& me) {
        *handle = me.errhandlers.add(
            std::make_unique<UserErrhandler>(UserErrhandler{.file_function = function}));
      });
}
MPI_Errhandler& errhandler_of(VirtualRank& me, MPI_File handle) {
  return handle == MPI_FILE_NULL ? me.files.errhandler : file_of(me, handle).errhandler;
}
int set_errhandler(MPI_File handle, MPI_Errhandler errhandler) {
  return file_call("MPI_File_set_errhandler", handle, [&](VirtualRank& me) {
    const UserErrhandler* own = me.errhandlers.find(errhandler);
    if (!is_predefined_errhandler(errhandler) && (own == nullptr || own->file_function == nullptr))
      throw CallError(MPI_ERR_ARG, "it is no error handler for files");
    errhandler_of(me, handle) = errhandler;
  });
}
int get_errhandler(MPI_File handle, MPI_Errhandler* errhandler) {
  return file_call("MPI_File_get_errhandler", handle, needs(errhandler), [&](VirtualRank& me) {
    *errhandler = me.name_errhandler(errhandler_of(me, handle));
  });
}
int call_errhandler(MPI_File handle, int code) {
  VirtualRank& me = VirtualRank::running();
  tell_file_error(me, handle, "MPI_File_call_errhandler", fail_as_asked(me, code));
  return MPI_SUCCESS;
}

}  // namespace

void add_file_calls() {
  add_call("MPI_File_open", &open);
  add_call("MPI_File_close", &close);
  add_call("MPI_File_delete", &remove);
  add_call("MPI_File_set_size", &set_size);
  add_call("MPI_File_preallocate", &preallocate);
  add_call("MPI_File_get_size", &get_size);
  add_call("MPI_File_get_amode", &get_mode);
  add_call("MPI_File_get_group", &get_group);
  add_call("MPI_File_set_info", &set_info);
  add_call("MPI_File_get_info", &get_info);
  add_call("MPI_File_c2f", &to_fortran);
  add_call("MPI_File_f2c", &from_fortran);
  add_call("MPI_File_create_errhandler", &make_errhandler);
  add_call("MPI_File_set_errhandler", &set_errhandler);
  add_call("MPI_File_get_errhandler", &get_errhandler);
  add_call("MPI_File_call_errhandler", &call_errhandler);
}

}  // namespace roam::mpi
