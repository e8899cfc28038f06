#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mobula/store/system/assertion.hpp"
#include "mobula/store/transfer/byte_ranges.hpp"
#include "mobula/store/transfer/push_effects.hpp"

namespace mobula {

struct push_config {
  /// Bytes of one chunk; longer asks are answered by several.
  std::uint64_t chunk_bytes = std::uint64_t{4} << 20;
  /// Chunks on their way out: of one connection, and of all.
  std::size_t sends_per_connection = 2;
  std::size_t max_sends = 16;
  /// Asks not yet answered: of one connection, and of all; more are refused as busy.
  std::size_t asks_per_connection = 1'024;
  std::size_t max_asks = 65'536;
  /// Nodes that may read one object at a time.
  std::size_t readers_per_object = 2;
  /// How often the place of an ask's bytes may turn out stale.
  std::size_t max_read_attempts = 3;
};

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
  /// Asks are numbered by their senders: only the pair is unique.
  using ask_key = std::pair<reader_connection, ask_number>;

  enum class phase : std::uint8_t {
    ready,   ///< in the turns of its connection
    waiting, ///< for its object to be found, or for bytes to arrive
    sending  ///< a chunk is under way
  };

  struct asked_range {
    object_id id;
    std::uint64_t next = 0; ///< raised by each chunk that was sent
    std::uint64_t end = 0;
    phase where = phase::waiting;
    send_number send{};            ///< while sending: tells it from an earlier ask's last chunk
    std::size_t read_attempts = 0; ///< raised by failed reads, never lowered
  };

  struct connection {
    incarnation_id node;
    std::map<ask_number, asked_range> asks; ///< at most `asks_per_connection`
    std::list<ask_number> turns;            ///< exactly the ready ones
    std::size_t sends = 0;                  ///< under way; at most `sends_per_connection`
    bool in_turns = false;                  ///< is in the table's `turns_`
    bool closed = false;                    ///< goes with its last send
  };

  enum class object_state : std::uint8_t {
    finding, ///< `find_served` is not answered
    found,
    stale, ///< not where it was found; looked for again when its last send has ended
    gone   ///< nothing more of it is sent; goes with its last send
  };

  struct served {
    object_state state = object_state::finding;
    std::uint64_t size_bytes = 0;
    served_place place;
    byte_ranges available;  ///< raised by `found` and `bytes_arrived`, emptied when stale
    std::set<ask_key> asks; ///< at most `max_asks`
    std::map<incarnation_id, std::size_t> readers; ///< number of asks of each node
    std::size_t sends = 0;                         ///< under way
    /// While finding: raised when the object goes. What is found then is not served.
    bool lost_meanwhile = false;
  };

  struct send {
    ask_key key;
    object_id id;
    std::uint64_t bytes = 0;
  };

  connection& get_connection(reader_connection id);
  asked_range& get_ask(const ask_key& key);
  served& get_object(const object_id& id);
  [[nodiscard]] std::optional<refusal_reason> objection(const connection& from,
                                                        const object_range& range) const;
  void settle(const ask_key& key);
  void settle_all(const object_id& id);
  void end_ask(const ask_key& key, push_effects& effects);
  void refuse(const ask_key& key, refusal_reason reason, push_effects& effects);
  void refuse_all(const object_id& id, refusal_reason reason, push_effects& effects);
  void drop_connection(reader_connection id, push_effects& effects);
  void retry_read(const ask_key& key, push_effects& effects);
  void tidy_object(const object_id& id, push_effects& effects);
  void dispatch(push_effects& effects);
  void send_next(reader_connection id, connection& from, push_effects& effects);
  void take_turn(reader_connection id, connection& from);
  send take_send(send_number number);
  asked_range* find_sending(const send& ended, send_number number);

  push_config config_;
  std::unordered_map<reader_connection, connection> connections_;
  std::unordered_map<object_id, served> objects_;
  std::unordered_map<send_number, send> sends_; ///< at most `max_sends`
  std::list<reader_connection> turns_;          ///< all that have ready asks and a send to spare
  std::size_t asks_ = 0;                        ///< sum over all connections
  std::uint64_t sends_numbered_ = 0;
  bool shutting_down_ = false;
  push_stats counters_; ///< only its second half
};

} // namespace mobula
