#ifndef ROAM_REHOME_H_
#define ROAM_REHOME_H_

#include <array>
#include <deque>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

// A value that passes from one thread to another keeps, if it is moved, the memory that it
// allocated in the giver's heap; when the taker then migrates, that memory stays behind. So what
// can be copied is copied, into the heap of the taker, and the original is given up; what can only
// be moved is moved. docs/decisions/0003-copy-into-thread.md has the reasons.
namespace roam {

// Keeps spawn from copying a callable: spawn(roam::moving(f)). For a callable whose type claims to
// be copyable and is not, such as a lambda that captured a std::vector<std::unique_ptr<T>>.
template <class F>
struct Moving {
  F f;
  template <class... A>
  decltype(auto) operator()(A&&... a) {
    return std::invoke(std::move(f), std::forward<A>(a)...);
  }
};
template <class F>
Moving<std::decay_t<F>> moving(F&& f) {
  return {std::forward<F>(f)};
}

// Whether a T can be copied. Looks inside standard containers, whose own trait says yes for every
// element.
template <class T>
struct Copyable : std::is_copy_constructible<T> {};
template <class F>
struct Copyable<Moving<F>> : std::false_type {};
template <class... T>
struct AllCopyable : std::conjunction<Copyable<std::remove_cv_t<T>>...> {};
template <class T, class A>
struct Copyable<std::vector<T, A>> : AllCopyable<T> {};
template <class T, class A>
struct Copyable<std::deque<T, A>> : AllCopyable<T> {};
template <class T, class A>
struct Copyable<std::list<T, A>> : AllCopyable<T> {};
template <class T, class A>
struct Copyable<std::forward_list<T, A>> : AllCopyable<T> {};
template <class T, std::size_t N>
struct Copyable<std::array<T, N>> : AllCopyable<T> {};
template <class T>
struct Copyable<std::optional<T>> : AllCopyable<T> {};
template <class A, class B>
struct Copyable<std::pair<A, B>> : AllCopyable<A, B> {};
template <class... T>
struct Copyable<std::tuple<T...>> : AllCopyable<T...> {};
template <class... T>
struct Copyable<std::variant<T...>> : AllCopyable<T...> {};
template <class K, class C, class A>
struct Copyable<std::set<K, C, A>> : AllCopyable<K> {};
template <class K, class C, class A>
struct Copyable<std::multiset<K, C, A>> : AllCopyable<K> {};
template <class K, class V, class C, class A>
struct Copyable<std::map<K, V, C, A>> : AllCopyable<K, V> {};
template <class K, class V, class C, class A>
struct Copyable<std::multimap<K, V, C, A>> : AllCopyable<K, V> {};
template <class K, class H, class E, class A>
struct Copyable<std::unordered_set<K, H, E, A>> : AllCopyable<K> {};
template <class K, class H, class E, class A>
struct Copyable<std::unordered_multiset<K, H, E, A>> : AllCopyable<K> {};
template <class K, class V, class H, class E, class A>
struct Copyable<std::unordered_map<K, V, H, E, A>> : AllCopyable<K, V> {};
template <class K, class V, class H, class E, class A>
struct Copyable<std::unordered_multimap<K, V, H, E, A>> : AllCopyable<K, V> {};

namespace detail {

// A T from `value`, its memory allocated by the calling context where T can be copied. `value` is
// left as after a move if it is an rvalue.
template <class U>
std::decay_t<U> rehome(U&& value) {
  using T = std::decay_t<U>;
  if constexpr (std::is_lvalue_reference_v<U> || std::is_trivially_copyable_v<T> ||
                std::is_array_v<std::remove_reference_t<U>> ||
                std::is_function_v<std::remove_reference_t<U>> || !Copyable<T>::value) {
    return std::forward<U>(value);
  } else {
    T copy(static_cast<const T&>(value));
    [[maybe_unused]] T given_up(std::forward<U>(value));
    return copy;
  }
}

}  // namespace detail
}  // namespace roam

#endif  // ROAM_REHOME_H_
