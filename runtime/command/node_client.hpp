#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>

#include "mobula/actors/reports/node_report.hpp"

namespace mobula::command {

/// A node that could not be asked, and why.
struct silent_node {
  endpoint where;
  std::string reason;
};

/// What the nodes of a cluster say.
struct cluster_report {
  std::vector<node_report> nodes; ///< the one that was named first, then others as they were found
  std::vector<silent_node> silent;
};

/// Asks nodes for reports, over CAF's network, without joining their cluster. Blocks.
class node_client {
public:
  explicit node_client(caf::actor_system& system) : system_(system) {
    // nop
  }

  /// Asks the node that listens at `where`, and all nodes that it or those that it leads to know as
  /// members, connected to them or not. Throws `object_error` (`node_died`) if the first does not
  /// answer; the others are told as silent.
  [[nodiscard]] cluster_report ask_all(const endpoint& where, const ask_report& question);

private:
  node_report ask(const endpoint& where, const ask_report& question);
  node_report ask_first(const std::vector<endpoint>& addresses, const ask_report& question);
  caf::strong_actor_ptr connect(const endpoint& where);

  caf::actor_system& system_;
  std::uint64_t dials_ = 0;
};

} // namespace mobula::command
