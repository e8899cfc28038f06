// The records of objects that this node owns, from the first reference that the owner hears of to
// the last, and sums over them that no question has to recompute.

#include "mobula/actors/protocol/ownership/owner_table.hpp"

#include "mobula/store/system/assertion.hpp"

namespace mobula {

owner_table::effect owner_table::add_reference(const object_record& reference) {
  MOBULA_ASSERT(!contains(reference.sequence));
  auto& object = objects_.insert(reference.sequence);
  object.size_bytes = reference.size_bytes;
  object.place = reference.place;
  object.content = reference.content;
  object.entry = reference.entry;
  object.reported_at_s = reference.reported_at_s;
  object.local_reference = true;
  ++references_;
  ++references_added_;
  count(object);
  return effect::nothing;
}

owner_table::effect owner_table::object_sealed(const object_record& sealed) {
  auto* object = objects_.find(sealed.sequence);
  // The announcement of an object says what is known when it is sent, which may be later than the
  // seal that is told of here. Of the others only those change that leave the heap.
  auto leaves_heap = object != nullptr && object->place == object_place::inline_value
                     && sealed.place == object_place::stored;
  if (object == nullptr || (object->place != object_place::pending && !leaves_heap))
    return effect::nothing;
  discount(*object);
  object->place = sealed.place;
  object->content = sealed.content;
  object->size_bytes = sealed.size_bytes;
  count(*object);
  return effect::nothing;
}

owner_table::effect owner_table::remove_reference(std::uint64_t sequence) {
  auto* object = objects_.find(sequence);
  if (object == nullptr)
    return effect::nothing;
  MOBULA_ASSERT(object->local_reference);
  object->local_reference = false;
  --references_;
  ++references_removed_;
  auto stored = object->place == object_place::stored;
  discount(*object);
  objects_.erase(sequence);
  return stored ? effect::release_copy : effect::release_value;
}

void owner_table::count(const owned_object& object) noexcept {
  tally(object.place) += {.objects = 1, .bytes = object.size_bytes};
}

void owner_table::discount(const owned_object& object) noexcept {
  auto& sum = tally(object.place);
  MOBULA_ASSERT(sum.objects > 0 && sum.bytes >= object.size_bytes);
  --sum.objects;
  sum.bytes -= object.size_bytes;
}

void owner_table::add_figures(owner_figures& figures) const noexcept {
  auto of = [this](object_place place) {
    return tallies_[static_cast<std::size_t>(place)];
  };
  figures.pending_objects += of(object_place::pending).objects;
  figures.inline_values += of(object_place::inline_value);
  figures.stored += of(object_place::stored);
  figures.failed_objects += of(object_place::failed).objects;
  for (const auto& tally : tallies_)
    figures.owned += tally;
  figures.references += references_;
  figures.references_added += references_added_;
  figures.references_removed += references_removed_;
}

void owner_table::check_invariants() const {
  std::array<object_count, 4> sums{};
  std::uint64_t references = 0;
  objects_.for_each([&](const owned_object& object) {
    sums[static_cast<std::size_t>(object.place)] += {.objects = 1, .bytes = object.size_bytes};
    references += object.local_reference ? 1 : 0;
    MOBULA_ASSERT(object.local_reference);
  });
  MOBULA_ASSERT(sums == tallies_);
  MOBULA_ASSERT(references == references_);
}

} // namespace mobula
