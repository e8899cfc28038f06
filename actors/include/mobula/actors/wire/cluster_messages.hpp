#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mobula/actors/caf/caf_compat.hpp"
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

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, endpoint& x) {
  return f(caf::meta::type_name("mobula::endpoint"), x.address, x.port);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, host_identity& x) {
  return f(caf::meta::type_name("mobula::host_identity"), x.boot_id, x.user_id, x.mount_device);
}

/// As two numbers: CAF has no arrays of `std::byte`.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, transfer_token& x) {
  auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(x.bytes);
  if constexpr (Inspector::writes_state) {
    if (auto error = f(halves[0], halves[1]))
      return error;
    x.bytes = std::bit_cast<decltype(x.bytes)>(halves);
    return {};
  } else {
    return f(caf::meta::type_name("mobula::transfer_token"), halves[0], halves[1]);
  }
}

/// More addresses than any node has are refused before they are tried, and with them the message.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, data_endpoint& x) {
  if constexpr (Inspector::writes_state) {
    if (auto error = f(x.where, x.token))
      return error;
    if (x.where.size() > max_advertised_endpoints)
      return caf::make_error(caf::sec::invalid_argument);
    return {};
  } else {
    return f(caf::meta::type_name("mobula::data_endpoint"), x.where, x.token);
  }
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_record& x) {
  return f(caf::meta::type_name("mobula::node_record"), x.incarnation, x.name, x.host, x.process_id,
           x.control, x.data, x.arena_path);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, member_hint& x) {
  return f(caf::meta::type_name("mobula::member_hint"), x.incarnation, x.control);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, dialect& x) {
  return f(caf::meta::type_name("mobula::dialect"), x.cluster, x.protocol_version,
           x.library_version);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, hello_envelope& x) {
  return f(caf::meta::type_name("mobula::hello_envelope"), x.speaks, x.body);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, welcome& x) {
  return f(caf::meta::type_name("mobula::welcome"), x.record, x.session, x.members);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, crossed& x) {
  return f(caf::meta::type_name("mobula::crossed"), x.sender);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, already_connected& x) {
  return f(caf::meta::type_name("mobula::already_connected"), x.sender, x.session);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, refused& x) {
  return f(caf::meta::type_name("mobula::refused"), x.reason, x.text);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, members_changed& x) {
  return f(caf::meta::type_name("mobula::members_changed"), x.session, x.connected, x.disconnected);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, session_over& x) {
  return f(caf::meta::type_name("mobula::session_over"), x.session);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, leave_cluster& x) {
  return f(caf::meta::type_name("mobula::leave_cluster"), x.session);
}

} // namespace mobula
