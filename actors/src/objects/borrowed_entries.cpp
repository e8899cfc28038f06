// The one living entry of each object that other nodes own: made when the first reference arrives,
// and made anew when one arrives while the former entry is being dropped.

#include "mobula/actors/objects/borrowed_entries.hpp"

#include "mobula/store/system/assertion.hpp"

namespace mobula {

object_handle borrowed_entries::bind(object_host& host, const object_id& object,
                                     const type_descriptor& type) {
  auto [known, is_new] = records_.try_emplace(object);
  auto& bound = known->second;
  if (!is_new && bound.entry->try_add_handle())
    return object_handle::adopt(bound.entry);
  try {
    bound = {.entry = object_entry::make_borrowed(host, object, type), .requested = std::nullopt};
  } catch (...) {
    if (is_new)
      records_.erase(known);
    throw;
  }
  return object_handle::adopt(bound.entry);
}

object_handle borrowed_entries::find(const object_id& object) const {
  auto known = records_.find(object);
  if (known == records_.end() || !known->second.entry->try_add_handle())
    return {};
  return object_handle::adopt(known->second.entry);
}

pull_priority borrowed_entries::priority_of(const object_id& object) const {
  auto known = records_.find(object);
  return known == records_.end() ? pull_priority::get
                                 : known->second.requested.value_or(pull_priority::get);
}

void borrowed_entries::reset_request(const object_id& object) {
  if (auto known = records_.find(object); known != records_.end())
    known->second.requested.reset();
}

void borrowed_entries::check_invariants() const {
  for (const auto& [id, known] : records_)
    MOBULA_ASSERT(known.entry->kind() == entry_kind::borrowed && known.entry->id() == id);
}

} // namespace mobula
