// The actor that takes what the stripes gathered and tells the owner: additions, then seals, then
// removals. It only relays; what is counted is counted by entries and tables.

#include "mobula/actors/ownership/reference_counter.hpp"

#include "mobula/actors/messages/counter_messages.hpp"
#include "mobula/actors/messages/owner_messages.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/service_state.hpp"
#include "mobula/actors/protocol/ownership/reference_table.hpp"

namespace mobula {

namespace {

/// Asks the stripes, feeds the reference table, and sends what it says.
class reference_counter_state
  : public service_state<reference_counter_actor, service_kind::counter> {
public:
  void init() {
    // nop
  }

  /// From here on nobody takes changes.
  void end() {
    for (auto& stripe : core_->stripes())
      stripe.close();
  }

  behavior_type handlers() {
    return {
      counted<&reference_counter_state::flush>(),
      uncounted<&reference_counter_state::collect>(),
      uncounted<&reference_counter_state::stop>(),
    };
  }

  void flush(flush_references) {
    send_changes();
  }

  void collect(collect_stats& request) {
    send_changes();
    self_->send(core_->owner(), std::move(request));
  }

  void stop(shut_down) {
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

  reference_table table_;
};

} // namespace

reference_counter_actor spawn_reference_counter(node_core& core) {
  return start_service<reference_counter_state>(core);
}

} // namespace mobula
