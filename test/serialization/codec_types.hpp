#pragma once

#include "mobula/serialization/json_codec.hpp"
#include "mobula/serialization/message_pack_codec.hpp"

#include <cereal/types/memory.hpp>

#include <compare>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace mobula::test {

/// Trivially copyable, without functions for any codec.
struct point {
  std::int32_t x = 0;
  std::int32_t y = 0;

  friend auto operator<=>(const point&, const point&) = default;
};

enum class colour : std::uint8_t { red = 1, green = 2 };

/// What an application's type usually looks like.
struct person {
  std::string name;
  std::int32_t age = 0;
  std::vector<std::string> children{};

  friend bool operator==(const person&, const person&) = default;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name), CEREAL_NVP(age), CEREAL_NVP(children));
  }

  MSGPACK_DEFINE(name, age, children)
};

/// Trivially copyable, but its author says how it is written.
struct described {
  std::int32_t number = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(number);
  }
};

/// Without any means to be encoded.
struct opaque {
  std::string text;
};

struct user_error : std::logic_error {
  using std::logic_error::logic_error;
};

/// Fails in its own code.
struct failing {
  bool on_load = false;

  template <class Archive>
  void save(Archive& archive) const {
    if (!on_load)
      throw user_error("save");
    archive(on_load);
  }

  template <class Archive>
  void load(Archive& archive) {
    archive(on_load);
    throw user_error("load");
  }

  template <class Packer>
  void msgpack_pack(Packer& packer) const {
    if (!on_load)
      throw user_error("save");
    packer.pack(on_load);
  }

  void msgpack_unpack(const msgpack::object&) {
    throw user_error("load");
  }
};

/// Encodes another value while it is being encoded.
struct reentrant {
  std::vector<std::string> texts;

  friend bool operator==(const reentrant&, const reentrant&) = default;

  template <class Archive>
  void save(Archive& archive) const {
    byte_buffer inner;
    inner_codec::append(texts, inner);
    std::string packed{reinterpret_cast<const char*>(inner.data()), inner.size()};
    archive(cereal::make_nvp("packed", packed));
  }

  template <class Archive>
  void load(Archive& archive) {
    std::string packed;
    archive(cereal::make_nvp("packed", packed));
    texts = inner_codec::read(std::as_bytes(std::span{packed}));
  }

private:
  // JSON's strings hold no NUL, so the inner encoding must not have any.
  using inner_codec = codec<std::vector<std::string>, codec_id::message_pack>;
};

/// A list as deep as it is long.
struct chain {
  std::unique_ptr<chain> next;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(next));
  }

  MSGPACK_DEFINE(next)
};

inline chain chain_of(std::size_t length) {
  chain head;
  for (std::size_t i = 1; i < length; ++i) {
    auto next = std::make_unique<chain>(std::move(head));
    head = chain{};
    head.next = std::move(next);
  }
  return head;
}

inline std::size_t length_of(const chain& head) {
  std::size_t result = 1;
  for (const auto* link = head.next.get(); link != nullptr; link = link->next.get())
    ++result;
  return result;
}

// -- encoding -------------------------------------------------------------------------------------

template <codec_id C, class T>
std::vector<std::byte> encoded(const T& value) {
  using codec_type = codec<T, C>;
  if constexpr (codec_type::exact_size) {
    std::vector<std::byte> result(codec_type::size(value));
    codec_type::write(value, result);
    return result;
  } else {
    byte_buffer out;
    codec_type::append(value, out);
    auto bytes = out.span();
    return {bytes.begin(), bytes.end()};
  }
}

template <codec_id C, class T>
T round_trip(const T& value) {
  return codec<T, C>::read(encoded<C>(value));
}

} // namespace mobula::test
