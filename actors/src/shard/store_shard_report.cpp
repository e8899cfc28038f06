// What a shard tells a report: where the bytes of objects are, who pins them, and when they were
// read.

#include <algorithm>
#include <chrono>

#include "store_shard_state.hpp"

namespace mobula {

/// Tells of the former periods, and begins one.
void store_shard_state::begin_use_period(object_listing& listing) {
  constexpr std::size_t max_periods = 64;
  auto now = core_->now();
  for (const auto& [first, since] : use_periods_)
    listing.periods.push_back(
      {first, static_cast<std::uint32_t>((now - since) / std::chrono::seconds{1})});
  if (listing.asked().max_objects == 0)
    return;
  if (use_periods_.size() == max_periods)
    use_periods_.erase(use_periods_.begin() + 1);
  tell([&](store_table& table, store_effects&) {
    table.begin_use_period();
    use_periods_.emplace_back(table.current_stamp(), now);
  });
  run();
}

void store_shard_state::describe_objects(object_listing& listing) {
  for (auto& listed : listing.objects) {
    auto found = slots_.find(listed.sequence);
    if (found == slots_.end() || found->second.entry == nullptr)
      continue;
    const auto& held = found->second;
    // The slot's own use is no view. It may have come after the owner looked.
    listed.views -= std::min<std::uint32_t>(listed.views, 1);
    listed.reader_processes = readers_->processes_elsewhere(held);
    listed.readers = static_cast<std::uint32_t>(listed.reader_processes.size());
    if (listed.state == reported_state::memory && !held.copy->memory)
      listed.state = reported_state::disk;
    if (listed.state == reported_state::memory)
      listing.add_use(listed, readers_->last_use(found->second, space().credit().stamp()));
  }
  describe_all(listing);
}

/// Adds what needs a look at each slot: sums, and objects that nobody refers to any more but whose
/// memory views keep.
void store_shard_state::describe_all(object_listing& listing) const {
  const auto& asked = listing.asked();
  if (asked.max_objects == 0 && asked.grouping != reported_grouping::state)
    return;
  for (const auto& [sequence, held] : slots_) {
    if (held.token != nullptr && held.token->kind() == entry_kind::own) {
      // One use is the token's, which `views` does not count, and one that of the slot.
      auto views = held.token->views();
      views -= std::min<std::uint32_t>(views, held.entry != nullptr ? 1 : 0);
      auto readers = readers_->count_elsewhere(held);
      if (held.copy->memory && (views > 0 || readers > 0))
        listing.add_pinned_only(*held.token, held.copy->size_bytes,
                                {views, readers_->processes_elsewhere(held)});
    } else if (held.entry != nullptr && !held.copy->memory
               && asked.grouping == reported_grouping::state
               && held.entry->phase() == object_phase::stored) {
      listing.sum_is_on_disk(*held.entry);
    }
  }
}

} // namespace mobula
