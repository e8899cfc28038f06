#pragma once

#include "mobula/actors/reports/node_report.hpp"
#include "mobula/actors/reports/node_stats.hpp"

namespace mobula {

class node_core;

/// Asks all services of a node for their figures. Blocks for some messages' time; a simulation is
/// run meanwhile. Figures of a node whose services have ended are those that no service has.
[[nodiscard]] node_stats collect_figures(node_core& core);

/// Describes all objects that the node owns, as `mobula memory` shows them. REQUIRES: a simulation,
/// which it runs for some messages' time.
[[nodiscard]] object_listing list_own_objects(node_core& core);

/// Adds the figures that no service has. Any thread.
void complete_figures(node_core& core, node_stats& stats);

/// Has each service check its tables; see `check_tables`. Does not wait.
void check_services(node_core& core);

} // namespace mobula
