#ifndef ROAM_MPI_DATATYPE_REF_H_
#define ROAM_MPI_DATATYPE_REF_H_

#include <cstddef>
#include <utility>

namespace roam::mpi {

// How many hold an object that never changes. Those who hold it are of one virtual rank, so nothing
// is atomic. What lies in the program's constants is never counted and never freed.
class Holders {
 public:
  static constexpr int kConstant = -1;
  constexpr explicit Holders(long n = 0) : n_(n) {}
  void add() const {
    if (n_ >= 0) ++n_;
  }
  // True if nobody holds it any more.
  bool drop() const { return n_ > 0 && --n_ == 0; }

 private:
  mutable long n_;
};

// Holds a T, which has a member `holders` and a function free_unheld(const T*).
template <class T>
class Ref {
 public:
  constexpr Ref() = default;
  constexpr Ref(std::nullptr_t) {}
  constexpr explicit Ref(const T* object) : object_(object) {
    if (object_ != nullptr) object_->holders.add();
  }
  // Holds a constant, as a constant does.
  static constexpr Ref constant(const T* object) {
    Ref r;
    r.object_ = object;
    return r;
  }
  constexpr Ref(const Ref& r) : Ref(r.object_) {}
  constexpr Ref(Ref&& r) noexcept : object_(std::exchange(r.object_, nullptr)) {}
  constexpr Ref& operator=(Ref r) noexcept {
    std::swap(object_, r.object_);
    return *this;
  }
  constexpr ~Ref() {
    if (object_ != nullptr && object_->holders.drop()) free_unheld(object_);
  }

  constexpr const T* get() const { return object_; }
  constexpr const T& operator*() const { return *object_; }
  constexpr const T* operator->() const { return object_; }
  constexpr explicit operator bool() const { return object_ != nullptr; }
  // The object, which the caller is to hold or to free now.
  const T* release() { return std::exchange(object_, nullptr); }

 private:
  const T* object_ = nullptr;
};

template <class T>
bool operator==(const Ref<T>& a, const Ref<T>& b) {
  return a.get() == b.get();
}

}  // namespace roam::mpi

#endif  // ROAM_MPI_DATATYPE_REF_H_
