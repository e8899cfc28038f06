// What a store tells about itself, and the proof that it adds up.

#include "mobula/store/shard/store_table.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

void check(const store_object& entry, const store_requests& requests) {
  auto ended = entry.where == store_place::releasing || entry.where == store_place::doomed;
  MOBULA_ASSERT(!ended || entry.released);
  MOBULA_ASSERT(!entry.released || entry.readers.empty());
  MOBULA_ASSERT(!entry.released || !entry.has_record);
  MOBULA_ASSERT(!entry.released || ended || entry.where == store_place::unsealed
                || entry.where == store_place::asked || entry.where == store_place::spilling
                || entry.where == store_place::restoring);
  auto on_disk = entry.where == store_place::spilled || entry.where == store_place::restore_waiting
                 || entry.where == store_place::restoring;
  MOBULA_ASSERT(!on_disk || entry.has_record || entry.released);
  MOBULA_ASSERT(!entry.has_record || entry.kind == copy_kind::primary);
  MOBULA_ASSERT(entry.where != store_place::restore_waiting || !entry.readers.empty());
  MOBULA_ASSERT(entry.readers.empty() || entry.where == store_place::waiting
                || entry.where == store_place::unsealed || entry.where == store_place::asked
                || entry.where == store_place::restore_waiting
                || entry.where == store_place::restoring);
  for (auto token : entry.readers)
    MOBULA_ASSERT(*requests.find(token) == entry.id);
  MOBULA_ASSERT(entry.overtaken_bytes <= entry.size_bytes);
}

} // namespace

store_table_stats store_table::stats() const {
  auto result = counters_;
  objects_.add_to(result);
  return result;
}

void store_table::check_invariants() const {
  objects_.check_invariants();
  stalls_.check_invariants();
  std::size_t tokens = 0;
  for (const auto& [id, entry] : objects_.all()) {
    tokens += entry.readers.size() + (entry.where == store_place::waiting ? 1 : 0);
    check(entry, requests_);
    MOBULA_ASSERT(status_.is_running() || entry.released);
  }
  MOBULA_ASSERT(tokens == requests_.size());
  MOBULA_ASSERT(queue_.empty() || !queue_.fits(objects_.places().queue().front()->size_bytes));
  MOBULA_ASSERT(status_.is_running() || queue_.empty());
}

} // namespace mobula
