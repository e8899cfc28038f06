#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor_control_block.hpp>
#include <caf/error.hpp>
#include <caf/local_actor.hpp>
#include <caf/message.hpp>
#include <caf/message_id.hpp>
#include <caf/node_id.hpp>
#include <caf/scheduled_actor.hpp>

#include "mobula/actors/caf/caf_version.hpp"
#include "mobula/actors/time/time_span.hpp"

/// What CAF leaves to its users about actors of other nodes.
///
/// A *proxy* is what stands here for an actor of another node. It dies with the connection: what is
/// sent to it then is dropped, a request that was under way is never answered, and it stays dead
/// when there is another connection, although the actor lives.

namespace mobula {

/// Finds out which address the connection to a node leads to, in numbers, and calls `on_found` with
/// it as part of `self`; never, if there is none. REQUIRES: called by `self`; the system has a
/// middleman.
void find_remote_address(caf::scheduled_actor& self, const caf::node_id& node,
                         std::function<void(const std::string&)> on_found);

/// Somebody waits for an answer of an actor, or for its end. As long as this lives, it may come.
using actor_wait_token = std::shared_ptr<const void>;

/// Sends `content` to `receiver` as the request `request` of `self`, wherever the receiver is; over
/// the connection that there is now, if the one by which it was found is lost. If the node of the
/// receiver is lost before an answer came, the answer is a `node_died`; after `limit`, unless that
/// is nothing, it is CAF's own `request_timeout`. REQUIRES: called by `self`, which outlives the
/// token.
[[nodiscard]] actor_wait_token send_request(caf::local_actor& self,
                                            const caf::strong_actor_ptr& receiver,
                                            caf::message_id request, caf::message content,
                                            const std::optional<time_span>& limit);

/// Calls `on_end` once, as part of `self`, when `actor` has ended: with `node_died` if its node is
/// lost, else with `actor_died`. REQUIRES: called by `self`.
void watch_actor(caf::scheduled_actor& self, const caf::strong_actor_ptr& actor,
                 std::function<void(caf::error&)> on_end);

/// Sends `content` to `receiver`; over the connection that there is now, if the one by which it was
/// found is lost. REQUIRES: called by `self`.
void send_anew(caf::local_actor& self, const caf::strong_actor_ptr& receiver, caf::message content);

} // namespace mobula
