// Views of files, file pointers, atomicity, data representations (chapters 13.3, 13.4.3, 13.5 and
// 13.6 of the standard).

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "mpi/calls/collectives.h"
#include "mpi/calls/file_error.h"
#include "mpi/calls/file_frame.h"
#include "mpi/calls/shared_pointer.h"
#include "mpi/datatype/external_type.h"

namespace roam::mpi {
namespace {

// ---- views ----

struct Viewing {
  int error;
  int uses_shared_pointer;
  MPI_Count etype_bytes;
};

FileView view_of(VirtualRank& me, File* file, MPI_Offset displacement, MPI_Datatype etype,
                 MPI_Datatype filetype, const char* representation) {
  if (representation == nullptr || std::strlen(representation) >= MPI_MAX_DATAREP_STRING)
    throw CallError(MPI_ERR_ARG, "the name of the data representation is null or too long");
  if (displacement == MPI_DISPLACEMENT_CURRENT) {
    if (!file->has(MPI_MODE_SEQUENTIAL)) {
      throw CallError(MPI_ERR_ARG,
                      "MPI_DISPLACEMENT_CURRENT is for files open with MPI_MODE_SEQUENTIAL");
    }
    displacement = file->view.place_of(file->view.stream_begin(shared_pointer::get(file)));
  } else if (displacement < 0) {
    throw CallError(MPI_ERR_ARG, text("the displacement is %lld", displacement + 0LL));
  }
  return FileView::make(displacement, Type(me, etype), Type(me, filetype), representation,
                        file->is_writable());
}

// The pointers are at 0 afterwards.
int set_view(MPI_File handle, MPI_Offset displacement, MPI_Datatype etype, MPI_Datatype filetype,
             const char* representation, MPI_Info) {
  return call_of_file("MPI_File_set_view", handle, [&](VirtualRank& me, File& file) {
    FileView view;
    // The displacement may be where the shared pointer is when all have moved it.
    if (file.has(MPI_MODE_SEQUENTIAL)) wait_for_barrier(me, file.members);
    together<Viewing>(
        me, file.members,
        [&](Viewing* mine) {
          view = view_of(me, &file, displacement, etype, filetype, representation);
          mine->etype_bytes = view.etype_bytes();
          mine->uses_shared_pointer = file.uses_shared_pointer ? 1 : 0;
        },
        [&](std::vector<Viewing>& all) {
          bool shared = false;
          for (const Viewing& v : all) {
            if (v.etype_bytes != view.etype_bytes())
              throw CallError(MPI_ERR_NOT_SAME, "members give elementary types of other sizes");
            shared = shared || v.uses_shared_pointer != 0;
          }
          if (shared) shared_pointer::set(&file, 0);
        });
    file.view = std::move(view);
    file.position = file.shared_position = 0;
  });
}

// What the program gets is its own to free.
MPI_Datatype handle_of(VirtualRank& me, const Type& type) {
  if (type->named()) return type.handle();
  auto copy = std::make_unique<DerivedType>();
  copy->type = type.ref();
  copy->committed = true;
  return me.types.add(std::move(copy));
}
int get_view(MPI_File handle, MPI_Offset* displacement, MPI_Datatype* etype, MPI_Datatype* filetype,
             char* representation) {
  return call_of_file("MPI_File_get_view", handle,
                      needs(displacement, etype, filetype, representation),
                      [&](VirtualRank& me, File& file) {
                        *displacement = file.view.displacement;
                        *etype = handle_of(me, file.view.etype);
                        *filetype = handle_of(me, file.view.filetype);
                        std::snprintf(representation, MPI_MAX_DATAREP_STRING, "%s",
                                      file.view.representation_name.c_str());
                      });
}

template <class Count>
int get_type_extent(MPI_File handle, MPI_Datatype datatype, Count* extent) {
  return call_of_file("MPI_File_get_type_extent", handle, needs(extent),
                      [&](VirtualRank& me, File& file) {
                        TypeRef there = Type(me, datatype).ref();
                        if (file.view.representation == FileView::Representation::kExternal)
                          throw_failure(make_external_type(TypeRef(there), &there));
                        *extent = there->bounds.extent();
                      });
}

// Functions of the program's that convert are not called: a view with them is refused.
template <class Function>
int register_representation(const char* name, Function*, Function*, MPI_Datarep_extent_function*,
                            void*) {
  return file_call("MPI_Register_datarep", MPI_FILE_NULL, [&](VirtualRank& me) {
    if (name == nullptr || std::strlen(name) >= MPI_MAX_DATAREP_STRING)
      throw CallError(MPI_ERR_ARG, "the name of the data representation is null or too long");
    for (const char* known : {"native", "internal", "external32"}) {
      if (std::strcmp(name, known) == 0)
        throw CallError(MPI_ERR_DUP_DATAREP, text("there is \"%s\" already", name));
    }
    if (!me.files.representations.insert(name).second)
      throw CallError(MPI_ERR_DUP_DATAREP, text("there is \"%s\" already", name));
  });
}

// ---- pointers ----

// Where a pointer is that is moved from `now`. CallError.
MPI_Offset moved(File* file, MPI_Offset now, MPI_Offset offset, int whence) {
  MPI_Offset from = 0, to = 0;
  if (whence == MPI_SEEK_CUR) {
    from = now;
  } else if (whence == MPI_SEEK_END) {
    from = file->view.end_of(file->size());
  } else if (whence != MPI_SEEK_SET) {
    throw CallError(MPI_ERR_ARG,
                    text("%d is none of MPI_SEEK_SET, MPI_SEEK_CUR and MPI_SEEK_END", whence));
  }
  if (__builtin_add_overflow(from, offset, &to) || to < 0) {
    throw CallError(MPI_ERR_ARG,
                    text("the pointer would be at %lld and %lld", from + 0LL, offset + 0LL));
  }
  return to;
}

void check_not_sequential(const File& file) {
  if (file.has(MPI_MODE_SEQUENTIAL))
    throw CallError(MPI_ERR_UNSUPPORTED_OPERATION, "the file is open with MPI_MODE_SEQUENTIAL");
}

int seek(MPI_File handle, MPI_Offset offset, int whence) {
  return call_of_file("MPI_File_seek", handle, [&](VirtualRank& me, File& file) {
    check_not_sequential(file);
    if (whence == MPI_SEEK_END) me.look_around();
    file.position = moved(&file, file.position, offset, whence);
  });
}
int get_position(MPI_File handle, MPI_Offset* offset) {
  return call_of_file("MPI_File_get_position", handle, needs(offset),
                      [&](VirtualRank&, File& file) {
                        check_not_sequential(file);
                        *offset = file.position;
                      });
}
int get_byte_offset(MPI_File handle, MPI_Offset offset, MPI_Offset* bytes) {
  return call_of_file("MPI_File_get_byte_offset", handle, needs(bytes),
                      [&](VirtualRank&, File& file) {
                        check_not_sequential(file);
                        if (offset < 0)
                          throw CallError(MPI_ERR_ARG, text("the offset is %lld", offset + 0LL));
                        *bytes = file.view.place_of(file.view.stream_begin(offset));
                      });
}

struct Seeking {
  int error;
  int whence;
  MPI_Offset offset;
};

int seek_shared(MPI_File handle, MPI_Offset offset, int whence) {
  return call_of_file("MPI_File_seek_shared", handle, [&](VirtualRank& me, File& file) {
    together<Seeking>(
        me, file.members,
        [&](Seeking* mine) {
          check_not_sequential(file);
          *mine = {MPI_SUCCESS, whence, offset};
        },
        [&](std::vector<Seeking>& all) {
          for (const Seeking& s : all) {
            if (s.whence != whence || s.offset != offset)
              throw CallError(MPI_ERR_NOT_SAME, "members move the shared pointer elsewhere");
          }
          shared_pointer::set(&file, moved(&file, shared_pointer::get(&file), offset, whence));
        });
  });
}
int get_position_shared(MPI_File handle, MPI_Offset* offset) {
  return call_of_file("MPI_File_get_position_shared", handle, needs(offset),
                      [&](VirtualRank& me, File& file) {
                        check_not_sequential(file);
                        me.look_around();
                        *offset = shared_pointer::get(&file);
                      });
}

// ---- who sees what when ----

struct Atomic {
  int error;
  int flag;
};

int set_atomicity(MPI_File handle, int flag) {
  return call_of_file("MPI_File_set_atomicity", handle, [&](VirtualRank& me, File& file) {
    together<Atomic>(
        me, file.members, [&](Atomic* mine) { mine->flag = flag != 0 ? 1 : 0; },
        [](std::vector<Atomic>& all) {
          for (const Atomic& a : all) {
            if (a.flag != all[0].flag)
              throw CallError(MPI_ERR_NOT_SAME, "some members want atomic mode, and others not");
          }
        });
    file.is_atomic = flag != 0;
  });
}
int get_atomicity(MPI_File handle, int* flag) {
  return call_of_file("MPI_File_get_atomicity", handle, needs(flag),
                      [&](VirtualRank&, File& file) { *flag = file.is_atomic ? 1 : 0; });
}
// What this virtual rank wrote under another kernel, where it was before, was given to the server
// with the lock of its bytes.
int sync(MPI_File handle) {
  return call_of_file("MPI_File_sync", handle, [&](VirtualRank& me, File& file) {
    me.look_around();
    if (fsync(file.descriptor().number) != 0 && errno != EINVAL)
      throw_file_error(errno, "sync of " + file.name.path);
  });
}

}  // namespace

void add_file_view_calls() {
  add_call("MPI_File_set_view", &set_view);
  add_call("MPI_File_get_view", &get_view);
  add_call("MPI_File_get_type_extent", &get_type_extent<MPI_Aint>);
  add_call("MPI_File_get_type_extent_c", &get_type_extent<MPI_Count>);
  add_call("MPI_Register_datarep", &register_representation<MPI_Datarep_conversion_function>);
  add_call("MPI_Register_datarep_c", &register_representation<MPI_Datarep_conversion_function_c>);
  add_call("MPI_File_seek", &seek);
  add_call("MPI_File_get_position", &get_position);
  add_call("MPI_File_get_byte_offset", &get_byte_offset);
  add_call("MPI_File_seek_shared", &seek_shared);
  add_call("MPI_File_get_position_shared", &get_position_shared);
  add_call("MPI_File_set_atomicity", &set_atomicity);
  add_call("MPI_File_get_atomicity", &get_atomicity);
  add_call("MPI_File_sync", &sync);
}

}  // namespace roam::mpi
