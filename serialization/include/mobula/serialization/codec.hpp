#pragma once

// The codecs that every program has: raw bytes and cereal's binary archive. Those for readers in
// other languages have headers of their own, json_codec.hpp and message_pack_codec.hpp: what they
// need takes longer to compile than all the rest.

#include "mobula/serialization/cereal_codec.hpp"
#include "mobula/serialization/codec_error.hpp"
#include "mobula/serialization/codec_id.hpp"
#include "mobula/serialization/encodable.hpp"
#include "mobula/serialization/raw_codec.hpp"

namespace mobula {

/// A type that can be an object's value with its default codec.
template <class T>
concept encodable = raw_encodable<T> || cereal_encodable<T>;

/// Whether the given codec takes a type. One whose header is not included takes none: the headers
/// specialise this, and so come before whatever asks.
template <class T, codec_id C>
inline constexpr bool encodable_with =
  (C == codec_id::raw && raw_encodable<T>) || (C == codec_id::cereal_binary && cereal_encodable<T>);

/// Returns the raw codec where the bytes in memory will do, else cereal's portable binary archive.
template <class T>
consteval codec_id default_codec_of() {
  static_assert(encodable<T>,
                "Mobula cannot encode this type. Give it cereal functions (a member template "
                "`serialize(Archive&)`, or `save` and `load`) and a default constructor, or make "
                "it trivially copyable without pointers; its members must meet the same. Smart "
                "pointers need cereal/types/memory.hpp, std::valarray cereal/types/valarray.hpp.");
  return raw_encodable<T> ? codec_id::raw : codec_id::cereal_binary;
}

template <class T>
inline constexpr codec_id default_codec = default_codec_of<T>();

/// Turns values into bytes and back. Each specialisation has
///
/// - `exact_size`: whether the size is known before encoding. If so, it has
///   `size(const T&)` and `write(const T&, std::span<std::byte> target)`, whose target is exactly
///   so large; otherwise it has `append(const T&, byte_buffer&)`;
/// - `read(std::span<const std::byte>, const array_shape&) -> T`, which throws `codec_error` for
///   bytes that are no such value and allocates no more than a multiple of their number;
/// - `in_place`: whether the bytes, suitably aligned, are the value: a reader may use a `const T*`;
/// - `refers_to_source`: whether the value that `read` returns only views the bytes.
///
/// What a user's own functions throw passes through all of them unchanged.
template <class T, codec_id C = default_codec<T>>
struct codec;

} // namespace mobula
