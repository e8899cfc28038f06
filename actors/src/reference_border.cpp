// The gateway of references: notes under one mutex what threads serialize and deserialize until the
// cluster actor asks for it, and finds the entries that other nodes may name.

#include "mobula/actors/reference_border.hpp"

#include <utility>

#include <fmt/format.h>

#include "mobula/actors/node_core.hpp"
#include "mobula/actors/stored_copy.hpp"
#include "mobula/actors/told_value.hpp"
#include "mobula/store/assertion.hpp"

namespace mobula {

namespace {

kept_handle kept(object_entry& entry) noexcept {
  return kept_handle{reinterpret_cast<std::uintptr_t>(&entry)};
}

entry_token token_of(const object_entry& entry) noexcept {
  return entry_token{reinterpret_cast<std::uintptr_t>(&entry)};
}

} // namespace

// -- life -----------------------------------------------------------------------------------------

void reference_border::open() {
  std::unique_lock guard{mutex_};
  MOBULA_ASSERT(state_ == state::idle);
  state_ = state::open;
}

border_changes reference_border::close() {
  std::unique_lock guard{mutex_};
  state_ = state::closed;
  return std::exchange(changes_, {});
}

bool reference_border::is_open() const {
  std::unique_lock guard{mutex_};
  return state_ == state::open;
}

/// Returns when the cluster actor must be woken, if it must. REQUIRES: the mutex is held.
std::optional<wake_time> reference_border::take_note(wake_time when) {
  if (noted_ && *noted_ >= when)
    return std::nullopt;
  noted_ = when;
  // What was noted may be the last that keeps the core; `wake` still needs it.
  core_.add_ref();
  return when;
}

/// Outside of the mutex: waking sends a message.
void reference_border::wake(std::optional<wake_time> needed) noexcept {
  if (!needed)
    return;
  core_.wake_cluster(*needed);
  core_.drop_ref();
}

bool reference_border::has_changes() const {
  std::unique_lock guard{mutex_};
  return state_ == state::open && noted_.has_value();
}

border_changes reference_border::take() {
  std::unique_lock guard{mutex_};
  noted_.reset();
  return std::exchange(changes_, {});
}

// -- leaving --------------------------------------------------------------------------------------

std::optional<transit_number> reference_border::open_transit(object_entry& entry) {
  std::unique_lock guard{mutex_};
  if (state_ != state::open)
    return std::nullopt;
  auto number = transit_number{++transits_};
  changes_.traffic.opened.push_back({number, entry.id(), kept(entry)});
  if (entry.kind() == entry_kind::own)
    ++record_of(entry).kept;
  entry.add_handle();
  auto needed = take_note(wake_time::soon);
  guard.unlock();
  wake(needed);
  return number;
}

void reference_border::cancel_transit(transit_number transit) {
  std::unique_lock guard{mutex_};
  // Closed, the tables have given all handles back.
  if (state_ != state::open)
    return;
  changes_.traffic.canceled.push_back(transit);
  auto needed = take_note(wake_time::soon);
  guard.unlock();
  wake(needed);
}

// -- entering -------------------------------------------------------------------------------------

object_handle reference_border::arrive(const incoming_reference& reference) {
  std::unique_lock guard{mutex_};
  if (state_ != state::open)
    return {};
  auto result = bind(reference.object, *reference.type);
  changes_.traffic.arrived.push_back(
    {token_of(*result.get()), reference.object, reference.sender, reference.transit});
  auto needed = take_note(wake_time::soon);
  guard.unlock();
  wake(needed);
  return result;
}

std::vector<object_handle> reference_border::value_read(const object_handle& outer,
                                                        std::span<const enclosed_reference> inner) {
  std::vector<object_handle> result;
  result.reserve(inner.size());
  std::unique_lock guard{mutex_};
  mobula::value_read read;
  for (const auto& reference : inner) {
    result.push_back(bind(reference.object, *reference.type));
    if (reference.object.owner != core_.incarnation())
      read.inner.push_back({token_of(*result.back().get()), reference.object});
  }
  if (read.inner.empty())
    return result;
  outer->add_handle();
  read.outer = kept(*outer.get());
  changes_.traffic.read.push_back(std::move(read));
  auto needed = take_note(wake_time::soon);
  guard.unlock();
  wake(needed);
  return result;
}

/// REQUIRES: the mutex is held, as for all below that do not take it.
object_handle reference_border::bind(const object_id& object, const type_descriptor& type) {
  if (object.owner != core_.incarnation())
    return bind_foreign(object, type);
  auto known = own_.find(object.sequence);
  if (known == own_.end())
    return make_missing(object, type);
  known->second.entry->add_handle();
  return object_handle::adopt(known->second.entry);
}

object_handle reference_border::bind_foreign(const object_id& object, const type_descriptor& type) {
  auto& record = foreign_[object];
  if (record.entry == nullptr || !record.entry->try_add_handle())
    record = {.entry = object_entry::make_foreign(core_, object, type), .wanted = std::nullopt};
  return object_handle::adopt(record.entry);
}

/// An own object that does not exist: whoever named it had no right to.
object_handle reference_border::make_missing(const object_id& object, const type_descriptor& type) {
  auto result = object_handle::adopt(object_entry::make_foreign(core_, object, type));
  result->seal_failed(
    {.type = error_type::object_deleted,
     .message = fmt::format("object {} does not exist any more", to_string(object)),
     .origin = core_.origin()});
  return result;
}

object_handle reference_border::find_foreign(const object_id& object) {
  std::unique_lock guard{mutex_};
  auto known = foreign_.find(object);
  if (known == foreign_.end() || !known->second.entry->try_add_handle())
    return {};
  return object_handle::adopt(known->second.entry);
}

void reference_border::drop(object_entry& entry) noexcept {
  entry_scope scope{&entry};
  auto id = entry.id();
  std::optional<wake_time> needed;
  object_handle heir;
  std::vector<object_entry*> hidden;
  {
    std::unique_lock guard{mutex_};
    if (auto adopted = heirs_.extract(&entry)) {
      heir = std::move(adopted.mapped());
      hide(*heir.get(), hidden);
    }
    if (auto known = foreign_.find(id); known != foreign_.end() && known->second.entry == &entry)
      foreign_.erase(known);
    // Nobody is to be told of an own object that does not exist.
    if (state_ == state::open && id.owner != core_.incarnation()) {
      changes_.traffic.dropped.push_back({token_of(entry), id});
      changes_.dropped.push_back(std::move(scope));
      needed = take_note(wake_time::soon);
    }
  }
  hide_all(std::move(hidden));
  // Nobody else sees to its copy, if it has one.
  if (scope != nullptr && is_pulled(entry))
    core_.release_stored(std::move(scope));
  // Without its scope moved, the entry is freed after this line.
  wake(needed);
}

void reference_border::forget(const object_entry& entry) {
  std::unique_lock guard{mutex_};
  if (auto known = foreign_.find(entry.id());
      known != foreign_.end() && known->second.entry == &entry)
    foreign_.erase(known);
}

// -- heirs ----------------------------------------------------------------------------------------

known_heir reference_border::find_heir(const object_entry& entry) const {
  std::unique_lock guard{mutex_};
  auto known = foreign_.find(entry.id());
  if (known != foreign_.end() && known->second.entry == &entry)
    return {};
  auto adopted = heirs_.find(&entry);
  if (adopted == heirs_.end())
    return {.heir = {}, .wanted = true};
  return {.heir = adopted->second};
}

object_handle reference_border::adopt(const object_entry& orphan, object_handle heir) {
  std::unique_lock guard{mutex_};
  auto [known, is_new] = heirs_.try_emplace(&orphan, heir);
  if (is_new)
    ++record_of(*heir.get()).shown;
  auto result = known->second;
  // The one that is too late goes outside of the mutex.
  guard.unlock();
  return result;
}

// -- values ---------------------------------------------------------------------------------------

void reference_border::want(const object_entry& entry, pull_class urgency) {
  std::unique_lock guard{mutex_};
  auto known = foreign_.find(entry.id());
  if (state_ != state::open || known == foreign_.end() || known->second.entry != &entry
      || (known->second.wanted && *known->second.wanted <= urgency))
    return;
  auto& list = known->second.wanted ? changes_.urged : changes_.wanted;
  list.push_back(known->first);
  known->second.wanted = urgency;
  auto needed = take_note(wake_time::now);
  guard.unlock();
  wake(needed);
}

void reference_border::want_again(const object_id& object) {
  std::unique_lock guard{mutex_};
  if (auto known = foreign_.find(object); known != foreign_.end())
    known->second.wanted.reset();
}

pull_class reference_border::urgency_of(const object_id& object) const {
  std::unique_lock guard{mutex_};
  auto known = foreign_.find(object);
  return known == foreign_.end() ? pull_class::get : known->second.wanted.value_or(pull_class::get);
}

void reference_border::note_ready(std::uint64_t sequence) {
  std::unique_lock guard{mutex_};
  if (state_ != state::open)
    return;
  changes_.ready.push_back(sequence);
  auto needed = take_note(wake_time::now);
  guard.unlock();
  wake(needed);
}

void reference_border::note_freed(const object_entry& entry) {
  std::unique_lock guard{mutex_};
  auto is_own = entry.kind() == entry_kind::own;
  if (state_ != state::open || (is_own && !own_.contains(entry.sequence())))
    return;
  if (is_own)
    changes_.freed.push_back(entry.sequence());
  else
    changes_.traffic.freed.push_back(entry.id());
  auto needed = take_note(wake_time::now);
  guard.unlock();
  wake(needed);
}

// -- own entries ----------------------------------------------------------------------------------

reference_border::own_record& reference_border::record_of(object_entry& entry) {
  auto& record = own_[entry.sequence()];
  MOBULA_ASSERT(record.entry == nullptr || record.entry == &entry);
  record.entry = &entry;
  return record;
}

object_handle reference_border::find_own(std::uint64_t sequence) {
  std::unique_lock guard{mutex_};
  auto known = own_.find(sequence);
  if (known == own_.end())
    return {};
  // The record says that somebody holds the entry.
  known->second.entry->add_handle();
  return object_handle::adopt(known->second.entry);
}

std::uint32_t reference_border::kept_handles(std::uint64_t sequence) const {
  std::unique_lock guard{mutex_};
  auto known = own_.find(sequence);
  return known == own_.end() ? 0 : known->second.kept;
}

kept_handle reference_border::keep_own(std::uint64_t sequence) {
  std::unique_lock guard{mutex_};
  auto known = own_.find(sequence);
  if (known == own_.end())
    return kept_handle::none;
  known->second.entry->add_handle();
  ++known->second.kept;
  return kept(*known->second.entry);
}

void reference_border::release(std::span<const kept_handle> handles) {
  std::vector<object_entry*> hidden;
  {
    std::unique_lock guard{mutex_};
    for (auto handle : handles) {
      auto& entry = entry_of(handle);
      if (entry.kind() == entry_kind::foreign)
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

void reference_border::show(const object_entry& container,
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
  for (auto* entry : contents)
    if (entry->kind() == entry_kind::own && entry->core().border().add_shown(*entry))
      shown.push_back(entry);
  std::unique_lock guard{mutex_};
  own_.at(container.sequence()).shows = std::move(shown);
}

bool reference_border::add_shown(object_entry& entry) {
  std::unique_lock guard{mutex_};
  if (state_ != state::open)
    return false;
  ++record_of(entry).shown;
  return true;
}

void reference_border::drop_shown(object_entry& entry, std::vector<object_entry*>& next) {
  std::unique_lock guard{mutex_};
  hide(entry, next);
}

/// What these showed is not to be named any more, nor what that showed, and so on. No mutex is
/// held. REQUIRES: somebody holds the containers.
void reference_border::hide_all(std::vector<object_entry*> hidden) {
  while (!hidden.empty()) {
    auto& entry = *hidden.back();
    hidden.pop_back();
    entry.core().border().drop_shown(entry, hidden);
  }
}

void reference_border::hide(object_entry& entry, std::vector<object_entry*>& next) {
  auto record = own_.find(entry.sequence());
  MOBULA_ASSERT(record != own_.end() && record->second.shown > 0);
  --record->second.shown;
  erase_unless_named(record, next);
}

void reference_border::erase_unless_named(own_index::iterator record,
                                          std::vector<object_entry*>& shows) {
  if (record->second.kept > 0 || record->second.shown > 0)
    return;
  shows.insert(shows.end(), record->second.shows.begin(), record->second.shows.end());
  own_.erase(record);
}

void reference_border::check_invariants() const {
  std::unique_lock guard{mutex_};
  for (const auto& [sequence, record] : own_) {
    MOBULA_ASSERT(record.entry->sequence() == sequence);
    MOBULA_ASSERT(record.entry->kind() == entry_kind::own);
    MOBULA_ASSERT(record.kept > 0 || record.shown > 0);
    MOBULA_ASSERT(record.entry->handles() >= record.kept);
  }
  for (const auto& [id, record] : foreign_)
    MOBULA_ASSERT(record.entry->kind() == entry_kind::foreign && record.entry->id() == id);
}

} // namespace mobula
