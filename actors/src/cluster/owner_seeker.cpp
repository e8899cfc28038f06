// Looks for the owners of references that came here through a third node, until each has a session
// with this one or is given up.

#include "mobula/actors/cluster/owner_seeker.hpp"

#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include "mobula/actors/caf/sending.hpp"
#include "mobula/actors/membership/membership.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/node/node_core.hpp"

namespace mobula {

void owner_seeker::attach(caf::scheduled_actor* self, node_core& core, const membership& nodes,
                          std::function<void(const incarnation_id&)> on_given_up) {
  self_ = self;
  core_ = &core;
  nodes_ = &nodes;
  on_given_up_ = std::move(on_given_up);
  timers_.attach(self);
}

void owner_seeker::find_owner(const incarnation_id& owner) {
  if (finder_)
    caf::anon_send(finder_, mobula::find_owner{core_->incarnation(), owner});
  else if (nodes_->table() == nullptr || nodes_->table()->has_left())
    send_from(*self_, caf::actor_cast<caf::strong_actor_ptr>(self_->address()),
              owner_not_found{owner});
  else if (search_.begin(owner))
    start_round();
}

void owner_seeker::found(const incarnation_id& owner) {
  search_.found(owner);
  if (search_.idle())
    timers_.stop(round_timer_);
}

void owner_seeker::ask_through(const ask_for_owners& message) {
  finder_ = message.finder;
}

void owner_seeker::start_round() {
  round_timer_ = timers_.start(search_round, [this] { round_over(); });
}

void owner_seeker::round_over() {
  core_->count_message();
  auto given_up = search_.round_over(
    [this](const auto& owner) { return nodes_->table()->is_vouched_for(owner); });
  // First: what is given up makes the exchange look further, and that may begin a search.
  if (!search_.idle())
    start_round();
  for (const auto& owner : given_up)
    on_given_up_(owner);
}

} // namespace mobula
