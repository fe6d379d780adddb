#ifndef ROAM_MPI_CALLS_ATTRIBUTES_H_
#define ROAM_MPI_CALLS_ATTRIBUTES_H_

#include <vector>

namespace roam::mpi {

class VirtualRank;

// A key of attributes that the program made, of communicators or datatypes: their handles are ints
// alike, and so are the functions that are called when an object is copied or goes.
struct Keyval {
  using Copy = int (*)(int handle, int keyval, void* extra, void* value, void* copied, int* wanted);
  using Remove = int (*)(int handle, int keyval, void* value, void* extra);
  Copy copy = nullptr;      // null: it is not copied
  Remove remove = nullptr;  // null: nothing is to be done
  void* extra = nullptr;
};

// What a program has hung on an object, by key. `handle` is the object's.
//
// Errors: CallError of what a function of the program's returned, which is not MPI_SUCCESS.
class Attributes {
 public:
  // Null: there is none with that key.
  void* const* find(int keyval) const;
  void set(VirtualRank& me, int handle, int keyval, void* value);
  void remove(VirtualRank& me, int handle, int keyval);
  // The last that was set goes first.
  void remove_all(VirtualRank& me, int handle);
  // Those whose keys want it.
  void copy_to(VirtualRank& me, int handle, Attributes* to) const;

 private:
  struct Value {
    int keyval;
    void* value;
  };
  std::vector<Value> values_;  // oldest first
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_ATTRIBUTES_H_
