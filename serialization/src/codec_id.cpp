// Names the codecs, and tells the numbers that stand for one from all others.

#include "mobula/serialization/codec_id.hpp"

namespace mobula {

std::string_view to_string(codec_id codec) noexcept {
  switch (codec) {
    case codec_id::raw:
      return "raw";
    case codec_id::cereal_binary:
      return "cereal_binary";
    case codec_id::cereal_json:
      return "cereal_json";
    case codec_id::message_pack:
      return "message_pack";
  }
  return "unknown";
}

std::optional<codec_id> codec_id_from_number(std::uint8_t number) noexcept {
  auto codec = static_cast<codec_id>(number);
  return to_string(codec) != "unknown" ? std::optional{codec} : std::nullopt;
}

} // namespace mobula
