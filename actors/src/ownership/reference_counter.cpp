// The actor that takes what the stripes gathered and tells the owner: additions, then seals, then
// removals. It only relays; what is counted is counted by entries and tables.

#include "mobula/actors/ownership/reference_counter.hpp"

#include "mobula/actors/caf/spawn_service.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/protocol/ownership/reference_table.hpp"

namespace mobula {

namespace {

/// Asks the stripes, feeds the reference table, and sends what it says.
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
    core_->service_stopped(service_kind::counter);
  }

  void init(node_core& core, self_pointer self) {
    core_ = core_pointer{&core};
    self_ = self;
    guard_service(*self, core, service_kind::counter);
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
    self_->quit();
  }

private:
  void send_changes() {
    core_->flush_begins();
    reference_changes changes;
    for (auto& stripe : core_->stripes())
      stripe.take(changes);
    for (auto& effect : table_.changes_taken(std::move(changes)))
      std::visit([this](auto& content) { apply(content); }, effect);
  }

  void apply(reference_table::tell_added& effect) {
    self_->send(core_->owner(), add_references{core_->incarnation(), std::move(effect.references)});
  }

  void apply(reference_table::tell_sealed& effect) {
    self_->send(core_->owner(), seal_objects{std::move(effect.objects)});
  }

  void apply(reference_table::tell_removed& effect) {
    auto tokens = std::make_shared<std::vector<release_token>>(std::move(effect.tokens));
    self_->send(core_->owner(), remove_references{core_->incarnation(), std::move(tokens)});
  }

  core_pointer core_;
  self_pointer self_ = nullptr;
  reference_table table_;
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
  return core.start_counted(service_kind::counter,
                            [&] { return spawn_service(core.system(), reference_counter, &core); });
}

} // namespace mobula
