#ifndef ROAM_MPI_CALLS_ATTRIBUTES_H_
#define ROAM_MPI_CALLS_ATTRIBUTES_H_

#include <cstdint>
#include <memory>
#include <vector>

namespace roam::mpi {

class VirtualRank;

// How an attribute was set, or is asked for: as a pointer by C, as an integer by Fortran. The
// numbers are those of MPICH's Fortran library.
enum class AttributeKind : int { kPointer = 0, kAddress = 1, kInteger = 3 };

// A key of attributes that the program made, of one kind of object. Their handles are ints alike,
// and so are the functions that are called when an object is copied or goes.
struct Keyval {
  enum class Of : std::uint8_t { kCommunicators, kDatatypes, kWindows };
  Of of = Of::kCommunicators;
  using Copy = int (*)(int handle, int keyval, void* extra, void* value, void* copied, int* wanted);
  using Remove = int (*)(int handle, int keyval, void* value, void* extra);
  Copy copy = nullptr;      // null: it is not copied
  Remove remove = nullptr;  // null: nothing is to be done
  void* extra = nullptr;
  // Those of another language are called by functions of its library, which turn the arguments.
  using CopyProxy = int (*)(Copy function, int handle, int keyval, void* extra, AttributeKind kind,
                            void* value, void** copied, int* wanted);
  using RemoveProxy = int (*)(Remove function, int handle, int keyval, AttributeKind kind,
                              void* value, void* extra);
  CopyProxy copy_proxy = nullptr;
  RemoveProxy remove_proxy = nullptr;

  bool freed = false;  // by the program, while attributes have it
  int holders = 0;     // attributes that have it, and calls of its functions
};

// What a program has hung on an object, by key. `handle` is the object's.
//
// Errors: CallError of what a function of the program's returned, which is not MPI_SUCCESS.
class Attributes {
 public:
  // Null: there is none with that key.
  void* const* find(int keyval) const;
  void set(VirtualRank& me, int handle, int keyval, void* value,
           AttributeKind kind = AttributeKind::kPointer);
  // Its value as it is asked for: C gets the address of what Fortran has set. False: there is none.
  bool get(int keyval, AttributeKind as, void* to) const;
  void remove(VirtualRank& me, int handle, int keyval);
  // The last that was set goes first.
  void remove_all(VirtualRank& me, int handle);
  // Those whose keys want it. CallError: one cannot be copied; `to` has none then, and as in MPICH
  // no function deletes what was copied before.
  void copy_to(VirtualRank& me, int handle, Attributes* to) const;

 private:
  struct Value {
    int keyval;
    void* value;
    AttributeKind kind;
  };
  void add(VirtualRank& me, const Value& value);

  // Oldest first. Each stays where it is, as C programs are given addresses of values.
  std::vector<std::unique_ptr<Value>> values_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_ATTRIBUTES_H_
