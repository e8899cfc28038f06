#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "mobula/store/transfer/byte_ranges.hpp"
#include "mobula/store/transfer/pull_effects.hpp"

namespace mobula {

/// What a node asks of others at this moment, ask by ask and connection by connection: which bytes
/// are on their way, and whether anything still comes. Part of `pull_table`.
///
/// | field                 | raised by          | lowered by                                |
/// |-----------------------|--------------------|-------------------------------------------|
/// | asks_                 | `begin`            | `take`                                    |
/// | asked_bytes_          | `begin`            | `arrived`, `take`                         |
/// | peers_                | `begin`            | `take` of a node's last ask               |
/// | lane_use::progress    | whatever comes,    | `take_silent_lanes`                       |
/// |                       | and its first ask  |                                           |
class pull_asks {
public:
  struct ask {
    object_id id;
    incarnation_id node;
    data_lane lane{};
    byte_range range;
    std::uint64_t arrived_to = 0; ///< raised by `arrived`, from the range's begin to its end
    /// The bytes that its lane has to have brought for its turn to be over.
    std::uint64_t turn_bytes = 0;
    bool canceled = false; ///< its end says nothing about its node
  };

  explicit pull_asks(std::size_t lanes_per_node) : lanes_per_node_(lanes_per_node) {
    // nop
  }

  pull_asks(const pull_asks&) = delete;
  pull_asks& operator=(const pull_asks&) = delete;

  /// Asks over the connection with the fewest asks. Returns the number of the new one.
  ask_number begin(const object_id& id, const incarnation_id& node, byte_range range);

  /// The next bytes of the ask's range have come. Returns which these are.
  byte_range arrived(ask_number number, std::uint64_t bytes);

  /// Part of a chunk has come over the connection, whosever it is.
  void lane_progressed(const incarnation_id& node, data_lane lane);

  /// The ask has ended. Returns what it was.
  [[nodiscard]] ask take(ask_number number);

  /// Returns whether it was not canceled before.
  [[nodiscard]] bool cancel(ask_number number);

  /// Returns the connections that were asked over and have brought nothing since the last time, in
  /// the order of nodes.
  [[nodiscard]] std::vector<close_lane> take_silent_lanes();

  /// Returns whether the ask's turn is over, or its connection is one of the silent ones.
  [[nodiscard]] bool is_hopeless(ask_number number, const std::vector<close_lane>& silent) const;

  // -- properties ---------------------------------------------------------------------------------

  [[nodiscard]] const ask& at(ask_number number) const {
    return asks_.at(number);
  }

  /// Asks under way to the node.
  [[nodiscard]] std::size_t count_to(const incarnation_id& node) const;

  [[nodiscard]] std::size_t size() const noexcept {
    return asks_.size();
  }

  [[nodiscard]] bool empty() const noexcept {
    return asks_.empty();
  }

  /// Bytes asked for that have not arrived.
  [[nodiscard]] std::uint64_t asked_bytes() const noexcept {
    return asked_bytes_;
  }

  /// Recomputes every sum and asserts that they agree. O(n).
  void check_invariants() const;

private:
  struct lane_use {
    std::size_t asks = 0;
    std::uint64_t asked_bytes = 0;   ///< that have not arrived
    std::uint64_t arrived_bytes = 0; ///< since the node was last asked for nothing
    bool progress = false;
  };

  /// What this node asks of another one; forgotten when it asks for nothing.
  struct peer {
    std::vector<lane_use> lanes;
    std::size_t asks = 0;
  };

  lane_use& lane_of(const ask& under_way);

  std::size_t lanes_per_node_;
  std::unordered_map<ask_number, ask> asks_;
  std::unordered_map<incarnation_id, peer> peers_;
  std::uint64_t asked_bytes_ = 0; ///< sum over `asks_`
  std::uint64_t last_number_ = 0;
};

} // namespace mobula
