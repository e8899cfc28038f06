// What a shard tells a report: its figures, where the bytes of objects are, who pins them, and when
// they were read.

#include "shard_report.hpp"

#include <algorithm>
#include <chrono>

namespace mobula {

// -- figures --------------------------------------------------------------------------------------

void shard_report::add_figures(node_stats& stats) const {
  if (shard_.index() == 0)
    add_store_figures(stats);
  stats.timers += shard_.timers().size();
  shard_.readers().add_figures(stats);
  for (const auto& [number, held] : shard_.slots())
    if (held.copy->pins.pinned() && held.copy->memory.in_arena())
      stats.pinned += {1, held.copy->size_bytes};
}

/// Those of all shards together.
void shard_report::add_store_figures(node_stats& stats) const {
  auto figures = shard_.space().inspect([](const store_table& table) { return table.stats(); });
  for (const auto& tally : {figures.primary, figures.secondary, figures.spilling, figures.doomed})
    stats.resident += {tally.objects, tally.bytes};
  stats.spilled += {figures.spilled.objects, figures.spilled.bytes};
  stats.reserved_bytes += figures.unsealed.bytes + figures.restoring.bytes;
  stats.lent_bytes += figures.lent_bytes;
  stats.waiting_puts += figures.waiting.objects;
  stats.evictions += {figures.evictions.objects, figures.evictions.bytes};
  stats.unloads += {figures.unloads.objects, figures.unloads.bytes};
  stats.restored += {figures.restores.objects, figures.restores.bytes};
  stats.space_waits += figures.waits;
  stats.overtakings += figures.overtakings;
  stats.refusals += figures.refusals;
  stats.stalls += figures.stalls;
  stats.spill_failures += figures.spill_failures;
  auto memory = shard_.heap().figures();
  stats.arena_used_bytes += memory.used_bytes;
  stats.arena_committed_bytes += memory.committed_bytes;
  stats.prefault_ready_bytes += memory.committed_free_bytes;
  stats.prefault_target_bytes += stock_of_heap(shard_.node().options()).wanted(memory.used_bytes);
  stats.late_commit_bytes += memory.late_commit_bytes;
  stats.free_extents += memory.free_extents;
  stats.largest_free_bytes = std::max(stats.largest_free_bytes, memory.largest_free_bytes);
}

// -- objects --------------------------------------------------------------------------------------

void shard_report::describe(object_listing& listing) {
  if (shard_.index() == 0)
    begin_use_period(listing);
  describe_known(listing);
}

/// Tells of the former periods, and begins one.
void shard_report::begin_use_period(object_listing& listing) {
  constexpr std::size_t max_periods = 64;
  auto now = shard_.node().now();
  for (const auto& [first, since] : use_periods_)
    listing.periods.push_back(
      {first, static_cast<std::uint32_t>((now - since) / std::chrono::seconds{1})});
  if (listing.asked().max_objects == 0)
    return;
  if (use_periods_.size() == max_periods)
    use_periods_.erase(use_periods_.begin() + 1);
  shard_.tell([&](store_table& table, store_effects&) {
    table.begin_use_period();
    use_periods_.emplace_back(table.current_stamp(), now);
  });
  shard_.run();
}

void shard_report::describe_known(object_listing& listing) {
  for (auto& listed : listing.objects) {
    auto* found = shard_.find(listed.sequence);
    if (found == nullptr || found->entry == nullptr)
      continue;
    const auto& held = *found;
    // The slot's own use is no view. It may have come after the owner looked.
    listed.views -= std::min<std::uint32_t>(listed.views, 1);
    listed.reader_processes = shard_.readers().processes_elsewhere(held);
    listed.readers = static_cast<std::uint32_t>(listed.reader_processes.size());
    if (listed.state == reported_state::memory && !held.copy->memory)
      listed.state = reported_state::disk;
    if (listed.state == reported_state::memory)
      listing.add_use(listed, shard_.readers().last_use(*found, shard_.space().credit().stamp()));
  }
  describe_all(listing);
}

/// Adds what needs a look at each slot: sums, and objects that nobody refers to any more but whose
/// memory views keep.
void shard_report::describe_all(object_listing& listing) const {
  const auto& asked = listing.asked();
  if (asked.max_objects == 0 && asked.grouping != reported_grouping::state)
    return;
  for (const auto& [sequence, held] : shard_.slots()) {
    if (held.token != nullptr && held.token->kind() == entry_kind::own) {
      // One use is the token's, which `views` does not count, and one that of the slot.
      auto views = held.token->views();
      views -= std::min<std::uint32_t>(views, held.entry != nullptr ? 1 : 0);
      auto readers = shard_.readers().count_elsewhere(held);
      if (held.copy->memory && (views > 0 || readers > 0))
        listing.add_pinned_only(*held.token, held.copy->size_bytes,
                                {views, shard_.readers().processes_elsewhere(held)});
    } else if (held.entry != nullptr && !held.copy->memory
               && asked.grouping == reported_grouping::state
               && held.entry->phase() == object_phase::stored) {
      listing.sum_is_on_disk(*held.entry);
    }
  }
}

} // namespace mobula
