// The objects of a spill manager, and which of them have a record where.

#include "mobula/store/spill/spill_objects.hpp"

#include <algorithm>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

spill_objects::insertion spill_objects::insert(const object_id& id) {
  auto [position, fresh] = objects_.try_emplace(id);
  return {position->second, fresh};
}

spill_entry* spill_objects::find(const object_id& id) {
  auto position = objects_.find(id);
  return position == objects_.end() ? nullptr : &position->second;
}

spill_entry& spill_objects::get(const object_id& id, spill_place expected) {
  auto position = objects_.find(id);
  MOBULA_ASSERT(position != objects_.end() && position->second.where == expected);
  return position->second;
}

spill_entry* spill_objects::find_record(const object_id& id, spill_file_id where,
                                        std::uint64_t offset_bytes) {
  auto* entry = find(id);
  if (entry == nullptr)
    return nullptr;
  // The same object may have been freed and spilled anew since.
  auto here = entry->location.file == where && entry->location.offset_bytes == offset_bytes;
  return entry->has_record() && here ? entry : nullptr;
}

void spill_objects::erase(const object_id& id) {
  // Callers may name the object by a reference to the key itself.
  objects_.erase(objects_.find(id));
}

std::optional<spill_location> spill_objects::location_of(const object_id& id) const {
  auto known = objects_.find(id);
  if (known == objects_.end() || !known->second.has_record())
    return std::nullopt;
  return known->second.location;
}

std::vector<object_id> spill_objects::sorted() const {
  std::vector<object_id> result;
  result.reserve(objects_.size());
  for (const auto& [id, entry] : objects_)
    result.push_back(id);
  std::ranges::sort(result);
  return result;
}

} // namespace mobula
