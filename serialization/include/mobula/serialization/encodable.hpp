#pragma once

// Which types the raw and the cereal codec take. cereal's headers for the standard library are
// included here: whether a type has cereal functions decides its codec, and that must not depend on
// what else a source includes. But for those of smart pointers and of std::valarray, which no raw
// codec takes in any case: what uses them includes cereal/types/memory.hpp, which brings the tables
// of polymorphic types along, or cereal/types/valarray.hpp, and does not compile otherwise.

#include "mobula/serialization/array.hpp"
#include "mobula/serialization/cereal_archive.hpp"

#include <cereal/types/array.hpp>
#include <cereal/types/bitset.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/complex.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/forward_list.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/queue.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/stack.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/unordered_set.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace mobula {

// -- raw ------------------------------------------------------------------------------------------

/// Whether values of `T` contain addresses, which mean nothing in another process. Specialise it
/// for a trivially copyable type of yours that holds a pointer: no compiler can see that.
template <class T>
inline constexpr bool holds_address =
  std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T>;

template <class Char, class Traits>
inline constexpr bool holds_address<std::basic_string_view<Char, Traits>> = true;

template <class T, std::size_t Extent>
inline constexpr bool holds_address<std::span<T, Extent>> = true;

template <class T>
inline constexpr bool holds_address<std::reference_wrapper<T>> = true;

template <class T>
inline constexpr bool holds_address<array<T>> = true;

template <>
inline constexpr bool holds_address<bytes> = true;

namespace detail {

/// Whether the author of `T` said how cereal writes it, which the raw codec must not override.
template <class T>
inline constexpr bool has_cereal_functions =
  cereal::traits::detail::count_output_serializers<T, portable_output_archive>::value > 0
  || cereal::traits::detail::count_input_serializers<T, portable_input_archive>::value > 0;

template <class T>
inline constexpr bool raw_class = !has_cereal_functions<T>;

} // namespace detail

/// A type whose bytes in memory may be copied into another process: arithmetic types, enumerations,
/// and trivially copyable classes without cereal functions and without addresses.
template <class T>
concept raw_element =
  std::is_object_v<T> && !std::is_array_v<
    T> && std::same_as<T, std::remove_cv_t<T>> && std::is_trivially_copyable_v<T> && std::copy_constructible<T> && !holds_address<T> && (std::is_arithmetic_v<T> || std::is_enum_v<T> || detail::raw_class<T>);

namespace detail {

// cereal's functions for a `std::array` only repeat what its bytes are.
template <raw_element T, std::size_t Size>
inline constexpr bool raw_class<std::array<T, Size>> = Size > 0;

template <class T>
inline constexpr bool raw_container = false;

template <>
inline constexpr bool raw_container<std::string> = true;

template <raw_element T>
inline constexpr bool raw_container<std::vector<T>> = !std::same_as<T, bool>;

template <raw_element T>
inline constexpr bool raw_container<array<T>> = true;

template <>
inline constexpr bool raw_container<bytes> = true;

} // namespace detail

/// A type that the raw codec takes: one raw element, or many of them side by side.
template <class T>
concept raw_encodable = raw_element<T> || detail::raw_container<T>;

// -- cereal ---------------------------------------------------------------------------------------

namespace detail {

template <class T, class Output, class Input>
inline constexpr bool cereal_parts = true;

/// Both ways must work, for the type and for what standard containers are made of: cereal itself
/// would answer for the container alone and then fail to compile inside of it.
template <class T, class Output, class Input>
inline constexpr bool cereal_value =
  !std::is_pointer_v<T> && cereal::traits::is_output_serializable<T, Output>::value
  && cereal::traits::is_input_serializable<T, Input>::value && cereal_parts<T, Output, Input>;

/// What a smart pointer points to may also be constructed by cereal, or be of a registered class.
template <class T, class Output, class Input>
inline constexpr bool cereal_pointee =
  std::is_polymorphic_v<T> || cereal::traits::has_load_and_construct<T, Input>::value
  || cereal_value<std::remove_const_t<T>, Output, Input>;

template <class T, class Allocator, class Output, class Input>
inline constexpr bool cereal_parts<std::vector<T, Allocator>, Output, Input> =
  cereal_value<T, Output, Input>;

template <class T, class Allocator, class Output, class Input>
inline constexpr bool cereal_parts<std::deque<T, Allocator>, Output, Input> =
  cereal_value<T, Output, Input>;

template <class T, class Allocator, class Output, class Input>
inline constexpr bool cereal_parts<std::list<T, Allocator>, Output, Input> =
  cereal_value<T, Output, Input>;

template <class T, std::size_t Size, class Output, class Input>
inline constexpr bool cereal_parts<std::array<T, Size>, Output, Input> =
  cereal_value<T, Output, Input>;

template <class T, class Compare, class Allocator, class Output, class Input>
inline constexpr bool cereal_parts<std::set<T, Compare, Allocator>, Output, Input> =
  cereal_value<T, Output, Input>;

template <class T, class Hash, class Equal, class Allocator, class Output, class Input>
inline constexpr bool cereal_parts<std::unordered_set<T, Hash, Equal, Allocator>, Output, Input> =
  cereal_value<T, Output, Input>;

template <class Key, class T, class Compare, class Allocator, class Output, class Input>
inline constexpr bool cereal_parts<std::map<Key, T, Compare, Allocator>, Output, Input> =
  cereal_value<Key, Output, Input>&& cereal_value<T, Output, Input>;

template <class Key, class T, class Hash, class Equal, class Allocator, class Output, class Input>
inline constexpr bool
  cereal_parts<std::unordered_map<Key, T, Hash, Equal, Allocator>, Output, Input> =
    cereal_value<Key, Output, Input>&& cereal_value<T, Output, Input>;

template <class T, class Output, class Input>
inline constexpr bool cereal_parts<std::optional<T>, Output, Input> =
  cereal_value<T, Output, Input>;

template <class... Ts, class Output, class Input>
inline constexpr bool
  cereal_parts<std::variant<Ts...>, Output, Input> = (cereal_value<Ts, Output, Input> && ...);

template <class... Ts, class Output, class Input>
inline constexpr bool
  cereal_parts<std::tuple<Ts...>, Output, Input> = (cereal_value<Ts, Output, Input> && ...);

template <class First, class Second, class Output, class Input>
inline constexpr bool cereal_parts<std::pair<First, Second>, Output, Input> =
  cereal_value<First, Output, Input>&& cereal_value<Second, Output, Input>;

template <class T, class Deleter, class Output, class Input>
inline constexpr bool cereal_parts<std::unique_ptr<T, Deleter>, Output, Input> =
  cereal_pointee<T, Output, Input>;

template <class T, class Output, class Input>
inline constexpr bool cereal_parts<std::shared_ptr<T>, Output, Input> =
  cereal_pointee<T, Output, Input>;

} // namespace detail

/// A type that can be saved to and loaded from cereal's portable binary archive.
template <class T>
concept cereal_encodable = std::default_initializable<T> && std::movable<T> && detail::cereal_value<
  T, portable_output_archive, portable_input_archive>;

} // namespace mobula
