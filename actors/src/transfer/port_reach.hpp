#pragma once

#include <cstddef>

#include "mobula/actors/node/node_core.hpp"
#include "mobula/store/transfer/source_reach.hpp"

namespace mobula {

/// Which data ports of other nodes cannot be reached at this moment. Those are not asked for a
/// while: what their nodes own has to come another way. The log is told once of each.
class port_reach {
public:
  /// REQUIRES: the node outlives this.
  explicit port_reach(const node_core& core) : core_(core) {
    // nop
  }

  void connected(const incarnation_id& node);

  void connect_failed(const incarnation_id& node, connect_failure why);

  /// The node has gone, or may listen somewhere else than before.
  void forget(const incarnation_id& node) {
    reach_.forget(node);
  }

  /// Returns whether the node is not to be asked now.
  [[nodiscard]] bool is_blocked(const incarnation_id& node) const {
    return reach_.obstacle(node, core_.now()).has_value();
  }

  /// Nodes that could not be reached when that was last tried.
  [[nodiscard]] std::size_t unreachable() const noexcept {
    return reach_.unreachable();
  }

private:
  static void log(const reach_effects& effects);
  static void log(const report_unreachable& effect);
  static void log(const report_reachable& effect);

  const node_core& core_;
  source_reach reach_;
};

} // namespace mobula
