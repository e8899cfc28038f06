#include "mobula/actors/reference_counter.hpp"

#include "mobula/actors/node_core.hpp"

namespace mobula {

namespace {

/// Sends what the stripes of its node gathered to the owners. All entries of a node belong to
/// objects that it owns, so there is one owner to tell.
class reference_counter_state {
public:
  using self_pointer = reference_counter_actor::pointer;

  reference_counter_state() = default;

  ~reference_counter_state() {
    if (!core_)
      return;
    // Whatever ends this actor: from here on nobody takes changes.
    for (auto& stripe : core_->stripes())
      stripe.close();
    core_->service_stopped();
  }

  void init(node_core& core, self_pointer self) {
    core_ = core_pointer{&core};
    self_ = self;
  }

  void flush() {
    core_->count_message();
    send_changes();
  }

  void collect(collect_stats& request) {
    send_changes();
    self_->send(core_->owner(), std::move(request));
  }

  void stop() {
    send_changes();
    self_->send(core_->owner(), shut_down{});
    self_->quit();
  }

private:
  void send_changes() {
    core_->flush_begins();
    reference_changes changes;
    for (auto& stripe : core_->stripes())
      stripe.take(changes);
    // In this order: see `entry_stripe`.
    const auto& owner = core_->owner();
    const auto& holder = core_->incarnation();
    if (!changes.added.empty())
      self_->send(owner, add_references{holder, std::move(changes.added)});
    if (!changes.sealed.empty())
      self_->send(owner, seal_objects{std::move(changes.sealed)});
    if (!changes.removed.empty())
      self_->send(owner, remove_references{holder, std::make_shared<std::vector<entry_scope>>(
                                                     std::move(changes.removed))});
  }

  core_pointer core_;
  self_pointer self_ = nullptr;
};

reference_counter_actor::behavior_type
reference_counter(reference_counter_actor::stateful_pointer<reference_counter_state> self,
                  node_core* core) {
  auto& state = self->state;
  state.init(*core, self);
  return {
    [&state](flush_references) { state.flush(); },
    [&state](collect_stats& request) { state.collect(request); },
    [&state](shut_down) { state.stop(); },
  };
}

} // namespace

reference_counter_actor spawn_reference_counter(node_core& core) {
  return spawn_service(core.system(), reference_counter, &core);
}

} // namespace mobula
