#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <caf/scheduled_actor.hpp>

namespace mobula {

/// The services of a node, in the order in which they stop: each after those that still tell it
/// something.
enum class service_kind : std::uint8_t {
  cluster,
  transfers,
  counter,
  owner,
  heap_keeper,
  shard,
  spill_manager,
  spill_worker,
  filler
};

inline constexpr std::size_t service_kinds = 9;

/// What people call it.
[[nodiscard]] std::string_view to_string(service_kind kind) noexcept;

class node_core;

/// Guards the actor `self`, a service of `core`: nothing that others send ends it but `shut_down`,
/// and if an exception does, the node knows which. REQUIRES: called by the actor, first of all.
void guard_service(caf::scheduled_actor& self, node_core& core, service_kind kind);

} // namespace mobula
