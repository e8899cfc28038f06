#pragma once

#include "mobula/serialization/array_shape.hpp"
#include "mobula/serialization/byte_buffer.hpp"
#include "mobula/serialization/codec.hpp"
#include "mobula/serialization/codec_error.hpp"
#include "mobula/serialization/codec_id.hpp"
#include "mobula/serialization/encodable.hpp"

#include <cereal/archives/json.hpp>

#include <cstddef>
#include <istream>
#include <new>
#include <ostream>
#include <span>
#include <streambuf>

namespace mobula {

/// A type that can be saved to and loaded from cereal's JSON archive.
template <class T>
concept json_encodable = std::default_initializable<T> && std::movable<T> && detail::cereal_value<
  T, cereal::JSONOutputArchive, cereal::JSONInputArchive>;

template <class T>
inline constexpr bool encodable_with<T, codec_id::cereal_json> = json_encodable<T>;

namespace detail {

/// Appends what a stream writes to a byte buffer.
class buffer_sink final : public std::streambuf {
public:
  explicit buffer_sink(byte_buffer& out) : out_(out) {
    // nop
  }

private:
  int_type overflow(int_type character) override {
    if (!traits_type::eq_int_type(character, traits_type::eof()))
      out_.push_back(static_cast<std::byte>(traits_type::to_char_type(character)));
    return traits_type::not_eof(character);
  }

  std::streamsize xsputn(const char* source, std::streamsize count) override {
    out_.append(source, static_cast<std::size_t>(count));
    return count;
  }

  byte_buffer& out_;
};

/// Lets a stream read bytes in place.
class span_source final : public std::streambuf {
public:
  explicit span_source(std::span<const std::byte> source) {
    // The interface wants mutable characters, but nothing here puts any back.
    auto* start = const_cast<char*>(reinterpret_cast<const char*>(source.data()));
    setg(start, start, start + source.size());
  }
};

/// Throws `codec_error` if the text nests more deeply than the parser, which recurses, may follow;
/// or if it holds an escaped NUL, at which cereal would end the string when it reads it.
void check_json(std::span<const std::byte> text);

} // namespace detail

/// cereal's JSON archive: `{"value": …}`, without indentation. For people and for other languages;
/// its streams and its parser cost more than the binary codecs.
template <json_encodable T>
struct codec<T, codec_id::cereal_json> {
  static constexpr bool exact_size = false;
  static constexpr bool in_place = false;
  static constexpr bool refers_to_source = false;

  /// Appends the encoded value. Throws `codec_error` for what JSON archives cannot give back.
  static void append(const T& value, byte_buffer& out) {
    auto start = out.size();
    detail::buffer_sink sink{out};
    std::ostream stream{&sink};
    {
      cereal::JSONOutputArchive archive{stream, cereal::JSONOutputArchive::Options::NoIndent()};
      archive(cereal::make_nvp("value", value));
      archive.serializeDeferments();
    }
    // A stream turns what its buffer throws into a state, and the buffer can only lack memory.
    if (!stream)
      throw std::bad_alloc();
    detail::check_json(out.span().subspan(start));
  }

  static T read(std::span<const std::byte> source, const array_shape& = {}) {
    detail::check_json(source);
    detail::span_source buffer{source};
    std::istream stream{&buffer};
    T value{};
    try {
      cereal::JSONInputArchive archive{stream};
      archive(cereal::make_nvp("value", value));
      archive.serializeDeferments();
    } catch (const cereal::Exception& error) {
      throw codec_error(error.what());
    }
    return value;
  }
};

} // namespace mobula
