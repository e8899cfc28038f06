// The actor that owns data port, puller and pusher, and hands each message to the one that it
// concerns. The port closes before they let go of what it reads and writes.

#include "mobula/actors/transfer/transfers.hpp"

#include <unordered_map>
#include <utility>
#include <vector>

#include "arriving_copies.hpp"
#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/caf/spawn_service.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/messages/spill_messages.hpp"
#include "mobula/actors/messages/stats_request.hpp"
#include "mobula/actors/messages/transfer_events.hpp"
#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/service_state.hpp"
#include "mobula/actors/protocol/membership/address_choice.hpp"
#include "mobula/store/port/transfer_port.hpp"
#include "puller.hpp"
#include "pusher.hpp"

namespace mobula {

namespace {

class transfers_state : public service_state<transfers_actor, service_kind::transfers> {
public:
  void init() {
    arriving_.emplace(self_);
    pushes_.emplace(*core_, *arriving_);
    pulls_.emplace(*core_, self_, *arriving_);
  }

  /// In this order: once the port is closed, nobody reads or writes what the others hold.
  void end() {
    pulls_->open(nullptr);
    pushes_->open(nullptr, values_);
    port_.reset();
    pulls_->close();
    pushes_->close();
  }

  behavior_type handlers() {
    return {
      uncounted<&transfers_state::begin>(),     counted<&transfers_state::joined>(),
      counted<&transfers_state::left>(),        counted<&transfers_state::speaks_at>(),
      counted<&puller::pull>(*pulls_),          counted<&puller::raise>(*pulls_),
      counted<&puller::end>(*pulls_),           counted<&puller::buffer_answered>(*pulls_),
      counted<&puller::sealed>(*pulls_),        counted<&puller::let_go>(*pulls_),
      counted<&transfers_state::received>(),    counted<&pusher::ready>(*pushes_),
      counted<&pusher::record_found>(*pushes_), uncounted<&transfers_state::collect>(),
      uncounted<&transfers_state::check>(),     uncounted<&transfers_state::stop>(),
    };
  }

  void begin(begin_transfers& message) {
    values_ = std::move(message.values);
    events_ = std::move(message.events);
    port_ = std::move(message.port);
    pulls_->open(port_);
    pushes_->open(port_, values_);
  }

  void joined(const source_joined& message) {
    port_->admit(message.node, core_->own_endpoint().token);
    endpoints_[message.node] = message.data;
    add_peer(message.node, message.data);
    pulls_->source_joined(message.node);
  }

  /// It may have left meanwhile.
  void speaks_at(const source_speaks_at& message) {
    auto known = endpoints_.find(message.node);
    if (known == endpoints_.end())
      return;
    known->second.where = used_first(std::move(known->second.where), message.address);
    add_peer(message.node, known->second);
  }

  void left(const source_left& message) {
    if (!port_)
      return;
    endpoints_.erase(message.node);
    port_->remove_node(message.node);
    pulls_->source_left(message.node);
    pushes_->source_left(message.node);
  }

  void received(const port_events& message) {
    for (const auto& event : message.events)
      std::visit([this](const auto& news) { take(news); }, event);
  }

  void collect(collect_stats& request) {
    pulls_->add_figures(request.request->stats);
    pushes_->add_figures(request.request->stats);
    self_->send(core_->counter(), std::move(request));
  }

  void check(check_tables) const {
    pulls_->check_invariants();
    pushes_->check_invariants();
    arriving_->check_invariants();
  }

private:
  template <class News>
  void take(const News& news) {
    if constexpr (requires(puller & part) { part.received(news); })
      pulls_->received(news);
    else
      pushes_->received(news);
  }

  void take(const connection_refused& news) {
    log_warning(news.why);
  }

  void add_peer(const incarnation_id& node, const data_endpoint& data) {
    std::vector<data_address> addresses;
    for (const auto& where : data.where)
      addresses.push_back({where.address, where.port});
    port_->add_peer(node, addresses, data.token);
  }

  // Made by `init`, as they need the actor.
  std::optional<arriving_copies> arriving_;
  std::optional<pusher> pushes_;
  std::optional<puller> pulls_;
  std::shared_ptr<served_values> values_;
  std::shared_ptr<transfer_events> events_;
  std::shared_ptr<transfer_port> port_;
  std::unordered_map<incarnation_id, data_endpoint> endpoints_; ///< of nodes with a session
};

} // namespace

transfers_actor spawn_transfers(node_core& core) {
  // Whoever starts them counts them: see `service_life::start_cluster`.
  return spawn_uncounted<transfers_state>(core);
}

} // namespace mobula
