// What a node's pulls tell about themselves, and the proof that it adds up.

#include <numeric>

#include "mobula/store/transfer/pull_table.hpp"

namespace mobula {

const byte_ranges* pull_table::received(const object_id& id) const {
  const auto* entry = pulls_.find(id);
  return entry != nullptr && entry->has_buffer() && !entry->restart ? &entry->here : nullptr;
}

pull_stats pull_table::stats() const {
  auto result = counters_;
  result.objects = pulls_.all().size();
  result.requests = requests_.size();
  result.admitted = lists_.admitted().size();
  result.admitted_bytes = 0;
  for (const auto& [place, id] : lists_.admitted())
    result.admitted_bytes += pulls_.all().at(id).buffer_bytes;
  result.asks = asks_.size();
  result.asked_bytes = asks_.asked_bytes();
  return result;
}

void pull_table::check_pull(const object_id& id, const pull_state& entry) const {
  lists_.check(entry);
  auto waiting = entry.where == phase::waiting;
  MOBULA_ASSERT(!waiting || (entry.wanted() && entry.buffer_bytes == 0));
  MOBULA_ASSERT(entry.asks.size() <= config_.chunks_per_pull);
  MOBULA_ASSERT(entry.asks.empty() || entry.has_buffer());
  MOBULA_ASSERT(entry.where != phase::draining || !entry.asks.empty());
  MOBULA_ASSERT(!entry.running || !waiting);
  auto expected = entry.here;
  for (auto number : entry.asks) {
    const auto& under_way = asks_.at(number);
    MOBULA_ASSERT(under_way.id == id);
    expected.add(under_way.range);
  }
  MOBULA_ASSERT(expected == entry.asked);
}

void pull_table::check_invariants() const {
  std::size_t asks = 0;
  std::size_t running = 0;
  std::size_t requests = 0;
  std::uint64_t running_bytes = 0;
  std::size_t buffers = 0;
  for (const auto& [id, entry] : pulls_.all()) {
    check_pull(id, entry);
    MOBULA_ASSERT(entry.tokens.size()
                  == std::accumulate(entry.requests.begin(), entry.requests.end(), std::size_t{0}));
    asks += entry.asks.size();
    running += entry.running ? 1 : 0;
    running_bytes += entry.running ? entry.running_bytes : 0;
    requests += entry.tokens.size();
    buffers += entry.has_buffer() ? 1 : 0;
  }
  asks_.check_invariants();
  MOBULA_ASSERT(asks == asks_.size());
  MOBULA_ASSERT(running == lists_.running() && running_bytes == lists_.running_bytes()
                && buffers == lists_.buffers());
  MOBULA_ASSERT(requests == requests_.size());
  MOBULA_ASSERT(asks_.empty() == !timers_.sweeping());
}

} // namespace mobula
