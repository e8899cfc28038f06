// What a store tells about itself, and the proof that it adds up.

#include <algorithm>
#include <utility>

#include "mobula/store/shard/store_table.hpp"

namespace mobula {

store_table_stats store_table::stats() const {
  auto result = counters_;
  for (auto where : {place::idle, place::asked, place::pinned}) {
    result.primary += places_.tally_at(where, copy_kind::primary);
    result.secondary += places_.tally_at(where, copy_kind::secondary);
  }
  result.unsealed = places_.tally(place::unsealed);
  result.spilling = places_.tally(place::spilling);
  result.doomed = places_.tally(place::releasing);
  result.doomed += places_.tally(place::doomed);
  result.restoring = places_.tally(place::restoring);
  result.lent_bytes = lent_bytes_;
  result.used_bytes = used_bytes();
  result.capacity_bytes = config_.capacity_bytes;
  result.spilled = places_.tally(place::spilled);
  result.spilled += places_.tally(place::restore_waiting);
  result.waiting = places_.tally(place::waiting);
  result.waiting += places_.tally(place::restore_waiting);
  return result;
}

store_use store_table::use() const {
  auto bytes = [this](auto... places) {
    return (places_.tally(places).bytes + ...);
  };
  return {.capacity_bytes = config_.capacity_bytes,
          .pinned_bytes = bytes(place::pinned, place::doomed),
          .kept_bytes = bytes(place::idle),
          .moving_bytes = bytes(place::asked, place::releasing, place::spilling),
          .making_bytes = bytes(place::unsealed, place::restoring),
          .lent_bytes = lent_bytes_};
}

void store_table::check_invariants() const {
  std::size_t tokens = 0;
  for (const auto& [id, entry] : objects_) {
    MOBULA_ASSERT(entry.id == id);
    tokens += entry.readers.size() + (entry.where == place::waiting ? 1 : 0);
    check_object(entry);
  }
  places_.check_invariants(objects_);
  MOBULA_ASSERT(used_bytes() <= config_.capacity_bytes);
  MOBULA_ASSERT(use().free_bytes() == free_bytes());
  MOBULA_ASSERT(tokens == requests_.size());
  MOBULA_ASSERT(places_.queue().empty() || !fits(places_.queue().front()->size_bytes));
  MOBULA_ASSERT(!stall_ || !places_.queue().empty());
  MOBULA_ASSERT(stall_ || places_.queue().empty() || is_moving() || is_asking());
  MOBULA_ASSERT(!stall_ || !stall_->overdue || is_moving());
  MOBULA_ASSERT(!shutting_down_ || places_.queue().empty());
}

void store_table::check_object(const object& entry) const {
  auto ended = entry.where == place::releasing || entry.where == place::doomed;
  MOBULA_ASSERT(!ended || entry.released);
  MOBULA_ASSERT(!entry.released || entry.readers.empty());
  MOBULA_ASSERT(!entry.released || !entry.has_record);
  MOBULA_ASSERT(!entry.released || ended || entry.where == place::unsealed
                || entry.where == place::asked || entry.where == place::spilling
                || entry.where == place::restoring);
  MOBULA_ASSERT(!shutting_down_ || entry.released);
  auto on_disk = entry.where == place::spilled || entry.where == place::restore_waiting
                 || entry.where == place::restoring;
  MOBULA_ASSERT(!on_disk || entry.has_record || entry.released);
  MOBULA_ASSERT(!entry.has_record || entry.kind == copy_kind::primary);
  MOBULA_ASSERT(entry.where != place::restore_waiting || !entry.readers.empty());
  MOBULA_ASSERT(entry.readers.empty() || entry.where == place::waiting
                || entry.where == place::unsealed || entry.where == place::asked
                || entry.where == place::restore_waiting || entry.where == place::restoring);
  for (auto token : entry.readers)
    MOBULA_ASSERT(requests_.at(token) == entry.id);
  MOBULA_ASSERT(entry.overtaken_bytes <= entry.size_bytes);
}

} // namespace mobula
