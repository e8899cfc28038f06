#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mobula {

/// Says how the data of an object are encoded. The numbers are part of the wire format.
enum class codec_id : std::uint8_t {
  raw = 1,           ///< the bytes of the value in memory, little-endian
  cereal_binary = 2, ///< cereal's portable binary archive
  cereal_json = 3,   ///< cereal's JSON archive
  message_pack = 4,  ///< MessagePack as msgpack-cxx writes it
};

/// Returns the enumerator's name; `unknown` for a number without one.
[[nodiscard]] std::string_view to_string(codec_id codec) noexcept;

/// Returns the codec with this number, if there is one.
[[nodiscard]] std::optional<codec_id> codec_id_from_number(std::uint8_t number) noexcept;

} // namespace mobula
