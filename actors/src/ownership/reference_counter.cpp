// The actor that takes what the stripes gathered and tells the owner: additions, then seals, then
// removals.

#include "mobula/actors/ownership/reference_counter.hpp"

#include <memory>
#include <utility>

#include "mobula/actors/caf/spawn_service.hpp"
#include "mobula/actors/messages/counter_messages.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/service_state.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

std::vector<reference_relay::owner_message>
reference_relay::changes_taken(reference_changes changes) {
  references_ += changes.added.size();
  MOBULA_ASSERT(references_ >= changes.removed.size());
  references_ -= changes.removed.size();
  std::vector<owner_message> messages;
  if (!changes.added.empty())
    messages.emplace_back(add_references{std::move(changes.added)});
  if (!changes.sealed.empty())
    messages.emplace_back(seal_objects{std::move(changes.sealed)});
  if (!changes.removed.empty())
    messages.emplace_back(
      remove_references{std::make_shared<std::vector<release_token>>(std::move(changes.removed))});
  return messages;
}

namespace {

/// Asks the stripes, and sends what the relay makes of it.
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
    for (auto& each : relay_.changes_taken(std::move(changes)))
      std::visit([this](auto& message) { self_->send(core_->owner(), std::move(message)); }, each);
  }

  reference_relay relay_;
};

} // namespace

reference_counter_actor spawn_reference_counter(node_core& core) {
  return start_service<reference_counter_state>(core);
}

} // namespace mobula
