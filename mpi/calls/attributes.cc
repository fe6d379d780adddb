#include "mpi/calls/attributes.h"

#include <algorithm>

#include "base/text.h"
#include "mpi/calls/virtual_rank.h"

namespace roam::mpi {

void* const* Attributes::find(int keyval) const {
  for (const Value& v : values_) {
    if (v.keyval == keyval) return &v.value;
  }
  return nullptr;
}

void Attributes::set(VirtualRank& me, int handle, int keyval, void* value) {
  remove(me, handle, keyval);
  values_.push_back({keyval, value});
}

void Attributes::remove(VirtualRank& me, int handle, int keyval) {
  void* const* value = find(keyval);
  if (value == nullptr) return;
  const Keyval* key = me.keyvals.find(keyval);
  if (key != nullptr && key->remove != nullptr) {
    const int error = key->remove(handle, keyval, *value, key->extra);
    if (error != MPI_SUCCESS)
      throw CallError(error, text("the function that deletes the attribute returned %d", error));
  }
  std::erase_if(values_, [keyval](const Value& v) { return v.keyval == keyval; });
}

void Attributes::remove_all(VirtualRank& me, int handle) {
  while (!values_.empty()) remove(me, handle, values_.back().keyval);
}

void Attributes::copy_to(VirtualRank& me, int handle, Attributes* to) const {
  // The program's functions may change them.
  const std::vector<Value> values = values_;
  for (const Value& v : values) {
    const Keyval* key = me.keyvals.find(v.keyval);
    if (key == nullptr || key->copy == nullptr) continue;
    void* copied = nullptr;
    int wanted = 0;
    const int error = key->copy(handle, v.keyval, key->extra, v.value, &copied, &wanted);
    if (error != MPI_SUCCESS)
      throw CallError(error, text("the function that copies the attribute returned %d", error));
    if (wanted != 0) to->values_.push_back({v.keyval, copied});
  }
}

}  // namespace roam::mpi
