#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "mobula/actors/node/node_core.hpp"
#include "mobula/runtime/reference_scope.hpp"
#include "mobula/serialization/codec.hpp"
#include "mobula/serialization/layout.hpp"
#include "mobula/view.hpp"

namespace mobula::internal {

/// Why the object behind `entry` cannot be read as the type called `wanted`.
error_info type_mismatch_error(const object_entry& entry, std::string_view wanted);

/// Why the value behind `entry` cannot be read as this program's type called `wanted`, of so many
/// bytes, though it has that name.
error_info layout_mismatch_error(const object_entry& entry, std::string_view wanted,
                                 std::size_t wanted_bytes);

/// Why the value behind `entry` could not be decoded: the exception that is being handled.
error_info decode_error(const object_entry& entry);

/// Why a get of `entry` ended before the object was ready.
error_info timeout_error(const object_entry& entry);

/// Why a get of `entry` would never end.
error_info would_block_error(const object_entry& entry);

/// Decodes a value that any codec may have written.
using value_decoder = decoded_value* (*)(const object_value&);

/// Throws `codec_error`: nothing here reads what this codec wrote.
[[noreturn]] void throw_without_reader(codec_id codec);

/// REQUIRES: the codec `C` can read a `T`.
template <class T, codec_id C>
decoded_value* decode_with(const object_value& value) {
  static const array_shape no_shape;
  const auto* extras = value.extras();
  decode_scope scope{extras};
  return new decoded_object<T>(
    codec<T, C>::read(value.bytes(), extras != nullptr ? extras->shape : no_shape));
}

/// `Binary`, `Json` and `MessagePack`: whether a `T` may be read with cereal's binary archive and
/// with these codecs. They are parameters so that sources with different headers, Mobula's or
/// cereal's, get different functions.
template <class T, bool Binary, bool Json, bool MessagePack>
decoded_value* decode(const object_value& value) {
  static_assert(encodable_with<T, codec_id::raw> || Binary || Json || MessagePack,
                "Mobula cannot read this type here: no codec takes it. Smart pointers need "
                "cereal/types/memory.hpp, std::valarray cereal/types/valarray.hpp; what is only "
                "for JSON or MessagePack needs mobula/json.hpp or mobula/message_pack.hpp.");
  auto written_with = value.type().codec;
  if constexpr (encodable_with<T, codec_id::raw>)
    if (written_with == codec_id::raw)
      return decode_with<T, codec_id::raw>(value);
  if constexpr (Binary)
    if (written_with == codec_id::cereal_binary)
      return decode_with<T, codec_id::cereal_binary>(value);
  if constexpr (Json)
    if (written_with == codec_id::cereal_json)
      return decode_with<T, codec_id::cereal_json>(value);
  if constexpr (MessagePack)
    if (written_with == codec_id::message_pack)
      return decode_with<T, codec_id::message_pack>(value);
  throw_without_reader(written_with);
}

/// What decodes a `T` with all codecs whose headers are included. For default arguments of public
/// functions only, since those are evaluated in the source that calls: the bodies are the same in
/// all sources of a program, whatever they include.
template <class T>
static constexpr value_decoder decoder_here =
  &decode<T, encodable_with<T, codec_id::cereal_binary>, encodable_with<T, codec_id::cereal_json>,
          encodable_with<T, codec_id::message_pack>>;

/// Returns whether the bytes of a raw `T` are the value itself, at a place where a `T` may stand.
template <class T>
constexpr bool read_in_place() {
  if constexpr (encodable_with<T, codec_id::raw>)
    return codec<T, codec_id::raw>::in_place && alignof(T) <= alignof(std::max_align_t);
  else
    return false;
}

/// Returns whether raw bytes may hold what this program calls a `T`, as far as their metadata tell:
/// another program may give the name to another structure.
template <class T>
bool has_layout_of(const object_value& value) {
  if constexpr (encodable_with<T, codec_id::raw>)
    if (value.type().codec == codec_id::raw) {
      constexpr auto here = raw_layout<T>;
      auto there = value.layout();
      return there == here || there == layout_fingerprint::none || here == layout_fingerprint::none;
    }
  return true;
}

/// Returns whether a `T` may stand where the bytes are. REQUIRES: `read_in_place<T>()`.
template <class T>
bool fits_in_place(std::span<const std::byte> bytes) {
  return bytes.size() == sizeof(T) && detail::aligned_for<T>(bytes);
}

/// Returns about what a value decoded from these bytes takes of the process heap: its encoded form
/// is the best guess, since nobody can ask a type what it has allocated.
template <class T>
std::size_t decoded_bytes_of(const object_value& value) noexcept {
  if constexpr (encodable_with<T, codec_id::raw>) {
    if (codec<T, codec_id::raw>::refers_to_source && value.type().codec == codec_id::raw)
      return sizeof(decoded_object<T>);
  }
  return sizeof(decoded_object<T>) + value.bytes().size();
}

/// A readable value, or why there is none.
template <class T>
using reading = std::variant<view<T>, error_info>;

/// Makes a typed view of a pinned value; decodes it if nobody has yet. REQUIRES: `decode` makes a
/// `decoded_object<T>`.
template <class T>
reading<T> read_pinned(pinned_value pin, value_decoder decode) {
  auto& value = pin.value();
  auto& entry = pin.entry();
  // Equal names almost always are equal descriptors, which costs one comparison.
  if (value.type().name.data() != type_name<T>().data() && value.type().name != type_name<T>())
    return type_mismatch_error(entry, type_name<T>());
  if (!has_layout_of<T>(value))
    return layout_mismatch_error(entry, type_name<T>(), sizeof(T));
  if constexpr (read_in_place<T>()) {
    if (value.type().codec == codec_id::raw) {
      if (!fits_in_place<T>(value.bytes()))
        return layout_mismatch_error(entry, type_name<T>(), sizeof(T));
      const auto* in_place = reinterpret_cast<const T*>(value.bytes().data());
      return view<T>{*in_place, std::move(pin)};
    }
  }
  try {
    std::size_t decoded_bytes = 0;
    auto& shared = value.decode_once([&] {
      auto* made = decode(value);
      decoded_bytes = decoded_bytes_of<T>(value);
      made->charge = entry.core().heap_of_values().take_anyway(decoded_bytes);
      return made;
    });
    // What only views the bytes is not worth looking after.
    if (decoded_bytes >= least_movable_bytes && pin.stored())
      entry.stripe().order().note_decoded(entry, decoded_bytes);
    if (shared.type() != typeid(T))
      return type_mismatch_error(entry, type_name<T>());
    return view<T>{static_cast<decoded_object<T>&>(shared).value, std::move(pin)};
  } catch (...) {
    return decode_error(entry);
  }
}

/// Reads the object behind `entry` if that needs no waiting. Empty: it is pending, or on disk.
template <class T>
std::optional<reading<T>> try_read(object_entry& entry, value_decoder decode) {
  if (auto pin = entry.try_pin())
    return read_pinned<T>(std::move(pin), decode);
  if (entry.has_failed())
    return entry.failure();
  return std::nullopt;
}

} // namespace mobula::internal
