// Looks into CAF's serializers: how far they are.

#include "mobula/actors/caf/serializer_position.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

namespace mobula {

std::optional<write_position> position_of(const caf::serializer& sink) {
  const auto* binary = dynamic_cast<const caf::binary_serializer*>(&sink);
  if (binary == nullptr)
    return std::nullopt;
  return write_position{&binary->buf(), binary->write_pos()};
}

std::optional<std::size_t> bytes_left(const caf::deserializer& source) {
  const auto* binary = dynamic_cast<const caf::binary_deserializer*>(&source);
  return binary == nullptr ? std::nullopt : std::optional{binary->remaining()};
}

} // namespace mobula
