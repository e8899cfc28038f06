#pragma once

#include <cstdint>
#include <memory>

#include "mobula/actors/caf/actor_timers.hpp"
#include "mobula/actors/exchange/exchange_host.hpp"
#include "mobula/actors/wire/peer_messages.hpp"

namespace mobula {

class node_core;
class object_listing;
struct borrowed_unpinned;
struct copy_evicted;
struct drain_values;
struct gateway_event_noted;
struct keep_ready;
struct node_stats;
struct peer_addresses;
struct pull_ended;
struct reports_due;

/// The part of an actor that exchanges references and values with other nodes: feeds the reference
/// protocol with the gateway's events and with what peers say, and carries out its effects.
///
/// A part and not an actor of its own: CAF keeps the order of messages only between two actors, so
/// one on each side has to speak for both membership and references.
///
/// *Turns.* The actor calls `turn` before each event that it hands over: what threads serialized
/// and deserialized before is told to the tables first, as these require. A barrier that is
/// answered before arrivals are told would have objects freed too early.
///
/// *Order.* What an owner has to know of one object in the order in which it happened (that it is
/// borrowed, freed, returned) goes through the tables, which send it so.
///
/// *Parts.* `exchange_peers` knows who is there; `reference_sessions` feeds the tables and runs
/// their timers; `borrowed_values` asks for values and has them pulled, `lent_values` answers;
/// `value_drain` and `value_keeper` save values from a node that leaves.
///
/// *Bounds*: peers by the cluster's nodes, requests and pulls by borrowed entries, timers by one
/// lease, one for each session that ended within the grace period and one for each drain.
class reference_exchange {
public:
  reference_exchange();

  reference_exchange(const reference_exchange&) = delete;
  reference_exchange& operator=(const reference_exchange&) = delete;

  /// Gives back all that the tables keep; see `stop`.
  ~reference_exchange();

  /// REQUIRES: called once, before anything else; all three outlive the exchange.
  void attach(caf::scheduled_actor* self, node_core& core, exchange_host& host);

  /// Tells the tables and the peers what has happened at the gateway.
  void turn();

  // -- events: each after a turn ------------------------------------------------------------------

  /// Comes before all messages of the session, and ends an older one with that node.
  void session_opened(const peer_session& peer, caf::strong_actor_ptr handle,
                      const peer_addresses& addresses);

  /// Ignored if it is not the current session.
  void session_closed(const peer_session& peer);

  void owner_unreachable(const incarnation_id& owner);

  /// The gateway has events, or had some until the turn.
  void gateway_noted(const gateway_event_noted&) {
    // nop
  }

  /// An object in another node's arena is not pinned here any more, and its owner waits for that.
  void borrowed_unpinned(const mobula::borrowed_unpinned& news);

  /// The bytes of a borrowed object are here, or will not come.
  void pull_ended(const mobula::pull_ended& end);

  /// Tells owners what became of copies.
  void send_reports(const reports_due&);

  /// Asks others to keep the values that they refer to. One that comes meanwhile takes part in the
  /// first, which ends with the earlier of their limits.
  void drain(const drain_values& request);

  /// A value that another node asked to keep is there, or will not be.
  void value_ready_to_keep(const keep_ready& news);

  /// A message of the sender of the current message.
  void received(const borrow_references& message);
  void received(const references_confirmed& message);
  void received(const transits_ended& message);
  void received(const return_references& message);
  void received(const pass_barrier& message);
  void received(const barrier_passed& message);
  void received(const request_objects& message);
  void received(object_replies& message);
  void received(const objects_unpinned& message);
  void received(const report_copies& message);
  void received(const free_objects& message);
  void received(const keep_objects& message);
  void received(const objects_kept& message);

  // -- of which the tables need not know ----------------------------------------------------------

  /// The bytes of a borrowed object made space for others. Only noted, for `send_reports`.
  void copy_evicted(const mobula::copy_evicted& news);

  /// Nothing passes the gateway any more; what the tables kept is given back. Says nothing to
  /// peers: they learn it from their membership. May be called twice.
  void stop();

  // -- properties ---------------------------------------------------------------------------------

  void add_figures(node_stats& stats) const;

  /// Says what other nodes hold, if the listing has to know before the owner begins.
  void count_references(object_listing& listing) const;

  /// Adds what other nodes have to do with the objects that are listed.
  void describe(object_listing& listing) const;

  void check_invariants() const;

private:
  struct parts;

  template <class Message>
  void pass_on(const Message& message);
  void forget_peer(const incarnation_id& node);
  void send_kept();
  [[nodiscard]] std::uint32_t kept_handles(std::uint64_t sequence) const;

  node_core* core_ = nullptr;
  actor_timers timers_;          ///< of the sessions and of the drain
  std::unique_ptr<parts> parts_; ///< null before `attach` and after `stop`
};

} // namespace mobula
