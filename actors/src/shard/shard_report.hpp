#pragma once

#include <utility>
#include <vector>

#include "mobula/actors/reports/node_report.hpp"
#include "mobula/actors/reports/node_stats.hpp"
#include "shard_core.hpp"

namespace mobula {

/// The part of a shard that reports on it.
class shard_report {
public:
  /// REQUIRES: the shard outlives this.
  explicit shard_report(shard_core& shard) : shard_(shard) {
    // nop
  }

  /// The shard's own figures, and with the first one those of the store.
  void add_figures(node_stats& stats) const;

  /// Completes what the owner knows of objects; the first shard begins a period of uses besides.
  void describe(object_listing& listing);

private:
  void add_store_figures(node_stats& stats) const;
  void begin_use_period(object_listing& listing);
  void describe_known(object_listing& listing);
  void describe_all(object_listing& listing) const;

  shard_core& shard_;
  /// When reports began to tell new uses from old ones, and what readers leave since. The first
  /// shard's.
  std::vector<std::pair<use_stamp, caf_clock::time_point>> use_periods_;
};

} // namespace mobula
