#pragma once

#include <cstdint>
#include <optional>

#include "mobula/store/system/assertion.hpp"
#include "mobula/store/transfer/byte_ranges.hpp"
#include "mobula/store/transfer/push_config.hpp"
#include "mobula/store/transfer/push_effects.hpp"
#include "mobula/store/transfer/reader_connections.hpp"
#include "mobula/store/transfer/served_objects.hpp"

namespace mobula {

/// Plans what one node sends to those that ask it for bytes.
///
/// *Turns.* Connections take turns, and on each connection its asks do, one chunk at a time; so a
/// huge object holds up nobody. An ask has at most one chunk under way, since chunks of an ask must
/// arrive in order and a read that failed is repeated; a reader fills its link with several asks.
///
/// *Objects* are found when the first ask for them comes, kept where they are while there are asks
/// for them, and released with the last one. What is on disk is sent from its file; whoever finds
/// it says where. A place that turns out stale, since the record was moved or the object restored,
/// is looked for again.
///
/// *Copies that are still arriving* serve what is there; an ask for later bytes is parked until
/// they come. Readers are only sent to nodes that began before them, so that no two wait for each
/// other, and give up one that is silent.
///
/// *Readers of one object* are limited: a node that asks while others have asks open is refused as
/// busy, and turns to a copy that is nearer to the leaves of the tree. The place goes to whoever
/// asks first once a reader has no open ask.
///
/// *Parts.* `reader_connections` knows who asks for what and whose chunk goes out next,
/// `served_objects` what of it is here.
///
/// Each ask ends in all of its bytes or in one refusal, unless it is canceled or its connection
/// ends. An ask whose number is already open on its connection joins the first: it is answered
/// once. Events append their effects to the caller's buffer.
class push_table {
public:
  explicit push_table(const push_config& config);

  push_table(const push_table&) = delete;
  push_table& operator=(const push_table&) = delete;

  // -- connections ----------------------------------------------------------------

  void connected(reader_connection connection, const incarnation_id& node);

  /// Drops all asks of the connection. Sends under way end on their own. Ignored when it is gone.
  void disconnected(reader_connection connection, push_effects& effects);

  /// Does the same for every connection of a node.
  void node_lost(const incarnation_id& node, push_effects& effects);

  // -- asks -----------------------------------------------------------------------

  /// Ignored when the connection has ended.
  void asked(reader_connection connection, ask_number ask, const object_range& range,
             push_effects& effects);

  /// Ignored when the ask has been answered.
  void canceled(reader_connection connection, ask_number ask, push_effects& effects);

  // -- answers about objects ------------------------------------------------------

  /// The object is here and stays; `available` says which bytes of it.
  void found(const object_id& id, std::uint64_t size_bytes, const served_place& place,
             const byte_ranges& available, push_effects& effects);

  void not_found(const object_id& id, push_effects& effects);

  /// More bytes of an object have arrived here. Ignored when nobody asks for it.
  void bytes_arrived(const object_id& id, byte_range range, push_effects& effects);

  /// The object must not be served any more: asks for it are refused, and it is released when its
  /// sends have ended. Ignored when nobody asks for it.
  void object_gone(const object_id& id, push_effects& effects);

  /// Refuses everything from now on.
  void shut_down(push_effects& effects);

  // -- answers from the network ---------------------------------------------------

  void sent(send_number send, push_effects& effects);

  void send_failed(send_number send, send_failure failure, push_effects& effects);

  // -- properties -----------------------------------------------------------------

  [[nodiscard]] push_stats stats() const;

  /// Recomputes every sum and list and asserts that they agree. O(n).
  void check_invariants() const;

private:
  [[nodiscard]] std::optional<refusal_reason> objection(const reader_connections::connection& from,
                                                        const object_range& range) const;
  void settle(const ask_key& key);
  void settle_all(const object_id& id);
  void end_ask(const ask_key& key, push_effects& effects);
  void refuse(const ask_key& key, refusal_reason reason, push_effects& effects);
  void refuse_all(const object_id& id, refusal_reason reason, push_effects& effects);
  void drop_connection(reader_connection id, push_effects& effects);
  void retry_read(const ask_key& key, push_effects& effects);
  void dispatch(push_effects& effects);
  void send_next(const ask_key& key, push_effects& effects);
  reader_connections::send end_send(send_number number);
  void finish_send(const object_id& id, push_effects& effects);

  push_config config_;
  reader_connections readers_;
  served_objects objects_;
  bool shutting_down_ = false;
  push_stats counters_; ///< only its second half
};

} // namespace mobula
