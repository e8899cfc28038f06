// Own entries that other nodes may name: found by their numbers while the tables keep them, or
// while a value that others have seen contains them.

#include "mobula/actors/objects/nameable_entries.hpp"

#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

nameable_entries::record& nameable_entries::record_of(object_entry& entry) {
  auto& known = records_[entry.sequence()];
  MOBULA_ASSERT(known.entry == nullptr || known.entry == &entry);
  known.entry = &entry;
  return known;
}

object_entry* nameable_entries::keep(std::uint64_t sequence) {
  auto known = records_.find(sequence);
  if (known == records_.end())
    return nullptr;
  ++known->second.kept;
  return known->second.entry;
}

void nameable_entries::let_go(const object_entry& entry, std::vector<object_entry*>& hidden) {
  auto known = records_.find(entry.sequence());
  MOBULA_ASSERT(known != records_.end() && known->second.kept > 0);
  --known->second.kept;
  erase_unless_nameable(known, hidden);
}

void nameable_entries::hide(const object_entry& entry, std::vector<object_entry*>& hidden) {
  auto known = records_.find(entry.sequence());
  MOBULA_ASSERT(known != records_.end() && known->second.shown > 0);
  --known->second.shown;
  erase_unless_nameable(known, hidden);
}

bool nameable_entries::lacks_contents(std::uint64_t sequence) const {
  auto known = records_.find(sequence);
  return known != records_.end() && known->second.shows.empty();
}

void nameable_entries::set_contents(std::uint64_t sequence, std::vector<object_entry*> shown) {
  records_.at(sequence).shows = std::move(shown);
}

void nameable_entries::erase_unless_nameable(index::iterator known,
                                             std::vector<object_entry*>& hidden) {
  if (known->second.kept > 0 || known->second.shown > 0)
    return;
  hidden.insert(hidden.end(), known->second.shows.begin(), known->second.shows.end());
  records_.erase(known);
}

void nameable_entries::check_invariants() const {
  for (const auto& [sequence, known] : records_) {
    MOBULA_ASSERT(known.entry->sequence() == sequence);
    MOBULA_ASSERT(known.entry->kind() == entry_kind::own);
    MOBULA_ASSERT(known.kept > 0 || known.shown > 0);
    MOBULA_ASSERT(known.entry->handles() >= known.kept);
  }
}

} // namespace mobula
