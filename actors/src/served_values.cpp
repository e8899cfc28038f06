#include "mobula/actors/served_values.hpp"

#include <utility>

namespace mobula {

void served_values::keep(const object_id& id, pinned_value pin) {
  auto kept = std::make_shared<const pinned_value>(std::move(pin));
  std::unique_lock guard{mutex_};
  values_.insert_or_assign(id, std::move(kept));
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
  auto bytes = kept->value().bytes();
  const auto& range = chunk.range;
  if (range.offset_bytes > bytes.size() || range.length_bytes > bytes.size() - range.offset_bytes)
    return std::nullopt;
  return served_bytes{bytes.subspan(range.offset_bytes, range.length_bytes), std::move(kept)};
}

} // namespace mobula
