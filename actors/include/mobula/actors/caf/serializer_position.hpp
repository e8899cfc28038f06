#pragma once

#include <cstddef>
#include <optional>

#include <caf/fwd.hpp>

#include "mobula/actors/caf/caf_version.hpp"

namespace mobula {

/// Where a serializer writes next.
struct write_position {
  const void* buffer = nullptr;
  std::size_t offset = 0;
};

/// Returns where `sink` writes next; nothing unless it writes to memory in CAF's binary format, as
/// for messages to other nodes.
std::optional<write_position> position_of(const caf::serializer& sink);

/// Returns how many bytes `source` still has; nothing if it does not know.
std::optional<std::size_t> bytes_left(const caf::deserializer& source);

} // namespace mobula
