#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "mobula/store/transfer/push_config.hpp"
#include "mobula/store/transfer/push_effects.hpp"

namespace mobula {

/// The connections over which others ask this node for bytes: what is asked over each, what is on
/// its way out, and whose chunk goes out next. Part of `push_table`, which says which asks can be
/// served.
class reader_connections {
public:
  enum class phase : std::uint8_t {
    ready,   ///< in the turns of its connection
    waiting, ///< for its object to be found, or for bytes to arrive
    sending  ///< a chunk is under way
  };

  struct ask {
    object_id id;
    std::uint64_t next = 0; ///< raised by each chunk that was sent
    std::uint64_t end = 0;
    phase where = phase::waiting;
    send_number send{};            ///< while sending: tells it from an earlier ask's last chunk
    std::size_t read_attempts = 0; ///< raised by failed reads, never lowered
  };

  struct connection {
    incarnation_id node;
    std::map<ask_number, ask> asks; ///< at most `asks_per_connection`
    std::list<ask_number> turns;    ///< exactly the ready ones
    std::size_t sends = 0;          ///< under way; at most `sends_per_connection`
    bool in_turns = false;          ///< is in `turns_`
    bool closed = false;            ///< goes with its last send
  };

  /// A chunk on its way out.
  struct send {
    ask_key key;
    object_id id;
    std::uint64_t bytes = 0;
  };

  /// REQUIRES: the configuration outlives this.
  explicit reader_connections(const push_config& config) : config_(config) {
    // nop
  }

  reader_connections(const reader_connections&) = delete;
  reader_connections& operator=(const reader_connections&) = delete;

  // -- connections --------------------------------------------------------------------------------

  /// REQUIRES: the name is new.
  void open(reader_connection id, const incarnation_id& node);

  /// It takes no asks any more, and goes with its last send. REQUIRES: none of its asks is left.
  void close(reader_connection id);

  /// Returns null if it is gone.
  [[nodiscard]] connection* find(reader_connection id);

  /// REQUIRES: it is there.
  [[nodiscard]] connection& get(reader_connection id);

  /// Returns the connections of a node in an order that a replay sees again.
  [[nodiscard]] std::vector<reader_connection> of(const incarnation_id& node) const;

  // -- asks ---------------------------------------------------------------------------------------

  /// The ask waits.
  void add(const ask_key& key, const object_range& range);

  /// REQUIRES: it is there.
  [[nodiscard]] ask& get_ask(const ask_key& key);

  /// Forgets the ask, and returns what it was. A chunk of it under way ends on its own.
  ask remove(const ask_key& key);

  /// A waiting ask can be served from now on; one with a chunk under way is not touched.
  void line_up(const ask_key& key);

  /// A ready ask cannot be served any more; the same.
  void hold(const ask_key& key);

  // -- chunks -------------------------------------------------------------------------------------

  /// Returns whose turn it is, and takes the turn; nothing if no chunk may go now.
  [[nodiscard]] std::optional<ask_key> take_turn();

  /// A chunk of so many bytes goes out. REQUIRES: the ask has just taken its turn.
  send_number begin_send(const ask_key& key, std::uint64_t bytes);

  /// The chunk is out, or failed. Returns what it was.
  send end_send(send_number number);

  /// Returns the ask that a chunk belongs to; null if it has ended.
  [[nodiscard]] ask* find_sending(const send& ended, send_number number);

  // -- properties ---------------------------------------------------------------------------------

  /// Asks of all connections.
  [[nodiscard]] std::size_t asks() const noexcept {
    return asks_;
  }

  [[nodiscard]] std::size_t sends() const noexcept {
    return sends_.size();
  }

  [[nodiscard]] const std::unordered_map<reader_connection, connection>& all() const noexcept {
    return connections_;
  }

  /// Recomputes every sum and list and asserts that they agree. O(n).
  void check_invariants() const;

private:
  void queue(reader_connection id, connection& from);

  const push_config& config_;
  std::unordered_map<reader_connection, connection> connections_;
  std::unordered_map<send_number, send> sends_; ///< at most `max_sends`
  std::list<reader_connection> turns_;          ///< all that have ready asks and a send to spare
  std::size_t asks_ = 0;                        ///< sum over all connections
  std::uint64_t sends_numbered_ = 0;
};

} // namespace mobula
