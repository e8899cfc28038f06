#pragma once

#include <cstdint>

namespace mobula {

/// Whether a node may listen where others than this host's processes can connect.
enum class listening_scope : std::uint8_t { loopback, any };

} // namespace mobula
