#include "mobula/actors/membership_actor.hpp"

#include <algorithm>
#include <map>

#include <caf/logger.hpp>

namespace mobula {

namespace {

/// Owns a membership, and tells watchers.
class membership_state : public member_listener {
public:
  membership_state() = default;

  void member_joined(const node_record& record, session_id session,
                     const caf::strong_actor_ptr&) override {
    auto& known = members_[record.incarnation];
    known = {record, session};
    tell({known, std::nullopt});
  }

  void member_left(const incarnation_id& incarnation, session_id, departure why) override {
    auto known = members_.extract(incarnation);
    tell({std::move(known.mapped()), why});
  }

  void node_refused(const std::string& text) override {
    CAF_LOG_WARNING("refused a node:" << text);
    static_cast<void>(text);
  }

  void watch(const watch_members& message) {
    for (const auto& [incarnation, known] : members_)
      message.watcher({known, std::nullopt});
    watchers_.push_back(message.watcher);
  }

  membership nodes;

private:
  void tell(const member_event& event) {
    for (const auto& watcher : watchers_)
      watcher(event);
  }

  std::map<incarnation_id, member_info> members_;
  std::vector<std::function<void(const member_event&)>> watchers_;
};

membership_actor::behavior_type
membership_behavior(membership_actor::stateful_pointer<membership_state> self,
                    const dialect& speaks) {
  auto& state = self->state;
  state.nodes.attach(self, speaks, state);
  self->set_down_handler([&state](const caf::down_msg& message) { state.nodes.down(message); });
  return {
    [&state](const hello_envelope& message) { state.nodes.received(message); },
    [&state](const welcome& message) { state.nodes.received(message); },
    [&state](const crossed& message) { state.nodes.received(message); },
    [&state](const already_connected& message) { state.nodes.received(message); },
    [&state](const refused& message) { state.nodes.received(message); },
    [&state](const members_changed& message) { state.nodes.received(message); },
    [&state](const session_over& message) { state.nodes.received(message); },
    [&state](const leave_cluster& message) { state.nodes.received(message); },
    [&state](const begin_membership& message) { state.nodes.begin(message); },
    [&state](const join_through& message) { state.nodes.join(message); },
    [&state](const list_members& message) { state.nodes.list(message); },
    [&state](const watch_members& message) { state.watch(message); },
    [&state](const dial_ended& message) { state.nodes.dial_done(message); },
    [&state](const member_timer& message) { state.nodes.timer_fired(message); },
    [&state, self](const end_membership& message) {
      state.nodes.leave();
      message.done->set_value();
      self->quit();
    },
  };
}

} // namespace

membership_actor spawn_membership(caf::actor_system& system, dialect speaks) {
  return spawn_service(system, membership_behavior, std::move(speaks));
}

} // namespace mobula
