// Limits that follow from several options of a node together.

#include "mobula/actors/node/node_options.hpp"

#include <algorithm>
#include <limits>

namespace mobula {

std::uint32_t max_message_bytes(const node_options& options) noexcept {
  // A value of the node's own and what is said of it.
  constexpr std::uint64_t beside_a_value = 16ULL << 20U;
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(
    most, std::max(options.message_limit_bytes, options.inline_limit_bytes + beside_a_value)));
}

} // namespace mobula
