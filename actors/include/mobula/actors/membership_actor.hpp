#pragma once

#include <functional>

#include "mobula/actors/membership.hpp"

namespace mobula {

/// Somebody came or went.
struct member_event {
  member_info member;
  std::optional<departure> left; ///< nothing: it joined
};

/// Calls `watcher` with each change from now on, and first with the members that there are. In the
/// membership's actor, so it must not block.
struct watch_members {
  std::function<void(const member_event&)> watcher;
};

/// Leave, and end. The promise is set when all is said that there is to say.
struct end_membership {
  std::shared_ptr<std::promise<void>> done;
};

/// What an actor takes that speaks for a node. Another actor that does so extends this.
using membership_actor =
  caf::typed_actor<takes<hello_envelope>, takes<welcome>, takes<crossed>, takes<already_connected>,
                   takes<refused>, takes<members_changed>, takes<session_over>,
                   takes<leave_cluster>, takes<begin_membership>, takes<join_through>,
                   takes<list_members>, takes<watch_members>, takes<dial_ended>,
                   takes<member_timer>, takes<end_membership>>;

/// Starts an actor that does nothing but membership. It waits for `begin_membership`.
membership_actor spawn_membership(caf::actor_system& system, dialect speaks);

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::watch_members)
MOBULA_LOCAL_MESSAGE(mobula::end_membership)
