#ifndef ROAM_RUNTIME_IMAGE_CODEC_H_
#define ROAM_RUNTIME_IMAGE_CODEC_H_

#include <cstddef>
#include <cstring>
#include <vector>

namespace roam::runtime {

// Heads, lists and bytes one after the other, without alignment. put() writes `count` values and
// returns where the next go; get() adds as many to `values`, and returns what is behind them.
template <class T>
char* put(char* at, const T* values, std::size_t count) {
  if (count != 0) std::memcpy(at, values, count * sizeof(T));
  return at + count * sizeof(T);
}

template <class T>
const char* get(const char* at, std::vector<T>& values, std::size_t count) {
  const std::size_t old = values.size();
  values.resize(old + count);
  if (count != 0) std::memcpy(values.data() + old, at, count * sizeof(T));
  return at + count * sizeof(T);
}

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_IMAGE_CODEC_H_
