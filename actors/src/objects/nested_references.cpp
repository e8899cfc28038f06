// The references inside of a value: each is a handle on an entry, which goes with the value's
// memory.

#include <utility>

#include "mobula/actors/objects/object_entry.hpp"
#include "mobula/actors/objects/object_value.hpp"

namespace mobula {

nested_references& nested_references::operator=(nested_references&& other) noexcept {
  if (this != &other) {
    release();
    entries_ = std::exchange(other.entries_, {});
    ids_ = std::exchange(other.ids_, {});
  }
  return *this;
}

nested_references::~nested_references() {
  release();
}

void nested_references::add(object_entry& entry) {
  if (!ids_.empty())
    ids_.push_back(entry.id());
  entries_.push_back(&entry);
  entry.add_handle();
}

void nested_references::add(object_entry& entry, const object_id& id_in_value) {
  if (ids_.empty() && id_in_value != entry.id())
    for (const auto* known : entries_)
      ids_.push_back(known->id());
  else if (ids_.empty())
    return add(entry);
  ids_.push_back(id_in_value);
  entries_.push_back(&entry);
  entry.add_handle();
}

object_id nested_references::id_in_value(std::size_t index) const noexcept {
  return ids_.empty() ? entries_[index]->id() : ids_[index];
}

void nested_references::release() noexcept {
  for (auto* entry : entries_)
    entry->drop_handle();
  entries_.clear();
  ids_.clear();
}

} // namespace mobula
