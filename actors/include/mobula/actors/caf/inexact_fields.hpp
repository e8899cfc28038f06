#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "mobula/actors/caf/caf_version.hpp"

namespace mobula {

/// Whether a field of this type holds floating-point numbers that CAF 0.17 writes in its own form,
/// in which infinities never end and others arrive changed: `float`, `double`, `long double`, and
/// what the standard library's containers make of them. Other types answer for themselves: a
/// message's by its own fields, `exact<double>` by writing bits.
template <class T>
inline constexpr bool has_inexact_numbers = std::is_floating_point_v<T>;

template <class T>
inline constexpr bool has_inexact_numbers<const T> = has_inexact_numbers<T>;
template <class T, std::size_t N>
inline constexpr bool has_inexact_numbers<T[N]> = has_inexact_numbers<T>;
template <class T, std::size_t N>
inline constexpr bool has_inexact_numbers<std::array<T, N>> = has_inexact_numbers<T>;
template <class T>
inline constexpr bool has_inexact_numbers<std::optional<T>> = has_inexact_numbers<T>;
template <class T, class... Rest>
inline constexpr bool has_inexact_numbers<std::vector<T, Rest...>> = has_inexact_numbers<T>;
template <class T, class... Rest>
inline constexpr bool has_inexact_numbers<std::deque<T, Rest...>> = has_inexact_numbers<T>;
template <class T, class... Rest>
inline constexpr bool has_inexact_numbers<std::list<T, Rest...>> = has_inexact_numbers<T>;
template <class T, class... Rest>
inline constexpr bool has_inexact_numbers<std::set<T, Rest...>> = has_inexact_numbers<T>;
template <class T, class... Rest>
inline constexpr bool has_inexact_numbers<std::multiset<T, Rest...>> = has_inexact_numbers<T>;
template <class T, class... Rest>
inline constexpr bool has_inexact_numbers<std::unordered_set<T, Rest...>> = has_inexact_numbers<T>;
template <class T, class... Rest>
inline constexpr bool has_inexact_numbers<std::unordered_multiset<T, Rest...>> =
  has_inexact_numbers<T>;
template <class... Ts>
inline constexpr bool has_inexact_numbers<std::tuple<Ts...>> = (has_inexact_numbers<Ts> || ...);
template <class... Ts>
inline constexpr bool has_inexact_numbers<std::variant<Ts...>> = (has_inexact_numbers<Ts> || ...);
template <class T, class U>
inline constexpr bool has_inexact_numbers<std::pair<T, U>> =
  has_inexact_numbers<T> || has_inexact_numbers<U>;
template <class T, class U, class... Rest>
inline constexpr bool has_inexact_numbers<std::map<T, U, Rest...>> =
  has_inexact_numbers<std::pair<T, U>>;
template <class T, class U, class... Rest>
inline constexpr bool has_inexact_numbers<std::multimap<T, U, Rest...>> =
  has_inexact_numbers<std::pair<T, U>>;
template <class T, class U, class... Rest>
inline constexpr bool has_inexact_numbers<std::unordered_map<T, U, Rest...>> =
  has_inexact_numbers<std::pair<T, U>>;
template <class T, class U, class... Rest>
inline constexpr bool has_inexact_numbers<std::unordered_multimap<T, U, Rest...>> =
  has_inexact_numbers<std::pair<T, U>>;

namespace internal {

/// The types of a message's fields. The message itself stands in front, so that there is something
/// to deduce from if it has none.
template <class... Fields>
struct field_types {
  static constexpr bool arrive_as_they_are = !(has_inexact_numbers<Fields> || ...);
};

/// Never called: an expression of it has the types.
template <class Message, class... Fields>
field_types<Fields...> types_of_fields(const Message&, const Fields&...);

} // namespace internal

} // namespace mobula
