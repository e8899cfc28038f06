#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "mobula/actors/member_effects.hpp"

/// What the operating system knows about addresses, in words for people. All of it may block.

namespace mobula {

struct address_failure {
  dial_failure kind;
  std::string text;
};

/// Finds an address in numbers that accepts a connection at `target`, or tells why there is none.
/// Each address that a name stands for is tried for up to `limit`.
///
/// CAF's connect says only that it failed, and blocks all other connects until the system gives up,
/// for minutes if the other side is silent. So it is called only for addresses that were found
/// here.
[[nodiscard]] std::variant<endpoint, address_failure>
find_listener(const endpoint& target, std::chrono::milliseconds limit);

/// Returns why this process cannot listen at `where`, with the remedy. Called after a failure that
/// does not say.
[[nodiscard]] std::string explain_listen_failure(const endpoint& where);

/// Returns where others may find a node that listens at `where`: that address or, if it stands for
/// all, those of the host's interfaces, loopback last. At least one, at most 16.
[[nodiscard]] std::vector<endpoint> reachable_endpoints(const endpoint& where);

/// Describes this host for an arena in `arena_directory`.
[[nodiscard]] host_identity identify_host(const std::string& arena_directory);

} // namespace mobula
