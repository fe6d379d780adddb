#include "mpi/calls/attributes.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "mpi/calls/virtual_rank.h"

namespace roam::mpi {
namespace {

class HeldKeyval {
 public:
  HeldKeyval(VirtualRank& me, int keyval) : me_(me), keyval_(keyval) { me.hold_keyval(keyval); }
  ~HeldKeyval() { me_.release_keyval(keyval_); }
  HeldKeyval(const HeldKeyval&) = delete;
  HeldKeyval& operator=(const HeldKeyval&) = delete;

 private:
  VirtualRank& me_;
  const int keyval_;
};

}  // namespace

void* const* Attributes::find(int keyval) const {
  for (const std::unique_ptr<Value>& v : values_) {
    if (v->keyval == keyval) return &v->value;
  }
  return nullptr;
}

bool Attributes::get(int keyval, AttributeKind as, void* to) const {
  for (const std::unique_ptr<Value>& v : values_) {
    if (v->keyval != keyval) continue;
    const bool by_address = as == AttributeKind::kPointer && v->kind != AttributeKind::kPointer;
    const void* given = by_address ? &v->value : v->value;
    std::memcpy(to, &given, sizeof given);
    return true;
  }
  return false;
}

void Attributes::set(VirtualRank& me, int handle, int keyval, void* value, AttributeKind kind) {
  remove(me, handle, keyval);
  add(me, {keyval, value, kind});
}

void Attributes::add(VirtualRank& me, const Value& value) {
  values_.push_back(std::make_unique<Value>(value));
  me.hold_keyval(value.keyval);
}

void Attributes::remove(VirtualRank& me, int handle, int keyval) {
  const auto at = std::find_if(values_.begin(), values_.end(),
                               [keyval](const auto& v) { return v->keyval == keyval; });
  if (at == values_.end()) return;
  const Value v = **at;
  const Keyval* key = me.keyvals.find(keyval);
  if (key != nullptr && key->remove != nullptr) {
    const int error =
        key->remove_proxy == nullptr
            ? key->remove(handle, keyval, v.value, key->extra)
            : key->remove_proxy(key->remove, handle, keyval, v.kind, v.value, key->extra);
    if (error != MPI_SUCCESS)
      throw CallError(error, text("the function that deletes the attribute returned %d", error));
  }
  const auto removed =
      std::erase_if(values_, [keyval](const auto& one) { return one->keyval == keyval; });
  for (std::size_t i = 0; i < removed; ++i) me.release_keyval(keyval);
}

void Attributes::remove_all(VirtualRank& me, int handle) {
  while (!values_.empty()) remove(me, handle, values_.back()->keyval);
}

void Attributes::copy_to(VirtualRank& me, int handle, Attributes* to) const {
  // The program's functions may change them.
  std::vector<Value> values;
  for (const std::unique_ptr<Value>& v : values_) values.push_back(*v);
  for (const Value& v : values) {
    const Keyval* key = me.keyvals.find(v.keyval);
    if (key == nullptr || key->copy == nullptr) continue;
    void* copied = nullptr;
    int wanted = 0;
    const HeldKeyval held(me, v.keyval);  // the function may remove the attribute
    const int error = key->copy_proxy == nullptr
                          ? key->copy(handle, v.keyval, key->extra, v.value, &copied, &wanted)
                          : key->copy_proxy(key->copy, handle, v.keyval, key->extra, v.kind,
                                            v.value, &copied, &wanted);
    if (error != MPI_SUCCESS) {
      for (const std::unique_ptr<Value>& c : to->values_) me.release_keyval(c->keyval);
      to->values_.clear();
      throw CallError(error, text("the function that copies the attribute returned %d", error));
    }
    if (wanted != 0) to->add(me, {v.keyval, copied, v.kind});
  }
}

}  // namespace roam::mpi
