#include "mobula/actors/cluster_actor.hpp"

#include "mobula/actors/node_core.hpp"
#include "mobula/actors/receiving_node.hpp"
#include "mobula/actors/reference_exchange.hpp"

namespace mobula {

namespace {

/// Owns an exchange and lets it find owners.
class cluster_state : public owner_finder {
public:
  using self_pointer = cluster_actor::pointer;

  cluster_state() = default;

  ~cluster_state() override {
    if (!core_)
      return;
    // Whatever ends this actor: from here on nothing crosses the border.
    receiving_nodes::delist(*core_);
    exchange.stop();
    core_->service_stopped();
  }

  void init(node_core& core, self_pointer self) {
    core_ = core_pointer{&core};
    self_ = self;
    exchange.attach(self, core, *this);
  }

  void find_owner(const incarnation_id& owner) override {
    if (finder_)
      caf::anon_send(finder_, mobula::find_owner{core_->incarnation(), owner});
    else
      self_->send(self_, owner_not_found{owner});
  }

  void set_finder(const ask_for_owners& message) {
    finder_ = message.finder;
  }

  void collect(collect_stats& request) {
    exchange.turn();
    exchange.add_figures(request.request->stats);
    self_->send(core_->counter(), std::move(request));
  }

  void stop() {
    receiving_nodes::delist(*core_);
    exchange.stop();
    self_->send(core_->counter(), shut_down{});
    self_->quit();
  }

  /// Counts a message and hands it to the exchange.
  template <class Message>
  void receive(Message& message) {
    core_->count_message();
    exchange.received(message);
  }

  template <class F>
  void event(F&& f) {
    core_->count_message();
    f(exchange);
  }

  reference_exchange exchange;

private:
  core_pointer core_;
  self_pointer self_ = nullptr;
  caf::actor finder_;
};

cluster_actor::behavior_type cluster(cluster_actor::stateful_pointer<cluster_state> self,
                                     node_core* core) {
  auto& state = self->state;
  state.init(*core, self);
  return {
    [&state](const borrow_references& message) { state.receive(message); },
    [&state](const references_confirmed& message) { state.receive(message); },
    [&state](const transits_ended& message) { state.receive(message); },
    [&state](const return_references& message) { state.receive(message); },
    [&state](const pass_barrier& message) { state.receive(message); },
    [&state](const barrier_passed& message) { state.receive(message); },
    [&state](const want_objects& message) { state.receive(message); },
    [&state](objects_told& message) { state.receive(message); },
    [&state](const session_opened& message) {
      state.event([&](auto& exchange) { exchange.session_opened(message.peer, message.handle); });
    },
    [&state](const session_closed& message) {
      state.event([&](auto& exchange) { exchange.session_closed(message.peer); });
    },
    [&state](const owner_not_found& message) {
      state.event([&](auto& exchange) { exchange.owner_unreachable(message.owner); });
    },
    [&state](const ask_for_owners& message) { state.set_finder(message); },
    [&state](border_changed) { state.event([](auto& exchange) { exchange.turn(); }); },
    [&state](collect_stats& request) { state.collect(request); },
    [&state](check_tables) { state.exchange.check_invariants(); },
    [&state](shut_down) { state.stop(); },
  };
}

} // namespace

cluster_actor spawn_cluster(node_core& core) {
  return spawn_service(core.system(), cluster, &core);
}

} // namespace mobula
