#pragma once

#include <vector>

#include "mobula/actors/messages/service_interfaces.hpp"

namespace mobula {

/// The actors of one node. Written when they are launched, each before any that sends to it, and
/// constant from then on but for two: what takes part in a cluster is launched later, and the
/// filler is taken back at the end.
struct service_handles {
  transfers_actor transfers; ///< as the cluster actor
  cluster_actor cluster;     ///< written once, under the node's mutex, before `in_cluster` holds
  reference_counter_actor counter;
  owner_actor owner;
  heap_keeper_actor heap_keeper;
  std::vector<store_shard_actor> shards;
  spill_manager_actor spill_manager;

  /// None in a simulation; written before the first shard starts. Taken back under the node's mutex
  /// at its end, when no use of the services is left: an actor system ends only when all handles on
  /// actors with threads of their own are gone.
  arena_filler_actor filler;
};

} // namespace mobula
