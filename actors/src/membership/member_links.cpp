// Numbers the handles on other nodes' actors, watches them, and closes connections that this node
// has dialed.

#include "mobula/actors/membership/member_links.hpp"

#include <caf/actor_cast.hpp>
#include <caf/scheduled_actor.hpp>

#include "mobula/actors/caf/sending.hpp"

namespace mobula {

void member_links::attach(caf::scheduled_actor* self) {
  self_ = self;
}

link_id member_links::link_to(const caf::strong_actor_ptr& peer) {
  if (const auto* known = links_.name_of(peer.get()))
    return *known;
  link_id link{++last_link_};
  links_.add(link, {.handle = peer, .grip = {}});
  self_->monitor(peer);
  return link;
}

const caf::strong_actor_ptr* member_links::find(link_id link) const {
  const auto* known = links_.find(link);
  return known == nullptr ? nullptr : &known->handle;
}

void member_links::hold(link_id link, const connection_grip& grip) {
  if (auto& held = links_.find(link)->grip; !held)
    held = grip;
}

void member_links::drop(link_id link) const {
  if (const auto* known = links_.find(link); known != nullptr && known->grip)
    known->grip->drop(self_->system());
}

void member_links::forget(link_id link) {
  if (auto forgotten = links_.remove(link))
    self_->demonitor(caf::actor_cast<caf::actor_addr>(forgotten->handle));
}

std::optional<link_id> member_links::ended(const caf::down_msg& news) const {
  const auto* known = links_.name_of(news.source.get());
  if (known == nullptr || !has_ended(at(*known)))
    return std::nullopt;
  return *known;
}

} // namespace mobula
