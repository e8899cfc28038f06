#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

#include "mobula/actors/caf/actor_timers.hpp"
#include "mobula/actors/protocol/membership/owner_search.hpp"
#include "mobula/serialization/ids.hpp"

namespace mobula {

class membership;
class node_core;
struct ask_for_owners;

/// The part of the cluster actor that looks for owners of references which came here through a
/// third node: counts the rounds of an `owner_search` for as long as there is one. In a simulation
/// the network is asked instead.
class owner_seeker {
public:
  /// Longer than the larger incarnation of a pair waits before it dials, and than a dial takes
  /// where there is somebody: who is vouched for when a round begins usually has a session at its
  /// end.
  static constexpr auto search_round = std::chrono::seconds{1};

  owner_seeker() = default;

  owner_seeker(const owner_seeker&) = delete;
  owner_seeker& operator=(const owner_seeker&) = delete;

  /// `on_given_up` hears of owners that there will be no session with, within an event of the
  /// actor. REQUIRES: called once, before anything else; all outlive this.
  void attach(caf::scheduled_actor* self, node_core& core, const membership& nodes,
              std::function<void(const incarnation_id&)> on_given_up);

  /// Ends in `found`, in `on_given_up`, or in the message `owner_not_found`.
  void find_owner(const incarnation_id& owner);

  /// There is a session with the owner.
  void found(const incarnation_id& owner);

  /// From now on a simulated network is asked.
  void ask_through(const ask_for_owners& message);

  /// Timers that run.
  [[nodiscard]] std::size_t timers() const noexcept {
    return timers_.size();
  }

private:
  void start_round();
  void round_over();

  caf::scheduled_actor* self_ = nullptr;
  node_core* core_ = nullptr;
  const membership* nodes_ = nullptr;
  std::function<void(const incarnation_id&)> on_given_up_;
  owner_search search_;
  actor_timers timers_;
  deadline round_timer_; ///< runs while owners are searched for
  caf::actor finder_;    ///< the simulated network, if there is one
};

} // namespace mobula
