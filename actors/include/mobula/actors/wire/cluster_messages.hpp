#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor_system_config.hpp>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/packed_fields.hpp"
#include "mobula/actors/protocol/membership/address_choice.hpp"
#include "mobula/actors/protocol/membership/member_messages.hpp"
#include "mobula/actors/wire/wire_incarnation.hpp"

/// How what nodes tell each other travels in CAF. Each type that may cross a connection is named in
/// `add_cluster_messages` (cluster_messages.cpp), and nowhere else.

namespace mobula {

/// What nodes of this library speak in the cluster of that name.
[[nodiscard]] dialect dialect_of(std::string cluster);

/// A `hello` as it travels. Versions that differ in all else read this far, so that they can tell
/// each other what is wrong: it must never change.
struct hello_envelope {
  dialect speaks;
  std::vector<char> body; ///< the rest, as nodes that speak the same write it
};

[[nodiscard]] hello_envelope seal(const hello& content);

/// Inverse of `seal`. Nodes that do not speak as `ours` get only the dialect; so do those whose
/// body cannot be read.
[[nodiscard]] hello open(const hello_envelope& envelope, const dialect& ours);

/// Makes the types known to systems that run with `config`.
void add_cluster_messages(caf::actor_system_config& config);

// -- inspection -----------------------------------------------------------------------------------

MOBULA_MESSAGE(mobula::endpoint, address, port)
MOBULA_MESSAGE(mobula::host_identity, boot_id, user_id, mount_device)

/// As two numbers: CAF has no arrays of `std::byte`.
template <class Inspector>
inspection_result<Inspector> inspect(Inspector& f, transfer_token& x) {
  auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(x.bytes);
  if constexpr (byte_inspector<Inspector>) {
    auto error = apply_packed(f, halves[0], halves[1]);
    if constexpr (loading_inspector<Inspector>)
      if (!error)
        x.bytes = std::bit_cast<decltype(x.bytes)>(halves);
    return error;
  } else {
    return show_fields(f, "mobula::transfer_token", halves[0], halves[1]);
  }
}

/// More addresses than any node has are refused before they are tried, and with them the message.
[[nodiscard]] inline bool is_short_enough(const data_endpoint& x) noexcept {
  return x.where.size() <= max_advertised_endpoints;
}
MOBULA_CHECKED_MESSAGE(mobula::data_endpoint, is_short_enough, where, token)

MOBULA_MESSAGE(mobula::node_record, incarnation, name, host, process_id, control, data, arena_path)
MOBULA_MESSAGE(mobula::member_hint, incarnation, control)
MOBULA_MESSAGE(mobula::dialect, cluster, protocol_version, library_version)
MOBULA_MESSAGE(mobula::hello_envelope, speaks, body)
MOBULA_MESSAGE(mobula::welcome, record, session, members)
MOBULA_MESSAGE(mobula::crossed, sender)
MOBULA_MESSAGE(mobula::already_connected, sender, session)
MOBULA_MESSAGE(mobula::refused, reason, text)
MOBULA_MESSAGE(mobula::members_changed, session, connected, disconnected)
MOBULA_MESSAGE(mobula::session_over, session)
MOBULA_MESSAGE(mobula::leave_cluster, session)

} // namespace mobula
