#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "mobula/actors/protocol/references/reference_effects.hpp"

namespace mobula {

struct transit_stats {
  std::size_t open = 0; ///< now
  std::uint64_t opened = 0;
  std::uint64_t canceled = 0;
  std::uint64_t ended_by_owner = 0; ///< the receiver is known
  std::uint64_t ended_by_barrier = 0;
  std::uint64_t barriers_sent = 0;
};

/// The sender's side of references in messages: keeps an object alive from the moment a reference
/// to it is serialized until its owner knows the receiver, or until there will never be one.
///
/// *The usual end* is the owner's word, `ended`. It names the transit, so that nothing needs to be
/// known of the receiver: neither who it is nor whether there are several. It names the object too,
/// since the owner only repeats what the receiver said: a node that names any number ends no
/// transit of an object that it does not even know.
///
/// *The other end* is for messages that nobody deserializes. A lease alone would be unsafe, since a
/// receiver with a long backlog may deserialize after any time. So a transit that is older than
/// the lease ends with a *round* of barriers: every node with a session, at a moment after the
/// transit was opened, has answered a barrier that was sent to it at that moment. An answer says
/// that all owners know of all that arrived before the barrier. A session that ends during the
/// round, or had ended shortly before, counts only after its grace period: the receiver may be
/// alive without this node, and its word to the owner still be on its way.
///
/// A node without a session cannot be asked. So references must not be sent over a connection whose
/// session does not begin here within the lease.
///
/// *Costs.* No clock: one lease runs at a time while transits are open. One round runs at a time
/// with one barrier for each session, and only if some transit is older than the lease.
///
/// *Bounds.* A transit is open for at most two leases, one round that it just missed and its own
/// round; a round lasts as long as the slowest answer or the session and its grace period. So open
/// transits are bounded by what is serialized in that time.
///
/// | field             | raised by                        | lowered by                            |
/// |-------------------|----------------------------------|---------------------------------------|
/// | transits_         | `opened`                         | `ended`, `ended_here`, end of a round |
/// | sessions_         | `session_started`                | `session_ended`                       |
/// | graces_           | `session_ended`                  | `grace_over`                          |
/// | running_          | `opened`, `lease_passed`         | `lease_passed`                        |
/// | passed_           | `lease_passed`                   | never: a mark                         |
/// | round_            | `lease_passed`, end of a round   | its end                               |
/// | round_::sessions  | start of the round               | `barrier_passed`, `session_ended`     |
/// | round_::graces    | its start, `session_ended`       | `grace_over`                          |
class transit_table {
public:
  explicit transit_table(const incarnation_id& self) : self_(self) {
    // nop
  }

  transit_table(const transit_table&) = delete;
  transit_table& operator=(const transit_table&) = delete;

  // -- sessions ---------------------------------------------------------------

  /// REQUIRES: there is no session with that node.
  void session_started(const peer_session& peer);

  /// Ignored if it is not the current session with that node.
  void session_ended(const peer_session& peer, grace_number grace);

  void grace_over(grace_number grace, reference_effects& effects);

  // -- transits ---------------------------------------------------------------

  /// References were serialized. REQUIRES: numbers are new. They may come in any order, but each
  /// one before its message is sent.
  void opened(std::span<const opened_transit> transits, reference_effects& effects);

  /// The owner says so. Ignored for what is not open, of another object or not its own.
  void ended(const peer_session& owner, std::span<const ended_transit> transits,
             reference_effects& effects);

  /// This node says so: it owns the objects. Ignored for what is not open, of another object or not
  /// its own.
  void ended_here(std::span<const ended_transit> transits, reference_effects& effects);

  /// Their message will never be sent. Ignored for what is not open.
  void canceled(std::span<const transit_number> transits, reference_effects& effects);

  void lease_passed(lease_mark mark, reference_effects& effects);

  /// Ignored unless the running round waits for it.
  void barrier_passed(const peer_session& peer, barrier_number number, reference_effects& effects);

  /// Gives back all handles and forgets everything. Leases that still run change nothing.
  void shut_down(reference_effects& effects);

  // -- properties -------------------------------------------------------------

  /// Returns whether nothing is left: no transit, no round, no lease. Sessions do not count.
  [[nodiscard]] bool empty() const noexcept {
    return transits_.empty() && graces_.empty() && !round_ && !running_;
  }

  [[nodiscard]] transit_stats stats() const noexcept;

  /// Calls `f` with each open transit, as it was opened. For inspection: O(n).
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [number, transit] : transits_)
      f(opened_transit{.number = number, .object = transit.object, .handle = transit.handle});
  }

  /// Asserts what must hold between two events. O(n).
  void check_invariants() const;

private:
  struct transit {
    object_id object;
    kept_handle handle = kept_handle::none;
    lease_mark mark{}; ///< counts `opened`; numbers may come out of order, marks never do
  };

  struct round {
    lease_mark reach;
    barrier_number number;
    std::map<incarnation_id, session_id> sessions; ///< have not answered
    std::set<grace_number> graces;                 ///< sessions that will never answer
  };

  void end_of(const incarnation_id& owner, std::span<const ended_transit> ended,
              reference_effects& effects);
  void end(std::span<const transit_number> transits, std::uint64_t& counter,
           reference_effects& effects);
  void run_lease(reference_effects& effects);
  void start_round(reference_effects& effects);
  void settle_round(reference_effects& effects);
  void end_reached(lease_mark reach, reference_effects& effects);
  [[nodiscard]] bool any_reached(lease_mark reach) const noexcept;

  incarnation_id self_;
  std::unordered_map<transit_number, transit> transits_;
  std::map<incarnation_id, session_id> sessions_;
  std::set<grace_number> graces_;
  std::optional<lease_mark> running_;
  lease_mark passed_{};
  std::optional<round> round_;
  std::uint64_t marks_ = 0;    ///< counts `opened`
  std::uint64_t barriers_ = 0; ///< counts rounds
  transit_stats counters_;     ///< without `open`
};

} // namespace mobula
