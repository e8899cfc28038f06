#pragma once

#include <chrono>
#include <future>
#include <memory>

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/messages/service_interfaces.hpp"
#include "mobula/actors/objects/peer_arenas.hpp"
#include "mobula/actors/protocol/references/reference_messages.hpp"
#include "mobula/serialization/ids.hpp"

namespace mobula {

struct drain_result;

/// The node's gateway has noted events; many of them share one such message.
struct gateway_event_noted {};

MOBULA_MESSAGE(mobula::gateway_event_noted)

/// Leave for good. The promise is set when all is said that there is to say.
struct end_membership {
  std::shared_ptr<std::promise<void>> done;
};

/// References to this owner are in vain: there will be no session with it.
struct owner_not_found {
  incarnation_id owner;
};

/// An object in the arena of another node is not pinned here any more, and its shard waits for
/// that.
struct borrowed_unpinned {
  object_id object;
};

// -- from a simulated network, which stands in for the membership ---------------------------------

/// Messages of this session come from `handle` and are sent to it, from now on.
struct session_opened {
  peer_session peer;
  caf::strong_actor_ptr handle;
  peer_addresses addresses;
};

/// No message of this session comes any more.
struct session_closed {
  peer_session peer;
};

/// To the network: a reference came here whose owner has no session with this node. Ends in
/// `session_opened` or `owner_not_found`.
struct find_owner {
  incarnation_id asker;
  incarnation_id owner;
};

/// Tells who is to get `find_owner`.
struct ask_for_owners {
  caf::actor finder;
};

/// Says that there are reports on copies to be sent.
struct reports_due {};

/// The node is about to leave: others are to keep the values that they refer to. The promise gets
/// the result when they have answered, or when the time is over.
struct drain_values {
  std::chrono::nanoseconds limit{};
  std::shared_ptr<std::promise<drain_result>> answer;
};

/// What another node has asked to keep is there, or will not be.
struct keep_ready {
  object_id object;
};

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::end_membership)
MOBULA_LOCAL_MESSAGE(mobula::owner_not_found)
MOBULA_LOCAL_MESSAGE(mobula::borrowed_unpinned)
MOBULA_LOCAL_MESSAGE(mobula::reports_due)
MOBULA_LOCAL_MESSAGE(mobula::drain_values)
MOBULA_LOCAL_MESSAGE(mobula::keep_ready)
MOBULA_LOCAL_MESSAGE(mobula::session_opened)
MOBULA_LOCAL_MESSAGE(mobula::session_closed)
MOBULA_LOCAL_MESSAGE(mobula::find_owner)
MOBULA_LOCAL_MESSAGE(mobula::ask_for_owners)
