#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <span>

#include "mobula/actors/caf/actor_timers.hpp"
#include "mobula/actors/exchange/borrowed_values.hpp"
#include "mobula/actors/exchange/exchange_host.hpp"
#include "mobula/actors/exchange/exchange_peers.hpp"
#include "mobula/actors/exchange/value_drain.hpp"
#include "mobula/actors/protocol/references/reference_protocol.hpp"

namespace mobula {

/// What a reference exchange consists of that the tables' effects are about.
struct reference_parts {
  node_core& core;
  exchange_host& host;
  exchange_peers& peers;
  reference_protocol& tables;
  borrowed_values& borrowed;
  value_drain& drain;
  actor_timers& timers;
};

/// The sessions with other nodes as the tables of references know them: feeds the tables with
/// events, carries out their effects, and runs the timers that they ask for.
///
/// | field    | raised by                    | lowered by                    |
/// |----------|------------------------------|-------------------------------|
/// | effects_ | the tables, within an event  | the end of that event         |
/// | graces_  | `start_grace`                | the end of its timer          |
/// | timers   | `start_grace`, `start_lease` | their end                     |
///
/// *Bounds*: timers by one lease, and one for each session that ended within the grace period.
class reference_sessions {
public:
  /// REQUIRES: all parts outlive this.
  explicit reference_sessions(const reference_parts& parts) : parts_(parts) {
    // nop
  }

  reference_sessions(const reference_sessions&) = delete;
  reference_sessions& operator=(const reference_sessions&) = delete;

  /// What happened at the gateway, before anything else in an event.
  void tell(const reference_traffic& traffic);

  /// REQUIRES: the node is a peer.
  void opened(const peer_session& session);

  /// REQUIRES: the node is a peer no longer.
  void closed(const peer_session& session);

  void owner_unreachable(const incarnation_id& owner);

  template <class Message>
  void received(const incarnation_id& from, const Message& message) {
    parts_.tables.receive(from, message, effects_);
    run();
  }

  /// `found` has for each reference a handle on its object, or none.
  void received(const incarnation_id& from, const borrow_references& message,
                std::span<const kept_handle> found);

  /// Tells the tables what happened last, and takes back all that they keep. Nobody is told.
  void shut_down(const reference_traffic& last);

  /// Time until what a node held is let go whose grace period this is.
  [[nodiscard]] std::uint64_t left_ms(grace_number grace) const;

private:
  /// Carries out what the event appended.
  void run();
  void apply(send_to_peer& effect);
  void apply(drop_handles& effect);
  void apply(fail_references& effect);
  void apply(start_grace& effect);
  void apply(start_lease& effect);
  void apply(connect_to_owner& effect);
  void start_timer(std::chrono::nanoseconds delay, std::function<void()> at_end);

  reference_parts parts_;
  reference_effects effects_;
  std::map<grace_number, caf_clock::time_point> graces_; ///< when they are over
};

} // namespace mobula
