#pragma once

#include "mobula/actors/caf_compat.hpp"
#include "mobula/actors/peer_messages.hpp"
#include "mobula/actors/service_messages.hpp"

namespace mobula {

/// Something happened at the node's border; many changes share one such message.
struct border_changed {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, border_changed&) {
  return f(caf::meta::type_name("mobula::border_changed"));
}

/// From the membership: messages of this session come from `handle` and are sent to it, from now
/// on.
struct session_opened {
  peer_session peer;
  caf::strong_actor_ptr handle;
};

/// From the membership: no message of this session comes any more.
struct session_closed {
  peer_session peer;
};

/// From the membership: there will be no session with an owner that it was asked to find.
struct owner_not_found {
  incarnation_id owner;
};

/// To the membership: a reference came here whose owner has no session with this node.
struct find_owner {
  incarnation_id asker;
  incarnation_id owner;
};

/// Tells who is to get `find_owner`. Without anybody, owners without a session are unreachable.
struct ask_for_owners {
  caf::actor finder;
};

/// Speaks for a node with the other nodes' cluster actors.
using cluster_actor =
  caf::typed_actor<takes<borrow_references>, takes<references_confirmed>, takes<transits_ended>,
                   takes<return_references>, takes<pass_barrier>, takes<barrier_passed>,
                   takes<want_objects>, takes<objects_told>, takes<session_opened>,
                   takes<session_closed>, takes<owner_not_found>, takes<ask_for_owners>,
                   takes<border_changed>, takes<collect_stats>, takes<check_tables>,
                   takes<shut_down>>;

class node_core;

/// Starts the cluster actor of `core`. REQUIRES: the reference counter runs.
cluster_actor spawn_cluster(node_core& core);

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::session_opened)
MOBULA_LOCAL_MESSAGE(mobula::session_closed)
MOBULA_LOCAL_MESSAGE(mobula::owner_not_found)
MOBULA_LOCAL_MESSAGE(mobula::find_owner)
MOBULA_LOCAL_MESSAGE(mobula::ask_for_owners)
