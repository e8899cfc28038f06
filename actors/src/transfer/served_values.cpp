// Values that the threads of the data port may read, in memory or in a spill file, kept for as long
// as somebody sends them.

#include "mobula/actors/transfer/served_values.hpp"

#include <utility>

#include "mobula/store/spill/spill_part.hpp"

namespace mobula {

void served_values::keep(const object_id& id, std::span<const std::byte> bytes,
                         std::shared_ptr<const void> keeper) {
  std::unique_lock guard{mutex_};
  values_.insert_or_assign(id, served_value{{bytes, std::move(keeper)}, nullptr});
}

void served_values::keep_on_disk(const object_id& id, record_place place) {
  auto kept = std::make_shared<served_file>();
  kept->place = std::move(place);
  std::unique_lock guard{mutex_};
  values_.insert_or_assign(id, served_value{{}, std::move(kept)});
}

/// Outside of the mutex: the last pin tells others.
served_values::found_out served_values::let_go(const object_id& id) {
  std::unique_lock guard{mutex_};
  auto gone = values_.extract(id);
  guard.unlock();
  // Relaxed: the message that says so was sent after it.
  auto unreadable = !gone.empty() && gone.mapped().on_disk != nullptr
                    && gone.mapped().on_disk->unreadable.load(std::memory_order_relaxed);
  return unreadable ? found_out::unreadable : found_out::nothing;
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
  return kept.on_disk != nullptr ? part_of(*kept.on_disk, chunk.range)
                                 : part_of(kept.in_memory, chunk.range);
}

std::optional<served_bytes> served_values::part_of(const served_bytes& value,
                                                   const object_range& range) {
  auto size = value.bytes.size();
  if (range.offset_bytes > size || range.length_bytes > size - range.offset_bytes)
    return std::nullopt;
  return served_bytes{value.bytes.subspan(range.offset_bytes, range.length_bytes), value.pin};
}

std::optional<served_bytes> served_values::part_of(served_file& value, const object_range& range) {
  std::shared_ptr<std::byte[]> buffer{new std::byte[range.length_bytes]};
  std::span target{buffer.get(), range.length_bytes};
  const auto& location = value.place.location;
  // Relaxed throughout: two that verify at the same time do no harm.
  auto check =
    value.verified.load(std::memory_order_relaxed) ? record_check::header : record_check::whole;
  moving_record record{range.id, location.offset_bytes, location.record_bytes};
  if (!read_part(value.place.file, record, range.offset_bytes, target, check)) {
    value.unreadable.store(true, std::memory_order_relaxed);
    return std::nullopt;
  }
  value.verified.store(true, std::memory_order_relaxed);
  return served_bytes{target, std::move(buffer)};
}

} // namespace mobula
