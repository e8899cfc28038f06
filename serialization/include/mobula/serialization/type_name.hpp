#pragma once

#include "mobula/serialization/array.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace mobula {

/// Names a type for its objects' metadata. Specialise it to give a type of yours a name that stays
/// when the type is renamed or moved: either with a constant,
///
///     template <>
///     struct mobula::type_name_of<my_type> {
///       static constexpr std::string_view value = "my.app.type";
///     };
///
/// or, for a template, with a function that is called once:
///
///     template <class T>
///     struct mobula::type_name_of<my_box<T>> {
///       static std::string value() { return "my.app.box<" + std::string{type_name<T>()} + ">"; }
///     };
///
/// Without a specialisation it is the qualified name in the source, which all compilers write the
/// same way for classes and enumerations at namespace scope. Types of anonymous namespaces, which
/// programs may have several of by one name, get one that no other process has: `{anonymous}::` and
/// their own name, `@`, and a number of the type in this process.
template <class T>
struct type_name_of;

/// Returns whether a type's name means something in the process only that gave it.
[[nodiscard]] bool is_name_of_process(std::string_view name) noexcept;

/// Returns the name of `T`, whose characters live until the process ends. It is the same for every
/// compiler, process and machine, e.g. `map<string,vector<int32>>`.
template <class T>
[[nodiscard]] std::string_view type_name() {
  using name_of = type_name_of<std::remove_cv_t<T>>;
  if constexpr (requires { name_of::value(); }) {
    // Never destroyed: names are also read while static objects are being destroyed.
    static const auto& name = *new std::string(name_of::value());
    return name;
  } else if constexpr (std::is_same_v<decltype(name_of::value), const std::string_view>) {
    return name_of::value;
  } else {
    static const auto& name = *new std::string(name_of::value);
    return name;
  }
}

namespace detail {

// The return type is not spelt out: g++ would explain its alias within the name.
template <class T>
consteval auto function_name() {
  return std::string_view{__PRETTY_FUNCTION__};
}

/// The compiler's own name of `T`: what differs between the names of two instantiations.
template <class T>
consteval std::string_view compiler_name() {
  constexpr auto sample = function_name<int>();
  constexpr auto start = sample.rfind("int]");
  static_assert(start != std::string_view::npos, "the compiler names functions in another way");
  auto name = function_name<T>();
  return name.substr(start, name.size() - start - 1);
}

/// g++ and clang call an anonymous namespace so.
inline constexpr std::array<std::string_view, 2> anonymous_names{"{anonymous}",
                                                                 "(anonymous namespace)"};

consteval bool in_anonymous_namespace(std::string_view name) {
  return name.find(anonymous_names[0]) != std::string_view::npos
         || name.find(anonymous_names[1]) != std::string_view::npos;
}

/// Returns the name of a template instance without its arguments. One within another template keeps
/// those of the other: they tell whose it is.
consteval std::string_view without_arguments(std::string_view name) {
  std::size_t open = 0;
  auto quoted = false;
  for (auto at = name.size(); at-- > 0;) {
    if (name[at] == '\'')
      quoted = !quoted;
    else if (!quoted && name[at] == '>')
      ++open;
    else if (!quoted && name[at] == '<' && --open == 0)
      return name.substr(0, at);
  }
  return name;
}

/// Returns a name for a type that the compiler calls `name`: a new one for each call, and other
/// ones in each process.
[[nodiscard]] std::string name_of_process(std::string_view name);

template <class... Ts>
std::string joined_names() {
  std::string result;
  ((result.append(result.empty() ? "" : ",").append(type_name<Ts>())), ...);
  return result;
}

template <class... Ts>
std::string template_name(std::string_view name) {
  return std::string{name} + "<" + joined_names<Ts...>() + ">";
}

/// Compilers agree on the name of a plain type, but not on how they write template arguments.
template <class T>
struct plain_name {
  static constexpr std::string_view value = compiler_name<T>();
};

template <class T>
struct own_name {
  static std::string value() {
    return name_of_process(compiler_name<T>());
  }
};

template <class T>
struct source_name
  : std::conditional_t<in_anonymous_namespace(compiler_name<T>()), own_name<T>, plain_name<T>> {};

template <template <class...> class Template, class... Ts>
struct source_name<Template<Ts...>> {
  static std::string value() {
    constexpr auto own = without_arguments(compiler_name<Template<Ts...>>());
    if constexpr (in_anonymous_namespace(own))
      return template_name<Ts...>(name_of_process(own));
    else
      return template_name<Ts...>(own);
  }
};

/// A string literal as a template argument.
template <std::size_t Size>
struct literal {
  consteval literal(const char (&text)[Size]) {
    std::copy_n(text, Size, characters.begin());
  }

  [[nodiscard]] constexpr std::string_view view() const {
    return {characters.data(), Size - 1};
  }

  std::array<char, Size> characters{};
};

template <literal Name, class... Ts>
struct named_template {
  static std::string value() {
    return template_name<Ts...>(Name.view());
  }
};

template <class T>
concept named_by_width =
  std::integral<T> && !std::same_as<
    T,
    bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

/// `long` and `long long` are distinct types of one width: a name may only tell what the bytes are.
template <named_by_width T>
consteval std::string_view integer_name() {
  constexpr std::array<std::string_view, 4> widths =
    std::is_signed_v<T> ? std::array<std::string_view, 4>{"int8", "int16", "int32", "int64"}
                        : std::array<std::string_view, 4>{"uint8", "uint16", "uint32", "uint64"};
  static_assert(sizeof(T) <= 8, "integers of more than 64 bits have no name");
  return widths[sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3];
}

} // namespace detail

template <class T>
struct type_name_of : detail::source_name<T> {};

template <detail::named_by_width T>
struct type_name_of<T> {
  static constexpr std::string_view value = detail::integer_name<T>();
};

template <>
struct type_name_of<float> {
  static constexpr std::string_view value = "float32";
};

template <>
struct type_name_of<double> {
  static constexpr std::string_view value = "float64";
};

template <>
struct type_name_of<std::byte> {
  static constexpr std::string_view value = "byte";
};

template <>
struct type_name_of<std::string> {
  static constexpr std::string_view value = "string";
};

template <>
struct type_name_of<std::monostate> {
  static constexpr std::string_view value = "monostate";
};

template <>
struct type_name_of<bytes> {
  static constexpr std::string_view value = "bytes";
};

// Comparators, hashes, allocators and deleters are no part of a name: they do not change the data.

template <class T, class Allocator>
struct type_name_of<std::vector<T, Allocator>> : detail::named_template<"vector", T> {};

template <class T, class Allocator>
struct type_name_of<std::deque<T, Allocator>> : detail::named_template<"deque", T> {};

template <class T, class Allocator>
struct type_name_of<std::list<T, Allocator>> : detail::named_template<"list", T> {};

template <class T, class Compare, class Allocator>
struct type_name_of<std::set<T, Compare, Allocator>> : detail::named_template<"set", T> {};

template <class T, class Hash, class Equal, class Allocator>
struct type_name_of<std::unordered_set<T, Hash, Equal, Allocator>>
  : detail::named_template<"unordered_set", T> {};

template <class Key, class T, class Compare, class Allocator>
struct type_name_of<std::map<Key, T, Compare, Allocator>> : detail::named_template<"map", Key, T> {
};

template <class Key, class T, class Hash, class Equal, class Allocator>
struct type_name_of<std::unordered_map<Key, T, Hash, Equal, Allocator>>
  : detail::named_template<"unordered_map", Key, T> {};

template <class T>
struct type_name_of<std::optional<T>> : detail::named_template<"optional", T> {};

template <class... Ts>
struct type_name_of<std::variant<Ts...>> : detail::named_template<"variant", Ts...> {};

template <class... Ts>
struct type_name_of<std::tuple<Ts...>> : detail::named_template<"tuple", Ts...> {};

template <class First, class Second>
struct type_name_of<std::pair<First, Second>> : detail::named_template<"pair", First, Second> {};

template <class T, class Deleter>
struct type_name_of<std::unique_ptr<T, Deleter>> : detail::named_template<"unique_ptr", T> {};

template <class T>
struct type_name_of<std::shared_ptr<T>> : detail::named_template<"shared_ptr", T> {};

template <class T>
struct type_name_of<array<T>> : detail::named_template<"array", T> {};

/// Unlike the name of Mobula's `array<T>`, that of a `std::array` tells its size.
template <class T, std::size_t Size>
struct type_name_of<std::array<T, Size>> {
  static std::string value() {
    return "array<" + std::string{type_name<T>()} + "," + std::to_string(Size) + ">";
  }
};

} // namespace mobula
