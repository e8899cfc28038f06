// Spawns the actors of a node in their order. All other rooms know these by their messages only.

#include "mobula/actors/launch/launch_node.hpp"

#include <cstdint>
#include <utility>

#include "mobula/actors/cluster/cluster_actor.hpp"
#include "mobula/actors/exchange/value_in_place.hpp"
#include "mobula/actors/heap/heap_keeper.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/receiving_node.hpp"
#include "mobula/actors/ownership/owner.hpp"
#include "mobula/actors/ownership/reference_counter.hpp"
#include "mobula/actors/shard/arena_filler.hpp"
#include "mobula/actors/shard/store_shard.hpp"
#include "mobula/actors/spill/spill_manager.hpp"
#include "mobula/actors/transfer/transfers.hpp"

namespace mobula {

namespace {

/// Each service needs only those that stand before it here; nobody sends before all of them run,
/// but shards to the filler.
void launch_services(node_core& core) {
  core.set_in_place_search(find_in_place);
  auto& services = core.services_to_launch();
  if (core.simulation() == nullptr && stock_of_heap(core.options()).max_bytes > 0)
    services.filler = spawn_arena_filler(core);
  services.spill_manager = spawn_spill_manager(core);
  for (std::uint32_t index = 0; index < core.options().shards; ++index)
    services.shards.push_back(spawn_store_shard(core, index));
  services.heap_keeper = spawn_heap_keeper(core);
  services.owner = spawn_owner(core);
  services.counter = spawn_reference_counter(core);
  core.request_fill();
}

} // namespace

core_pointer launch_node(caf::actor_system& system, node_options options) {
  auto core = node_core::make(system, std::move(options));
  try {
    launch_services(*core);
  } catch (...) {
    core->give_up();
    throw;
  }
  return core;
}

void launch_cluster(node_core& core) {
  core.start_cluster({.transfers = [&] { return spawn_transfers(core); },
                      .cluster = [&] { return spawn_cluster(core); },
                      .enlist =
                        [&] {
                          receiving_nodes::enlist(core);
                        }});
}

} // namespace mobula
