#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "mobula/actors/caf/actor_timers.hpp"
#include "mobula/actors/exchange/exchange_peers.hpp"
#include "mobula/actors/protocol/references/drain_table.hpp"
#include "mobula/actors/protocol/references/reference_protocol.hpp"
#include "mobula/actors/wire/peer_messages.hpp"

namespace mobula {

struct drain_values;

/// A node's leaving, on its own side: asks those who refer to its objects to keep the values, and
/// waits for their answers. What they do for it is in `value_keeper`.
///
/// | field  | raised by | lowered by                           |
/// |--------|-----------|--------------------------------------|
/// | drain_ | `begin`   | its end, by answers or time; `stop`  |
class value_drain {
public:
  /// REQUIRES: all outlive this.
  value_drain(node_core& core, exchange_peers& peers, const reference_protocol& tables,
              actor_timers& timers)
    : core_(core), peers_(peers), tables_(tables), timers_(timers) {
    // nop
  }

  value_drain(const value_drain&) = delete;
  value_drain& operator=(const value_drain&) = delete;

  /// One that comes meanwhile takes part in the first, which ends with the earlier of their limits.
  void begin(const drain_values& request);

  /// Returns whether the node is leaving. The functions below do nothing otherwise.
  [[nodiscard]] bool running() const noexcept {
    return drain_.has_value();
  }

  /// Somebody has begun to refer to the object, or its value is there now.
  void look_at(std::uint64_t sequence);

  /// The node refers to the object no longer.
  void let_go(const incarnation_id& node, std::uint64_t sequence);

  void node_left(const incarnation_id& node);

  void kept(const incarnation_id& from, const objects_kept& message);

  /// To be called after whatever may have been the last that is waited for.
  void end_if_done();

  /// Nobody is told.
  void stop() noexcept {
    drain_.reset();
  }

private:
  struct draining {
    drain_table table;
    std::vector<std::shared_ptr<std::promise<drain_result>>> answers; ///< of all who wait for it
    std::vector<deadline> limits;                                     ///< theirs
  };

  template <class Sequences>
  [[nodiscard]] bool ask_to_keep(const Sequences& looked_at);
  void limit_reached();

  node_core& core_;
  exchange_peers& peers_;
  const reference_protocol& tables_;
  actor_timers& timers_;
  std::optional<draining> drain_;
};

} // namespace mobula
