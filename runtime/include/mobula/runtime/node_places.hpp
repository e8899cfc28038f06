#pragma once

#include <string>
#include <vector>

#include "mobula/actors/protocol/membership/address_choice.hpp"
#include "mobula/actors/protocol/membership/member_messages.hpp"

/// Where a node listens and what it tells others of that, as its options and its host have it. All
/// of it may block, and throws `object_error` (`invalid_argument`) with a text that says what to
/// do.

namespace mobula {

class node_core;

} // namespace mobula

namespace mobula::internal {

/// Returns the address in numbers at which `asked` means to listen; no address means loopback.
/// Throws unless the node may listen there.
[[nodiscard]] std::string listening_number(const node_core& core, const endpoint& asked);

/// Returns the address at which a node listens that joins through `target`. Throws for a name that
/// does not resolve, and unless the node may listen where the members there can connect to it.
[[nodiscard]] std::string address_to_join_from(const node_core& core, const endpoint& target);

/// Returns where others are told to join through a node that listens at `where`, in numbers or as
/// the option `mobula.advertise` has it.
[[nodiscard]] std::vector<endpoint> control_endpoints(const node_core& core, const endpoint& where);

/// Returns where others are told to fetch large values, in numbers. Throws for a name in
/// `mobula.advertise` that does not resolve here.
[[nodiscard]] std::vector<endpoint> data_endpoints(const node_core& core, const endpoint& where);

/// Returns what a node that listens at `where` says of itself. REQUIRES: its data port is open.
[[nodiscard]] node_record own_record(const node_core& core, const endpoint& where);

} // namespace mobula::internal
