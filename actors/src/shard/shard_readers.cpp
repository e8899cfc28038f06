// Lets readers of this process and of others at a shard's copies, and takes copies back from both:
// memory is free only when neither side reads it.

#include "shard_readers.hpp"

namespace mobula {

// -- shard_slot -----------------------------------------------------------------------------------

void shard_slot::let_go() noexcept {
  // What has not left the heap goes with its entry.
  if (copy->in_heap.load(std::memory_order_relaxed))
    return;
  if (copy->pins.doom() == reclaim_result::reclaimed && !in_transfer) {
    copy->value.rebind({});
    copy->memory.reset();
  }
}

// -- shard_readers --------------------------------------------------------------------------------

void shard_readers::open(const object_id& id, shard_slot& held) {
  held.copy->value.rebind(held.copy->storage());
  held.copy->write_metadata();
  held.copy->pins.reset();
  publish(id, held);
}

void shard_readers::open_here(shard_slot& held) {
  held.copy->value.rebind(held.copy->storage());
  held.copy->pins.reset();
}

void shard_readers::publish(const object_id& id, shard_slot& held) {
  arena_range data{held.copy->memory.block().extent().offset, held.copy->size_bytes};
  held.shown = shown_.publish(
    id, {.data = data, .metadata_size = static_cast<std::uint32_t>(held.copy->metadata_bytes)});
}

reclaim_result shard_readers::reclaim(shard_slot& held) {
  auto& pins = held.copy->pins;
  if (pins.try_reclaim() == reclaim_result::pinned)
    return reclaim_result::pinned;
  if (held.shown != no_slot && shown_.try_withdraw(held.shown) == reclaim_result::pinned) {
    pins.reopen();
    return reclaim_result::pinned;
  }
  held.shown = no_slot;
  return reclaim_result::reclaimed;
}

reclaim_result shard_readers::doom(shard_slot& held) {
  auto here = held.copy->pins.doom();
  if (held.shown != no_slot) {
    if (shown_.doom(held.shown) == reclaim_result::pinned)
      return reclaim_result::pinned;
    held.shown = no_slot;
  }
  return here;
}

pin_state shard_readers::look(shard_slot& held) {
  if (held.copy->pins.look() == pin_state::pinned)
    return pin_state::pinned;
  return held.shown != no_slot ? shown_.look(held.shown) : pin_state::idle;
}

use_stamp shard_readers::last_use(shard_slot& held, use_stamp now) {
  if (held.shown != no_slot && shown_.take_read_mark(held.shown))
    held.copy->pins.touch(now);
  return held.copy->pins.last_use();
}

void shard_readers::add_figures(node_stats& stats) const {
  auto shown = shown_.stats();
  stats.table_slots_used += shown.used_slots;
  stats.table_slots += shown.capacity;
  stats.table_misses += shown.publish_misses;
}

} // namespace mobula
