// The peers of a reference exchange by node and by handle.

#include "mobula/actors/exchange/exchange_peers.hpp"

#include "mobula/actors/node/node_core.hpp"

namespace mobula {

void exchange_peers::add(const peer_session& opened, caf::strong_actor_ptr handle,
                         data_endpoint data) {
  peers_.add(opened.node, {opened.session, std::move(handle), std::move(data)});
}

bool exchange_peers::remove(const incarnation_id& node) {
  return peers_.remove(node).has_value();
}

const exchange_peer* exchange_peers::find(const peer_session& session) const {
  const auto* known = peers_.find(session.node);
  return known != nullptr && known->session == session.session ? known : nullptr;
}

const incarnation_id* exchange_peers::sender() const {
  return peers_.name_of(self_.current_sender().get());
}

bool can_transfer(const node_core& core, const exchange_peer& to) {
  return !core.own_endpoint().where.empty() && !to.data.where.empty();
}

} // namespace mobula
