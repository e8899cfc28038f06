#pragma once

#include <caf/actor_system.hpp>
#include <caf/spawn_options.hpp>

#include "mobula/actors/caf/typed_interface.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/service_kind.hpp"

namespace mobula {

/// What a member function that handles a message takes, and whose member it is.
template <class Handler>
struct handler_traits;

template <class Owner, class Message>
struct handler_traits<void (Owner::*)(Message)> {
  using owner = Owner;
  using message = Message;
};

template <class Owner, class Message>
struct handler_traits<void (Owner::*)(Message) const> {
  using owner = const Owner;
  using message = Message;
};

/// What the states of a node's services have in common: the node, the actor, and a table of
/// handlers that says which messages the node counts. Such a state has besides
///
/// - `init`, which gets what `start_service` was given,
/// - `handlers`, the actor's behavior: `counted` or `uncounted` for each of its messages,
/// - if need be, `end`: what is to happen before the node is told that the service is gone.
///
/// A handler that throws ends its actor. That is told like any other end, by `running_service`: the
/// node fails, and whoever shuts it down goes on with the next kind of services.
template <class Actor, service_kind Kind>
class service_state {
public:
  using actor_type = Actor;
  using self_pointer = typename Actor::pointer;
  using behavior_type = typename Actor::behavior_type;

  static constexpr service_kind kind = Kind;

  service_state(const service_state&) = delete;
  service_state& operator=(const service_state&) = delete;

  /// REQUIRES: called once, by the actor, first of all.
  void attach(node_core& core, self_pointer self) {
    core_ = core_pointer{&core};
    self_ = self;
    guard_service(*self, core, Kind);
  }

  /// Whatever ends the actor. The node is told afterwards, and then the members go.
  void end() noexcept {
    // nop
  }

  /// All that the service had to do is done.
  void stop(shut_down) {
    self_->quit();
  }

protected:
  service_state() = default;
  ~service_state() = default;

  /// Returns a handler that counts a message (see `node_stats::messages`) and has the state's
  /// member function `Handler` do the rest.
  template <auto Handler>
  [[nodiscard]] auto counted() {
    return counted<Handler>(part_with<Handler>());
  }

  /// The same with a member function of a part, which lives as long as the state.
  template <auto Handler, class Part>
  [[nodiscard]] auto counted(Part& part) {
    using message_type = typename handler_traits<decltype(Handler)>::message;
    return [this, &part](message_type message) {
      core_->count_message();
      (part.*Handler)(static_cast<message_type&&>(message));
    };
  }

  /// Returns a handler that does not count: of questions, and of what is told once.
  template <auto Handler>
  [[nodiscard]] auto uncounted() {
    using message_type = typename handler_traits<decltype(Handler)>::message;
    return [&part = part_with<Handler>()](message_type message) {
      (part.*Handler)(static_cast<message_type&&>(message));
    };
  }

  core_pointer core_;           ///< null until `attach`
  self_pointer self_ = nullptr; ///< the same

private:
  template <auto Handler>
  [[nodiscard]] auto& part_with() {
    return static_cast<typename handler_traits<decltype(Handler)>::owner&>(*this);
  }
};

/// A service's state as its actor has it: tells the node of its end. The last class of them all,
/// so that the node is told while the members are still there: those who wait for one of them are
/// refused with the reason that the node knows by then.
template <class State>
class running_service : public State {
public:
  ~running_service() {
    if (!this->core_)
      return;
    this->end();
    this->core_->service_stopped(State::kind);
  }
};

/// Spawns the actor of `State`, which does not count as running. For who counts it later.
template <class State, caf::spawn_options Options = caf::hidden, class... Ts>
typename State::actor_type spawn_uncounted(node_core& core, const Ts&... arguments) {
  using pointer = typename State::actor_type::template stateful_pointer<running_service<State>>;
  return core.system().spawn<Options>(
    [](pointer self, node_core* node, const Ts&... given) -> typename State::behavior_type {
      auto& state = self->state;
      state.attach(*node, self);
      state.init(given...);
      return state.handlers();
    },
    &core, arguments...);
}

/// Starts a service of `core` with `arguments` for the state's `init`. It runs until it is told to
/// stop; the node waits for that when it shuts down. Throws what spawning throws.
template <class State, caf::spawn_options Options = caf::hidden, class... Ts>
typename State::actor_type start_service(node_core& core, const Ts&... arguments) {
  return core.start_counted(State::kind,
                            [&] { return spawn_uncounted<State, Options>(core, arguments...); });
}

} // namespace mobula
