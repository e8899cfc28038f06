#include "mobula/actors/served_values.hpp"

#include <utility>

namespace mobula {

void served_values::keep(const object_id& id, std::span<const std::byte> bytes,
                         std::shared_ptr<const void> keeper) {
  std::unique_lock guard{mutex_};
  values_.insert_or_assign(id, served_bytes{bytes, std::move(keeper)});
}

/// Outside of the mutex: the last pin tells others.
void served_values::let_go(const object_id& id) {
  std::unique_lock guard{mutex_};
  auto gone = values_.extract(id);
  guard.unlock();
}

void served_values::let_all_go() {
  std::unique_lock guard{mutex_};
  auto gone = std::exchange(values_, {});
  guard.unlock();
}

std::optional<served_bytes> served_values::pin(const send_chunk& chunk) {
  std::unique_lock guard{mutex_};
  auto known = values_.find(chunk.range.id);
  if (known == values_.end())
    return std::nullopt;
  auto kept = known->second;
  guard.unlock();
  const auto& range = chunk.range;
  auto size = kept.bytes.size();
  if (range.offset_bytes > size || range.length_bytes > size - range.offset_bytes)
    return std::nullopt;
  kept.bytes = kept.bytes.subspan(range.offset_bytes, range.length_bytes);
  return kept;
}

} // namespace mobula
