#pragma once

#include <string>

#include "mobula/actors/reports/figure_groups.hpp"

namespace mobula {

/// Figures of one node at one moment: those of all groups, each under its own name.
struct node_stats : object_figures,
                    heap_figures,
                    space_figures,
                    spill_figures,
                    arena_figures,
                    reference_figures,
                    transfer_figures,
                    service_figures {
  /// Returns whether nothing is left: all levels are zero but for space lent ahead.
  [[nodiscard]] bool nothing_left() const noexcept;

  /// Writes those levels, one a line, that are not zero.
  [[nodiscard]] std::string what_is_left() const;

  /// Writes one figure a line.
  friend std::string to_string(const node_stats& stats);
};

} // namespace mobula
