// Own entries that other nodes may name: found by their numbers while the tables keep them, or
// while a value that others have seen contains them.

#include <utility>

#include "mobula/actors/objects/object_host.hpp"
#include "mobula/actors/objects/reference_gateway.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

reference_gateway::own_record& reference_gateway::record_of(object_entry& entry) {
  auto& record = own_[entry.sequence()];
  MOBULA_ASSERT(record.entry == nullptr || record.entry == &entry);
  record.entry = &entry;
  return record;
}

object_handle reference_gateway::find_own(std::uint64_t sequence) {
  std::unique_lock guard{mutex_};
  auto known = own_.find(sequence);
  if (known == own_.end())
    return {};
  // The record says that somebody holds the entry.
  known->second.entry->add_handle();
  return object_handle::adopt(known->second.entry);
}

std::uint32_t reference_gateway::kept_handles(std::uint64_t sequence) const {
  std::unique_lock guard{mutex_};
  auto known = own_.find(sequence);
  return known == own_.end() ? 0 : known->second.kept;
}

kept_handle reference_gateway::keep_own(std::uint64_t sequence) {
  std::unique_lock guard{mutex_};
  auto known = own_.find(sequence);
  if (known == own_.end())
    return kept_handle::none;
  known->second.entry->add_handle();
  ++known->second.kept;
  return kept_handle_of(*known->second.entry);
}

void reference_gateway::release(std::span<const kept_handle> handles) {
  std::vector<object_entry*> hidden;
  {
    std::unique_lock guard{mutex_};
    for (auto handle : handles) {
      auto& entry = entry_of(handle);
      if (entry.kind() == entry_kind::borrowed)
        continue;
      auto record = own_.find(entry.sequence());
      MOBULA_ASSERT(record != own_.end() && record->second.kept > 0);
      --record->second.kept;
      erase_unless_named(record, hidden);
    }
  }
  // The handles that go below still hold the containers, and these what they contain.
  hide_all(std::move(hidden));
  for (auto handle : handles)
    entry_of(handle).drop_handle();
}

void reference_gateway::show(const object_entry& container,
                             std::span<object_entry* const> contents) {
  {
    std::unique_lock guard{mutex_};
    auto record = own_.find(container.sequence());
    if (record == own_.end() || !record->second.shows.empty())
      return;
  }
  // Contents may be on other nodes of the process, so no mutex is held here. The record stays:
  // only the cluster actor, which is here, lowers it.
  std::vector<object_entry*> shown;
  shown.reserve(contents.size());
  try {
    for (auto* entry : contents)
      if (entry->kind() == entry_kind::own && entry->host().gateway().add_shown(*entry))
        shown.push_back(entry);
  } catch (...) {
    hide_all(std::move(shown));
    throw;
  }
  std::unique_lock guard{mutex_};
  own_.at(container.sequence()).shows = std::move(shown);
}

bool reference_gateway::add_shown(object_entry& entry) {
  std::unique_lock guard{mutex_};
  if (state_ != state::open)
    return false;
  ++record_of(entry).shown;
  return true;
}

void reference_gateway::drop_shown(object_entry& entry, std::vector<object_entry*>& next) {
  std::unique_lock guard{mutex_};
  hide(entry, next);
}

/// What these showed is not to be named any more, nor what that showed, and so on. No mutex is
/// held. REQUIRES: somebody holds the containers.
void reference_gateway::hide_all(std::vector<object_entry*> hidden) {
  while (!hidden.empty()) {
    auto& entry = *hidden.back();
    hidden.pop_back();
    entry.host().gateway().drop_shown(entry, hidden);
  }
}

void reference_gateway::hide(object_entry& entry, std::vector<object_entry*>& next) {
  auto record = own_.find(entry.sequence());
  MOBULA_ASSERT(record != own_.end() && record->second.shown > 0);
  --record->second.shown;
  erase_unless_named(record, next);
}

void reference_gateway::erase_unless_named(own_index::iterator record,
                                           std::vector<object_entry*>& shows) {
  if (record->second.kept > 0 || record->second.shown > 0)
    return;
  shows.insert(shows.end(), record->second.shows.begin(), record->second.shows.end());
  own_.erase(record);
}

void reference_gateway::check_invariants() const {
  std::unique_lock guard{mutex_};
  for (const auto& [sequence, record] : own_) {
    MOBULA_ASSERT(record.entry->sequence() == sequence);
    MOBULA_ASSERT(record.entry->kind() == entry_kind::own);
    MOBULA_ASSERT(record.kept > 0 || record.shown > 0);
    MOBULA_ASSERT(record.entry->handles() >= record.kept);
  }
  for (const auto& [id, record] : borrowed_)
    MOBULA_ASSERT(record.entry->kind() == entry_kind::borrowed && record.entry->id() == id);
}

} // namespace mobula
