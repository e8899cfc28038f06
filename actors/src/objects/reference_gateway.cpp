// The gateway of references: notes under one mutex what threads serialize and deserialize until the
// cluster actor asks for it, and finds the entries that other nodes may name.

#include "mobula/actors/objects/reference_gateway.hpp"

#include <utility>

#include <fmt/format.h>

#include "mobula/actors/objects/entry_draft.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

entry_token token_of(const object_entry& entry) noexcept {
  return entry_token{reinterpret_cast<std::uintptr_t>(&entry)};
}

/// An own object that does not exist: whoever named it had no right to.
object_handle make_missing(object_host& host, const object_id& object,
                           const type_descriptor& type) {
  entry_draft result{host, object, type};
  result->seal_failed(
    {.type = error_type::object_deleted,
     .message = fmt::format("object {} does not exist any more", to_string(object)),
     .origin = host.origin()});
  return result.hand_over();
}

} // namespace

// -- life -----------------------------------------------------------------------------------------

void reference_gateway::open() {
  std::unique_lock guard{mutex_};
  MOBULA_ASSERT(state_ == state::idle);
  state_ = state::open;
}

gateway_events reference_gateway::close() {
  std::unique_lock guard{mutex_};
  state_ = state::closed;
  return std::exchange(events_, {});
}

bool reference_gateway::is_open() const {
  std::unique_lock guard{mutex_};
  return state_ == state::open;
}

/// Returns when the cluster actor must be woken, if it must. REQUIRES: the mutex is held.
std::optional<wake_time> reference_gateway::take_note(wake_time when) {
  if (noted_ && *noted_ >= when)
    return std::nullopt;
  noted_ = when;
  // What was noted may be the last that keeps the host; `wake` still needs it.
  host_.add_ref();
  return when;
}

/// Outside of the mutex: waking sends a message.
void reference_gateway::wake(std::optional<wake_time> needed) noexcept {
  if (!needed)
    return;
  host_.wake_cluster(*needed);
  host_.drop_ref();
}

bool reference_gateway::has_events() const {
  std::unique_lock guard{mutex_};
  return state_ == state::open && noted_.has_value();
}

gateway_events reference_gateway::take() {
  std::unique_lock guard{mutex_};
  noted_.reset();
  return std::exchange(events_, {});
}

// -- leaving --------------------------------------------------------------------------------------

std::optional<transit_number> reference_gateway::open_transit(object_entry& entry) {
  std::unique_lock guard{mutex_};
  if (state_ != state::open)
    return std::nullopt;
  auto number = transit_number{++transits_};
  auto& opened = events_.traffic.opened;
  opened.push_back({number, entry.id(), kept_handle_of(entry)});
  try {
    if (entry.kind() == entry_kind::own)
      own_.keep(entry);
  } catch (...) {
    opened.pop_back();
    throw;
  }
  entry.add_handle();
  auto needed = take_note(wake_time::soon);
  guard.unlock();
  wake(needed);
  return number;
}

void reference_gateway::cancel_transit(transit_number transit) {
  std::unique_lock guard{mutex_};
  // Closed, the tables have given all handles back.
  if (state_ != state::open)
    return;
  events_.traffic.canceled.push_back(transit);
  auto needed = take_note(wake_time::soon);
  guard.unlock();
  wake(needed);
}

// -- entering -------------------------------------------------------------------------------------

object_handle reference_gateway::import_reference(const incoming_reference& reference) {
  // Goes after the guard if something fails: the last handle on an entry comes back here.
  object_handle result;
  std::unique_lock guard{mutex_};
  if (state_ != state::open)
    return result;
  result = bind(reference.object, *reference.type);
  events_.traffic.arrived.push_back(
    {token_of(*result.get()), reference.object, reference.sender, reference.transit});
  auto needed = take_note(wake_time::soon);
  guard.unlock();
  wake(needed);
  return result;
}

std::vector<object_handle>
reference_gateway::value_read(const object_handle& outer,
                              std::span<const enclosed_reference> inner) {
  std::vector<object_handle> result;
  result.reserve(inner.size());
  std::unique_lock guard{mutex_};
  mobula::value_read read;
  for (const auto& reference : inner) {
    result.push_back(bind(reference.object, *reference.type));
    if (reference.object.owner != host_.incarnation())
      read.inner.push_back({token_of(*result.back().get()), reference.object});
  }
  if (read.inner.empty())
    return result;
  read.outer = kept_handle_of(*outer.get());
  events_.traffic.read.push_back(std::move(read));
  outer->add_handle();
  auto needed = take_note(wake_time::soon);
  guard.unlock();
  wake(needed);
  return result;
}

/// REQUIRES: the mutex is held, as for all below that do not take it.
object_handle reference_gateway::bind(const object_id& object, const type_descriptor& type) {
  if (object.owner != host_.incarnation())
    return borrowed_.bind(host_, object, type);
  auto* known = own_.find(object.sequence);
  if (known == nullptr)
    return make_missing(host_, object, type);
  known->add_handle();
  return object_handle::adopt(known);
}

object_handle reference_gateway::find_borrowed(const object_id& object) {
  std::unique_lock guard{mutex_};
  return borrowed_.find(object);
}

void reference_gateway::drop(object_entry& entry) noexcept {
  release_token token{&entry};
  auto id = entry.id();
  std::optional<wake_time> needed;
  object_handle successor;
  std::vector<object_entry*> hidden;
  {
    std::unique_lock guard{mutex_};
    if (auto adopted = successors_.extract(&entry)) {
      successor = std::move(adopted.mapped());
      own_.hide(*successor.get(), hidden);
    }
    borrowed_.forget(entry);
    // Nobody is to be told of an own object that does not exist.
    if (state_ == state::open && id.owner != host_.incarnation()) {
      events_.traffic.dropped.push_back({token_of(entry), id});
      events_.dropped.push_back(std::move(token));
      needed = take_note(wake_time::soon);
    }
  }
  hide_all(std::move(hidden));
  // Nobody else sees to its copy, if it has one.
  if (token != nullptr && is_pulled(entry))
    host_.release_stored(std::move(token));
  // Without its token moved, the entry is freed after this line.
  wake(needed);
}

void reference_gateway::forget(const object_entry& entry) {
  std::unique_lock guard{mutex_};
  borrowed_.forget(entry);
}

// -- successors -----------------------------------------------------------------------------------

known_successor reference_gateway::find_successor(const object_entry& entry) const {
  std::unique_lock guard{mutex_};
  if (borrowed_.contains(entry))
    return {};
  auto adopted = successors_.find(&entry);
  if (adopted == successors_.end())
    return {.successor = {}, .needed = true};
  return {.successor = adopted->second};
}

object_handle reference_gateway::adopt(const object_entry& orphan, object_handle successor) {
  std::unique_lock guard{mutex_};
  auto [known, is_new] = successors_.try_emplace(&orphan, successor);
  try {
    if (is_new)
      own_.show(*successor.get());
  } catch (...) {
    successors_.erase(known);
    throw;
  }
  auto result = known->second;
  // The one that is too late goes outside of the mutex.
  guard.unlock();
  return result;
}

// -- values ---------------------------------------------------------------------------------------

void reference_gateway::request(const object_entry& entry, pull_priority priority) {
  std::unique_lock guard{mutex_};
  auto* known = borrowed_.find_record(entry);
  if (state_ != state::open || known == nullptr
      || (known->requested && *known->requested <= priority))
    return;
  auto& list = known->requested ? events_.raised : events_.requested;
  list.push_back(entry.id());
  known->requested = priority;
  auto needed = take_note(wake_time::now);
  guard.unlock();
  wake(needed);
}

void reference_gateway::reset_request(const object_id& object) {
  std::unique_lock guard{mutex_};
  borrowed_.reset_request(object);
}

pull_priority reference_gateway::priority_of(const object_id& object) const {
  std::unique_lock guard{mutex_};
  return borrowed_.priority_of(object);
}

void reference_gateway::note_ready(std::uint64_t sequence) {
  std::unique_lock guard{mutex_};
  if (state_ != state::open)
    return;
  events_.ready.push_back(sequence);
  auto needed = take_note(wake_time::now);
  guard.unlock();
  wake(needed);
}

void reference_gateway::note_freed(const object_entry& entry) {
  std::unique_lock guard{mutex_};
  auto is_own = entry.kind() == entry_kind::own;
  if (state_ != state::open || (is_own && own_.find(entry.sequence()) == nullptr))
    return;
  if (is_own)
    events_.freed.push_back(entry.sequence());
  else
    events_.traffic.freed.push_back(entry.id());
  auto needed = take_note(wake_time::now);
  guard.unlock();
  wake(needed);
}

void free_object(object_entry& entry) {
  entry.free_value();
  entry.host().gateway().note_freed(entry);
}

} // namespace mobula
