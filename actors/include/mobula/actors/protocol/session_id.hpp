#pragma once

#include <cstdint>

namespace mobula {

/// Names one connection's life between two incarnations; both agree on it at their handshake. Never
/// used twice between the same two. Rises with time there, so that of two sessions the later is
/// known. What is said in a session that is over changes nothing.
enum class session_id : std::uint64_t {
  none = 0,
};

} // namespace mobula
