// Tells the cluster actor what waits for it, and where others get at this node's values.

#include "mobula/actors/node/cluster_place.hpp"

#include <chrono>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include "mobula/actors/caf/sending.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/messages/transfer_messages.hpp"

namespace mobula {

namespace {

/// How long the gateway collects references before other nodes are told. A message with ten
/// thousand of them is read in some milliseconds, and nobody waits for what is told.
constexpr std::chrono::microseconds wake_delay{200};

} // namespace

void cluster_place::set_data_endpoint(data_endpoint at, begin_transfers start) {
  own_endpoint_ = std::move(at);
  caf::anon_send(transfers(), std::move(start));
}

pull_number cluster_place::next_pull_number() noexcept {
  constexpr auto distinct = std::uint64_t{1} << 63U;
  return pull_number{distinct | pulls_.fetch_add(1, std::memory_order_relaxed)};
}

void cluster_place::wake_cluster(wake_time when) noexcept {
  services_use use{*this};
  if (!use)
    return;
  if (when == wake_time::soon && simulation() == nullptr)
    send_after(system(), caf::actor_cast<caf::strong_actor_ptr>(cluster()), wake_delay,
               gateway_event_noted{});
  else
    caf::anon_send(cluster(), gateway_event_noted{});
}

} // namespace mobula
