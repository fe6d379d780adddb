// Attributes of communicators, datatypes and windows (chapter 6.7 of the standard).

#include <cstdint>
#include <cstring>
#include <memory>

#include "base/text.h"
#include "mpi/calls/call.h"

namespace roam::mpi {
namespace {

using Of = Keyval::Of;

void check_keyval(VirtualRank& me, int keyval, Of of) {
  if (const Keyval* key = me.keyvals.find(keyval); key != nullptr && key->of == of) return;
  throw CallError(MPI_ERR_KEYVAL,
                  text("0x%08x is no key that the program made for attributes of %s",
                       static_cast<unsigned>(keyval),
                       of == Of::kCommunicators ? "communicators"
                       : of == Of::kDatatypes   ? "datatypes"
                                                : "windows"));
}

template <Name kName, Of kOf>
int make_keyval(Keyval::Copy copy, Keyval::Remove remove, int* keyval, void* extra) {
  return call(kName.text, MPI_COMM_WORLD, needs(keyval), [&](VirtualRank& me) {
    *keyval = me.keyvals.add(std::make_unique<Keyval>(
        Keyval{.of = kOf, .copy = copy, .remove = remove, .extra = extra}));
  });
}
// Attributes that have it keep its functions, and its number is not used again before they go.
template <Name kName, Of kOf>
int free_keyval(int* keyval) {
  return call(kName.text, MPI_COMM_WORLD, needs(keyval), [&](VirtualRank& me) {
    check_keyval(me, *keyval, kOf);
    me.free_keyval(*keyval);
    *keyval = MPI_KEYVAL_INVALID;
  });
}
// What MPI_COMM_DUP_FN and MPI_TYPE_DUP_FN are in MPICH's header: the value itself.
int copy_value(int, int, void*, void* value, void* copied, int* wanted) {
  std::memcpy(copied, &value, sizeof value);
  *wanted = 1;
  return MPI_SUCCESS;
}

// MPICH's libraries of other languages: the functions of the key are theirs.
void set_proxy(int keyval, Keyval::CopyProxy copy, Keyval::RemoveProxy remove) {
  if (Keyval* key = VirtualRank::running().keyvals.find(keyval)) {
    key->copy_proxy = copy;
    key->remove_proxy = remove;
  }
}

// C gets the address, Fortran the value.
template <class Number>
void give(Number* found, AttributeKind as, void* value, int* flag) {
  std::intptr_t given = *found;
  if (as == AttributeKind::kPointer) given = reinterpret_cast<std::intptr_t>(found);
  std::memcpy(value, &given, sizeof given);
  *flag = 1;
}

// Whether it is one of the standard's, which all communicators have. Fortran's keys have the
// numbers behind those of C.
bool give_predefined(VirtualRank& me, int keyval, AttributeKind as, void* value, int* flag) {
  VirtualRank::Predefined& p = me.predefined;
  constexpr int kFirst = MPI_TAG_UB, kLast = MPI_APPNUM + 1;
  const bool is_of_fortran = keyval >= kFirst && keyval <= kLast && (keyval - kFirst) % 2 == 1;
  switch (is_of_fortran ? keyval - 1 : keyval) {
    case MPI_TAG_UB:
      give(&p.most_tag, as, value, flag);
      return true;
    case MPI_HOST:
      give(&p.host, as, value, flag);
      return true;
    case MPI_IO:
      give(&p.io, as, value, flag);
      return true;
    case MPI_WTIME_IS_GLOBAL:
      give(&p.wtime_is_global, as, value, flag);
      return true;
    case MPI_LASTUSEDCODE:
      give(&p.last_used_code, as, value, flag);
      return true;
    case MPI_UNIVERSE_SIZE:
      give(&p.universe_size, as, value, flag);
      return true;
    case MPI_APPNUM:
      give(&p.program_number, as, value, flag);
      return true;
    default:
      return false;
  }
}

int set_of_communicator_as(MPI_Comm handle, int keyval, void* value, AttributeKind kind) {
  return call("MPI_Comm_set_attr", handle, [&](VirtualRank& me) {
    Communicator& c = me.communicator(handle);
    check_keyval(me, keyval, Of::kCommunicators);
    c.attributes.set(me, handle, keyval, value, kind);
  });
}
int set_of_communicator(MPI_Comm handle, int keyval, void* value) {
  return set_of_communicator_as(handle, keyval, value, AttributeKind::kPointer);
}
int get_of_communicator_as(MPI_Comm handle, int keyval, void* value, int* flag, AttributeKind as) {
  return call("MPI_Comm_get_attr", handle, needs(value, flag), [&](VirtualRank& me) {
    const Communicator& c = me.communicator(handle);
    *flag = 0;
    if (give_predefined(me, keyval, as, value, flag)) return;
    check_keyval(me, keyval, Of::kCommunicators);
    *flag = c.attributes.get(keyval, as, value) ? 1 : 0;
  });
}
int get_of_communicator(MPI_Comm handle, int keyval, void* value, int* flag) {
  return get_of_communicator_as(handle, keyval, value, flag, AttributeKind::kPointer);
}
int delete_of_communicator(MPI_Comm handle, int keyval) {
  return call("MPI_Comm_delete_attr", handle, [&](VirtualRank& me) {
    check_keyval(me, keyval, Of::kCommunicators);
    me.communicator(handle).attributes.remove(me, handle, keyval);
  });
}

// Of predefined datatypes too.
Attributes& attributes_of(VirtualRank& me, MPI_Datatype handle) {
  const Type type(me, handle);
  DerivedType* derived = me.types.find(handle);
  return derived != nullptr ? derived->attributes : me.predefined_type_attributes[handle];
}
int set_of_type_as(MPI_Datatype handle, int keyval, void* value, AttributeKind kind) {
  return call("MPI_Type_set_attr", MPI_COMM_WORLD, [&](VirtualRank& me) {
    check_keyval(me, keyval, Of::kDatatypes);
    attributes_of(me, handle).set(me, handle, keyval, value, kind);
  });
}
int set_of_type(MPI_Datatype handle, int keyval, void* value) {
  return set_of_type_as(handle, keyval, value, AttributeKind::kPointer);
}
int get_of_type_as(MPI_Datatype handle, int keyval, void* value, int* flag, AttributeKind as) {
  return call("MPI_Type_get_attr", MPI_COMM_WORLD, needs(value, flag), [&](VirtualRank& me) {
    check_keyval(me, keyval, Of::kDatatypes);
    *flag = attributes_of(me, handle).get(keyval, as, value) ? 1 : 0;
  });
}
int get_of_type(MPI_Datatype handle, int keyval, void* value, int* flag) {
  return get_of_type_as(handle, keyval, value, flag, AttributeKind::kPointer);
}
int delete_of_type(MPI_Datatype handle, int keyval) {
  return call("MPI_Type_delete_attr", MPI_COMM_WORLD, [&](VirtualRank& me) {
    check_keyval(me, keyval, Of::kDatatypes);
    attributes_of(me, handle).remove(me, handle, keyval);
  });
}

// What a window is: C gets its base and the addresses of what else it is, Fortran the values.
// Fortran's keys have the numbers behind those of C.
bool give_predefined(Window& w, int keyval, AttributeKind as, void* value, int* flag) {
  constexpr int kFirst = MPI_WIN_BASE, kLast = MPI_WIN_MODEL + 1;
  const bool is_of_fortran = keyval >= kFirst && keyval <= kLast && (keyval - kFirst) % 2 == 1;
  switch (is_of_fortran ? keyval - 1 : keyval) {
    case MPI_WIN_BASE:
      std::memcpy(value, &w.base, sizeof w.base);
      *flag = 1;
      return true;
    case MPI_WIN_SIZE:
      give(&w.size, as, value, flag);
      return true;
    case MPI_WIN_DISP_UNIT:
      give(&w.unit_attribute, as, value, flag);
      return true;
    case MPI_WIN_CREATE_FLAVOR:
      give(&w.flavor, as, value, flag);
      return true;
    case MPI_WIN_MODEL:
      give(&w.model, as, value, flag);
      return true;
    default:
      return false;
  }
}
int set_of_window_as(MPI_Win window, int keyval, void* value, AttributeKind kind) {
  return window_call("MPI_Win_set_attr", window, [&](VirtualRank& me, Window& w) {
    check_keyval(me, keyval, Of::kWindows);
    w.attributes.set(me, window, keyval, value, kind);
  });
}
int set_of_window(MPI_Win window, int keyval, void* value) {
  return set_of_window_as(window, keyval, value, AttributeKind::kPointer);
}
int get_of_window_as(MPI_Win window, int keyval, void* value, int* flag, AttributeKind as) {
  return window_call("MPI_Win_get_attr", window, needs(value, flag),
                     [&](VirtualRank& me, Window& w) {
                       *flag = 0;
                       if (give_predefined(w, keyval, as, value, flag)) return;
                       check_keyval(me, keyval, Of::kWindows);
                       *flag = w.attributes.get(keyval, as, value) ? 1 : 0;
                     });
}
int get_of_window(MPI_Win window, int keyval, void* value, int* flag) {
  return get_of_window_as(window, keyval, value, flag, AttributeKind::kPointer);
}
int delete_of_window(MPI_Win window, int keyval) {
  return window_call("MPI_Win_delete_attr", window, [&](VirtualRank& me, Window& w) {
    check_keyval(me, keyval, Of::kWindows);
    w.attributes.remove(me, window, keyval);
  });
}

}  // namespace

void add_attribute_calls() {
  for (const char* name : {"MPI_Comm_create_keyval", "MPI_Keyval_create"})
    add_call(name, &make_keyval<"MPI_Comm_create_keyval", Of::kCommunicators>);
  add_call("MPI_Type_create_keyval", &make_keyval<"MPI_Type_create_keyval", Of::kDatatypes>);
  add_call("MPI_Win_create_keyval", &make_keyval<"MPI_Win_create_keyval", Of::kWindows>);
  for (const char* name : {"MPI_Comm_free_keyval", "MPI_Keyval_free"})
    add_call(name, &free_keyval<"MPI_Comm_free_keyval", Of::kCommunicators>);
  add_call("MPI_Type_free_keyval", &free_keyval<"MPI_Type_free_keyval", Of::kDatatypes>);
  add_call("MPI_Win_free_keyval", &free_keyval<"MPI_Win_free_keyval", Of::kWindows>);
  add_call("MPI_Comm_set_attr", &set_of_communicator);
  add_call("MPI_Attr_put", &set_of_communicator);
  add_call("MPI_Comm_get_attr", &get_of_communicator);
  add_call("MPI_Attr_get", &get_of_communicator);
  add_call("MPI_Comm_delete_attr", &delete_of_communicator);
  add_call("MPI_Attr_delete", &delete_of_communicator);
  add_call("MPI_Type_set_attr", &set_of_type);
  add_call("MPI_Type_get_attr", &get_of_type);
  add_call("MPI_Type_delete_attr", &delete_of_type);
  add_call("MPI_Win_set_attr", &set_of_window);
  add_call("MPI_Win_get_attr", &get_of_window);
  add_launcher_call("MPII_Win_get_attr", &get_of_window_as);
  add_launcher_call("MPII_Win_set_attr", &set_of_window_as);
  add_call("MPI_Win_delete_attr", &delete_of_window);
  add_launcher_call("MPIR_Dup_fn", &copy_value);
  add_launcher_call("MPII_Keyval_set_proxy", &set_proxy);
  add_launcher_call("MPII_Comm_set_attr", &set_of_communicator_as);
  add_launcher_call("MPII_Comm_get_attr", &get_of_communicator_as);
  add_launcher_call("MPII_Type_set_attr", &set_of_type_as);
  add_launcher_call("MPII_Type_get_attr", &get_of_type_as);
}

}  // namespace roam::mpi
