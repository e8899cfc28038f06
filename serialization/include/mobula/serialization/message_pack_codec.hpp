#pragma once

#include "mobula/serialization/array_shape.hpp"
#include "mobula/serialization/byte_buffer.hpp"
#include "mobula/serialization/codec.hpp"
#include "mobula/serialization/codec_error.hpp"
#include "mobula/serialization/codec_id.hpp"

#ifndef MSGPACK_NO_BOOST
#error "Mobula uses msgpack-cxx without Boost: compile with MSGPACK_NO_BOOST"
#endif
#include <msgpack.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace mobula {

namespace detail {

/// What msgpack-cxx writes to.
class message_pack_sink {
public:
  explicit message_pack_sink(byte_buffer& out) : out_(out) {
    // nop
  }

  void write(const char* source, std::size_t count) {
    out_.append(source, count);
  }

private:
  byte_buffer& out_;
};

using message_packer = msgpack::packer<message_pack_sink>;

/// Whether a type defines its own members, as MSGPACK_DEFINE and its kin do.
template <class T>
inline constexpr bool has_message_pack_members = requires(const T& source, T& target,
                                                          message_packer& packer,
                                                          const msgpack::object& object) {
  source.msgpack_pack(packer);
  target.msgpack_unpack(object);
};

/// Whether somebody specialised the adaptors for a type: the unspecialised ones, which compile for
/// any type until they are used, derive from those of the library's former version.
template <class T>
inline constexpr bool has_message_pack_adaptor =
  !std::is_base_of_v<
    msgpack::v2::adaptor::pack<T, void>,
    msgpack::adaptor::pack<
      T,
      void>> && (!std::is_base_of_v<msgpack::v2::adaptor::convert<T, void>, msgpack::adaptor::convert<T, void>> || msgpack::has_as<T>::value);

/// The adaptors that come with msgpack-cxx cannot be told from its unspecialised ones, so those of
/// them that a value may be made of are listed.
template <class T>
inline constexpr bool message_pack_value =
  (std::is_arithmetic_v<T> && !std::is_same_v<T, long double>)
  || std::is_same_v<
    T,
    std::
      string> || std::is_same_v<T, std::byte> || has_message_pack_members<T> || has_message_pack_adaptor<T>;

template <class T, class Allocator>
inline constexpr bool message_pack_value<std::vector<T, Allocator>> = message_pack_value<T>;

template <class T, class Allocator>
inline constexpr bool message_pack_value<std::deque<T, Allocator>> = message_pack_value<T>;

template <class T, class Allocator>
inline constexpr bool message_pack_value<std::list<T, Allocator>> = message_pack_value<T>;

template <class T, class Allocator>
inline constexpr bool message_pack_value<std::forward_list<T, Allocator>> = message_pack_value<T>;

template <class T, std::size_t Size>
inline constexpr bool message_pack_value<std::array<T, Size>> = message_pack_value<T>;

template <class T, class Compare, class Allocator>
inline constexpr bool message_pack_value<std::set<T, Compare, Allocator>> = message_pack_value<T>;

template <class T, class Hash, class Equal, class Allocator>
inline constexpr bool message_pack_value<std::unordered_set<T, Hash, Equal, Allocator>> =
  message_pack_value<T>;

template <class Key, class T, class Compare, class Allocator>
inline constexpr bool message_pack_value<std::map<Key, T, Compare, Allocator>> =
  message_pack_value<Key>&& message_pack_value<T>;

template <class Key, class T, class Hash, class Equal, class Allocator>
inline constexpr bool message_pack_value<std::unordered_map<Key, T, Hash, Equal, Allocator>> =
  message_pack_value<Key>&& message_pack_value<T>;

template <class T>
inline constexpr bool message_pack_value<std::optional<T>> = message_pack_value<T>;

template <class... Ts>
inline constexpr bool message_pack_value<std::tuple<Ts...>> = (message_pack_value<Ts> && ...);

template <class First, class Second>
inline constexpr bool message_pack_value<std::pair<First, Second>> =
  message_pack_value<First>&& message_pack_value<Second>;

template <class T, class Deleter>
inline constexpr bool message_pack_value<std::unique_ptr<T, Deleter>> = message_pack_value<T>;

template <class T>
inline constexpr bool message_pack_value<std::shared_ptr<T>> = message_pack_value<T>;

/// Throws `codec_error` unless the bytes are exactly one MessagePack value that nests no deeper
/// than the decoders, which recurse, may follow. Every count and length is checked against the
/// bytes that are there: msgpack-cxx allocates what a header promises before it has seen an
/// element.
void check_message_pack(std::span<const std::byte> bytes);

} // namespace detail

/// A type that msgpack-cxx can write and read: standard types as far as it has adaptors for them
/// (none for `std::variant`), and types with MSGPACK_DEFINE or adaptors of their own.
template <class T>
concept message_pack_encodable = std::movable<T> && detail::message_pack_value<T>;

template <class T>
inline constexpr bool encodable_with<T, codec_id::message_pack> = message_pack_encodable<T>;

/// MessagePack, which programs in most languages can read.
template <message_pack_encodable T>
struct codec<T, codec_id::message_pack> {
  static constexpr bool exact_size = false;
  static constexpr bool in_place = false;
  static constexpr bool refers_to_source = false;

  /// Appends the encoded value. Throws `codec_error` for what MessagePack cannot give back.
  static void append(const T& value, byte_buffer& out) {
    auto start = out.size();
    detail::message_pack_sink sink{out};
    try {
      msgpack::pack(sink, value);
    } catch (const msgpack::container_size_overflow& error) {
      throw codec_error(error.what());
    }
    detail::check_message_pack(out.span().subspan(start));
  }

  static T read(std::span<const std::byte> source, const array_shape& = {}) {
    detail::check_message_pack(source);
    try {
      // Texts are converted from where they are, without a copy in between.
      auto in_place = [](msgpack::type::object_type, std::size_t, void*) {
        return true;
      };
      auto handle =
        msgpack::unpack(reinterpret_cast<const char*>(source.data()), source.size(), in_place);
      return handle.get().template as<T>();
    } catch (const msgpack::type_error&) {
      throw codec_error("a value in MessagePack is not of the wanted type");
    } catch (const msgpack::unpack_error& error) {
      throw codec_error(error.what());
    }
  }
};

} // namespace mobula
