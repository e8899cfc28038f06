#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "mobula/actors/protocol/references/reference_messages.hpp"
#include "mobula/serialization/ids.hpp"

namespace mobula {

/// One handle on an entry of this node, as the tables see it: taken by the caller, kept by a table,
/// given back exactly once through `drop_handles`. In production it is the entry's address.
enum class kept_handle : std::uintptr_t { none = 0 };

/// Names one entry for a borrowed object without holding it: from its first reference on this node
/// until the caller has said that its last one was dropped. In production the entry's address,
/// which nobody else gets before that.
enum class entry_token : std::uintptr_t { none = 0 };

/// Names one grace period, chosen by `reference_protocol`.
enum class grace_number : std::uint64_t {};

/// Names how far one lease reaches, chosen by `transit_table`.
enum class lease_mark : std::uint64_t {};

// -- what happened to references on this node -----------------------------------------------------

/// A reference was serialized for a message; the handle keeps its object alive meanwhile.
struct opened_transit {
  transit_number number = transit_number::none;
  object_id object;
  kept_handle handle = kept_handle::none;
};

/// A reference was deserialized from a message.
struct arrived_reference {
  entry_token entry = entry_token::none; ///< unused if the object is this node's own
  object_id object;
  incarnation_id sender;
  transit_number transit = transit_number::none;
};

/// A reference to a borrowed object, found in a value.
struct nested_reference {
  entry_token entry = entry_token::none;
  object_id object;
};

/// A value was read and brought references along; the handle is one on the object that holds them.
struct value_read {
  kept_handle outer = kept_handle::none;
  std::vector<nested_reference> inner;
};

/// The last reference of an entry for a borrowed object is gone.
struct dropped_reference {
  entry_token entry = entry_token::none;
  object_id object;
};

/// All that happened to references on this node since it was last asked.
struct reference_traffic {
  std::vector<opened_transit> opened;
  std::vector<transit_number> canceled; ///< opened, but their message will never be sent
  std::vector<arrived_reference> arrived;
  std::vector<value_read> read;
  std::vector<object_id> freed; ///< borrowed objects whose values were freed here
  std::vector<dropped_reference> dropped;
};

// -- effects --------------------------------------------------------------------------------------

/// Why a reference fails.
enum class reference_failure : std::uint8_t {
  owner_died,    ///< or the session with it is over
  object_deleted ///< the owner does not have it any more
};

/// Asks for a message to be sent, in order with all other messages to that node.
struct send_to_peer {
  peer_session to;
  reference_message message;
};

/// The tables let go of these handles.
struct drop_handles {
  std::vector<kept_handle> handles;
};

/// Ends these entries in failure, once and for all: references that arrive later get a new entry.
/// An entry that is gone or failed already is left as it is.
struct fail_references {
  std::vector<entry_token> entries;
  reference_failure reason;
};

/// Asks for `grace_over` after the grace period.
struct start_grace {
  grace_number number;
};

/// Asks for `lease_passed` after the lease.
struct start_lease {
  lease_mark mark;
};

/// Asks for a session with the owner of a reference that arrived here. Has to end in
/// `session_started` or `owner_unreachable`, also if a connection is lost before its session began:
/// until then references to that owner wait, and with them each barrier that this node is asked.
struct connect_to_owner {
  incarnation_id owner;
};

using reference_effect = std::variant<send_to_peer, drop_handles, fail_references, start_grace,
                                      start_lease, connect_to_owner>;

/// Effects in the order in which they are to be carried out. Events append to it.
using reference_effects = std::vector<reference_effect>;

} // namespace mobula
