#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <caf/fwd.hpp>

#include "mobula/actors/caf/caf_version.hpp"

/// What is asked of CAF's network when a node leaves.

namespace mobula {

/// Has CAF's broker forget the actor that others meet at `port`. Waits for that up to `limit`;
/// without one, not at all. REQUIRES: the system has a middleman.
void end_service(caf::actor_system& system, const caf::actor_addr& actor, std::uint16_t port,
                 std::optional<std::chrono::seconds> limit);

/// Waits until what was sent to other nodes is with the operating system: CAF drops the rest when
/// the system ends, and the others would take this node for dead instead of gone. Up to three
/// seconds. REQUIRES: the system has a middleman.
void flush_network(caf::actor_system& system);

} // namespace mobula
