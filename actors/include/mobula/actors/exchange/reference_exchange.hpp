#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "mobula/actors/caf/actor_timers.hpp"
#include "mobula/actors/caf/caf_clock.hpp"
#include "mobula/actors/caf/sending.hpp"
#include "mobula/actors/exchange/value_keeper.hpp"
#include "mobula/actors/exchange/value_server.hpp"
#include "mobula/actors/objects/peer_arenas.hpp"
#include "mobula/actors/objects/reference_gateway.hpp"
#include "mobula/actors/protocol/references/drain_table.hpp"
#include "mobula/actors/protocol/references/reference_protocol.hpp"
#include "mobula/actors/reports/node_report.hpp"
#include "mobula/actors/reports/node_stats.hpp"
#include "mobula/actors/transfer/transfers.hpp"
#include "mobula/actors/wire/peer_messages.hpp"
#include "mobula/store/transfer/copy_directory.hpp"

namespace mobula {

/// Finds the owners of references that came here through a third node.
class owner_finder {
public:
  virtual ~owner_finder() = default;

  /// Ends in `session_opened` or `owner_unreachable`. Called by the actor that owns the exchange.
  virtual void find_owner(const incarnation_id& owner) = 0;
};

struct drain_values;
struct keep_ready;

/// The part of an actor that exchanges references and values with other nodes: feeds the reference
/// protocol with the gateway's events and with what peers say, and carries out its effects.
///
/// A part and not an actor of its own: CAF keeps the order of messages only between two actors, so
/// one on each side has to speak for both membership and references.
///
/// *Turns.* Each event begins with one: what threads serialized and deserialized before is told to
/// the tables first, as these require.
///
/// *Peers* are handles on other nodes' actors, told apart by where they are in memory: those of two
/// connections to one actor may compare equal. A message from a handle that is no peer's changes
/// nothing.
///
/// *Order.* What an owner has to know of one object in the order in which it happened (that it is
/// borrowed, freed, returned) goes through the tables, which send it so. What is asked and reported
/// besides stands on its own: an owner looks whether the asker holds the object when a question
/// comes, and a report names the copy that it is about.
///
/// | field              | raised by                     | lowered by                             |
/// |--------------------|-------------------------------|----------------------------------------|
/// | peers_, nodes_     | `session_opened`              | `session_closed`, the next session     |
/// | in_place_requests_ | a turn, without a session     | `session_opened`, `owner_unreachable`  |
/// | pull_requests_     | a stale reply, `pull_ended`   | the same                               |
/// | inline_requests_   | the same, for pulled values   | the same                               |
/// | pulls_             | an answer                     | `pull_ended`, the entry's end          |
/// | drain_             | `drain`                       | its end, by answers or time, `stop`    |
/// | reports_           | the end of a pull or copy     | `send_reports`, the end of the session |
/// | graces_            | `start_grace`                 | the end of its timer, `stop`           |
/// | timers_            | `start_grace`, `start_lease`, | their end, that of the drain, `stop`   |
/// |                    | `drain`                       |                                        |
///
/// *Bounds*: peers by the cluster's nodes, requests and pulls by borrowed entries, timers by one
/// lease, one for each session that ended within the grace period and one for each drain.
class reference_exchange {
public:
  reference_exchange() = default;

  reference_exchange(const reference_exchange&) = delete;
  reference_exchange& operator=(const reference_exchange&) = delete;

  /// Gives back all that the tables keep; see `stop`.
  ~reference_exchange();

  /// REQUIRES: called once, before anything else; all three outlive the exchange.
  void attach(caf::scheduled_actor* self, node_core& core, owner_finder& finder);

  // -- events -------------------------------------------------------------------------------------

  /// The gateway has events.
  void turn();

  /// Comes before all messages of the session, and ends an older one with that node.
  void session_opened(const peer_session& peer, caf::strong_actor_ptr handle,
                      const peer_addresses& addresses);

  /// Ignored if it is not the current session.
  void session_closed(const peer_session& peer);

  void owner_unreachable(const incarnation_id& owner);

  /// An object in another node's arena is not pinned here any more, and its owner waits for that.
  void borrowed_unpinned(const object_id& object);

  /// The bytes of a borrowed object are here, or will not come.
  void pull_ended(const mobula::pull_ended& end);

  /// The bytes of a borrowed object made space for others.
  void copy_evicted(const mobula::copy_evicted& news);

  /// Tells owners what became of copies.
  void send_reports();

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
  struct peer {
    session_id session;
    caf::strong_actor_ptr handle;
    data_endpoint data;
  };

  using request_lists = std::map<incarnation_id, std::vector<std::uint64_t>>;

  /// A value on its way, and what its owner calls this node's copy of it.
  struct pull {
    copy_pointer copy;
    copy_ticket ticket{};
  };

  /// A node's leaving, under way.
  struct draining {
    drain_table table;
    std::vector<std::shared_ptr<std::promise<drain_result>>> answers; ///< of all who wait for it
    std::vector<deadline> limits;                                     ///< theirs
  };

  /// Returns who sent the current message; null if that is no peer.
  [[nodiscard]] const incarnation_id* sender() const;

  /// The same, and null as well if the message is not of the present session.
  template <class Message>
  [[nodiscard]] const incarnation_id* sender_of(const Message& message) const {
    const auto* from = sender();
    return from != nullptr && peers_.at(*from).session == message.session ? from : nullptr;
  }

  template <class Message>
  void pass_on(const Message& message);

  template <class Lists, class F>
  void flush(Lists& lists, F send_list);

  void tell_tables(gateway_events& events);
  void tell_ready(const gateway_events& events);
  void ask_owners(const gateway_events& events);
  void pass_on_freed(const gateway_events& events);
  void stop_if_freed(const object_entry& entry);
  void notify_borrowers(std::uint64_t sequence);
  void send_requests(request_lists& requests, reply_form best);
  [[nodiscard]] bool can_transfer(const peer& to) const;
  [[nodiscard]] reply_form form_for(const incarnation_id& owner, const peer& to,
                                    reply_form best) const;
  void take(const incarnation_id& owner, object_reply& reply, metadata_reader& reader);
  [[nodiscard]] bool pulled_already(const object_entry& entry, const object_reply& reply);
  [[nodiscard]] bool has_pulled(const object_entry& entry) const;
  void start_pull(object_entry& entry, const object_reply& reply, metadata_reader& reader);
  void report(const object_id& object, copy_ticket ticket, copy_news news);
  [[nodiscard]] static copy_news news_of(const object_entry& entry);
  void raise_priorities(const gateway_events& events);
  void stop_pull(const object_entry& entry, release_token token);
  void let_go(std::vector<release_token>& tokens);
  [[nodiscard]] request_lists& requests_after_stale_reply(const object_entry& entry);
  [[nodiscard]] request_lists& requests_after_deferral(const object_entry& entry);
  void send_answers();
  void forget_peer(const incarnation_id& node);
  void send_kept();
  template <class Sequences>
  [[nodiscard]] bool ask_to_keep(const Sequences& looked_at);
  void end_drain_if_done();

  /// Carries out what the event appended.
  void run();
  void apply(send_to_peer& effect);
  void apply(drop_handles& effect);
  void apply(fail_references& effect);
  void apply(start_grace& effect);
  void apply(start_lease& effect);
  void apply(connect_to_owner& effect);

  template <class Message>
  void send(const peer& to, Message message) {
    ++messages_;
    send_from(*self_, to.handle, std::move(message));
  }

  deadline start_timer(std::chrono::nanoseconds delay, std::function<void()> at_end);

  [[nodiscard]] std::uint32_t kept_handles(std::uint64_t sequence) const;
  [[nodiscard]] std::uint64_t left_ms(grace_number grace) const;

  caf::scheduled_actor* self_ = nullptr;
  node_core* core_ = nullptr;
  owner_finder* finder_ = nullptr;
  std::unique_ptr<reference_protocol> tables_; ///< null before `attach` and after `stop`
  std::unique_ptr<copy_directory> copies_;     ///< the same
  std::unique_ptr<value_server> value_server_; ///< the same
  std::unique_ptr<value_keeper> keeper_;       ///< the same
  std::optional<draining> drain_;
  reference_effects effects_;
  std::map<incarnation_id, peer> peers_;
  std::unordered_map<const caf::actor_control_block*, incarnation_id> nodes_; ///< reversed
  request_lists in_place_requests_;                                           ///< by owner
  request_lists pull_requests_;   ///< by owner: not in its arena, to be pulled
  request_lists inline_requests_; ///< by owner: a message has to bring them
  std::map<incarnation_id, std::vector<copy_report>> reports_; ///< by owner
  std::unordered_map<const object_entry*, pull> pulls_;        ///< that have not ended
  std::map<grace_number, caf_clock::time_point> graces_;       ///< when they are over
  actor_timers timers_;
  std::uint64_t messages_ = 0; ///< sent to peers
};

} // namespace mobula
