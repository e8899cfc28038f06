#pragma once

#include "mobula/serialization/array_shape.hpp"
#include "mobula/serialization/byte_buffer.hpp"
#include "mobula/serialization/codec_error.hpp"
#include "mobula/serialization/codec_id.hpp"
#include "mobula/serialization/encodable.hpp"

#include <cstddef>
#include <span>

namespace mobula {

template <class T, codec_id C>
struct codec;

/// cereal's portable binary archive: any type with cereal functions. There is no state outside of
/// the two calls, so a user's `save` or `load` may encode or decode other values.
template <cereal_encodable T>
struct codec<T, codec_id::cereal_binary> {
  static constexpr bool exact_size = false;
  static constexpr bool in_place = false;
  static constexpr bool refers_to_source = false;

  /// Appends the encoded value. After an exception, the buffer may hold a part of it.
  static void append(const T& value, byte_buffer& out) {
    portable_output_archive archive{out};
    archive(value);
    archive.serializeDeferments();
  }

  static T read(std::span<const std::byte> source, const array_shape& = {}) {
    T value{};
    try {
      portable_input_archive archive{source};
      archive(value);
      archive.serializeDeferments();
      if (archive.remaining() > 0)
        throw codec_error("bytes are left over after a value");
    } catch (const cereal::Exception& error) {
      throw codec_error(error.what());
    }
    return value;
  }
};

} // namespace mobula
