#pragma once

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/typed_interface.hpp"
#include "mobula/actors/membership/member_watchers.hpp"
#include "mobula/actors/membership/membership.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/objects/peer_arenas.hpp"
#include "mobula/actors/protocol/references/drain_table.hpp"
#include "mobula/actors/reports/node_report.hpp"
#include "mobula/actors/transfer/transfers.hpp"
#include "mobula/actors/wire/name_messages.hpp"
#include "mobula/actors/wire/peer_messages.hpp"
#include <chrono>

namespace mobula {

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

/// What the node's services had to say for a report.
struct report_collected {
  std::uint64_t number = 0;
  node_stats stats;
  std::shared_ptr<object_listing> objects;
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

/// Speaks for a node with the other nodes' cluster actors: on membership, on references, on values
/// and on names. One actor for all of it, because CAF keeps the order of messages only between two
/// actors, and what nodes tell each other of references has to come after the beginning of the
/// session that it belongs to, and before its end.
using cluster_actor = caf::typed_actor<
  // From anybody who can connect.
  answers<ask_report, node_report>,
  // From other nodes: membership.
  takes<hello_envelope>, takes<welcome>, takes<crossed>, takes<already_connected>, takes<refused>,
  takes<members_changed>, takes<session_over>, takes<leave_cluster>,
  // From other nodes: references and values.
  takes<borrow_references>, takes<references_confirmed>, takes<transits_ended>,
  takes<return_references>, takes<pass_barrier>, takes<barrier_passed>, takes<request_objects>,
  takes<object_replies>, takes<objects_unpinned>, takes<report_copies>, takes<free_objects>,
  takes<keep_objects>, takes<objects_kept>,
  // From other nodes: names.
  takes<names_changed>, takes<find_name>, takes<name_found>,
  // From this node.
  takes<begin_membership>, takes<join_through>, takes<list_members>, takes<watch_members>,
  takes<dial_connected>, takes<dial_ended>, takes<end_membership>, takes<owner_not_found>,
  takes<report_collected>, takes<gateway_event_noted>, takes<borrowed_unpinned>, takes<pull_ended>,
  takes<copy_evicted>, takes<reports_due>, takes<drain_values>, takes<keep_ready>,
  takes<collect_stats>, takes<check_tables>, takes<shut_down>, takes<publish_name>,
  takes<unpublish_name>, takes<lookup_name>,
  // From a simulated network.
  takes<session_opened>, takes<session_closed>, takes<ask_for_owners>>;

class node_core;

/// Starts the cluster actor of `core`. REQUIRES: the reference counter runs.
cluster_actor spawn_cluster(node_core& core);

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::end_membership)
MOBULA_LOCAL_MESSAGE(mobula::owner_not_found)
MOBULA_LOCAL_MESSAGE(mobula::report_collected)
MOBULA_LOCAL_MESSAGE(mobula::borrowed_unpinned)
MOBULA_LOCAL_MESSAGE(mobula::reports_due)
MOBULA_LOCAL_MESSAGE(mobula::drain_values)
MOBULA_LOCAL_MESSAGE(mobula::keep_ready)
MOBULA_LOCAL_MESSAGE(mobula::session_opened)
MOBULA_LOCAL_MESSAGE(mobula::session_closed)
MOBULA_LOCAL_MESSAGE(mobula::find_owner)
MOBULA_LOCAL_MESSAGE(mobula::ask_for_owners)
