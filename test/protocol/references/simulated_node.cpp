// A simulated node's application and entries: objects, handles and values, as in production but
// without bytes. How it drives the tables is in simulated_node_messages.cpp.

#include "simulated_node.hpp"

#include <algorithm>
#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula::test {

// -- the application ------------------------------------------------------------------------------

object_id simulated_node::create(const std::vector<object_id>& nested) {
  object_id object{.owner = self_, .sequence = ++sequences_};
  auto made = make_entry(object, 0);
  own_.emplace(object.sequence, made);
  for (const auto& inner : nested) {
    auto which = find_held(inner);
    ++entries_[which].handles;
    entries_[made].nested.push_back(which);
    entries_[made].depth = std::max(entries_[made].depth, entries_[which].depth + 1);
  }
  held_.push_back(made);
  return object;
}

void simulated_node::copy(const object_id& object) {
  auto which = find_held(object);
  ++entries_[which].handles;
  held_.push_back(which);
}

void simulated_node::drop(const object_id& object) {
  auto which = find_held(object);
  held_.erase(std::ranges::find(held_, which));
  drop_handle(which);
}

void simulated_node::drop_all() {
  for (auto which : std::exchange(held_, {}))
    drop_handle(which);
}

void simulated_node::free(const object_id& object) {
  const auto& entry = entries_[find_held(object)];
  if (object.owner == self_ || entry.failed || !entry.sound)
    return;
  traffic_.freed.push_back(object);
  note_traffic();
}

user_message simulated_node::serialize(const std::vector<object_id>& objects) {
  user_message message;
  for (const auto& object : objects) {
    auto which = find_held(object);
    auto& entry = entries_[which];
    ++entry.handles;
    auto number = transit_number{++transits_};
    traffic_.opened.push_back({number, object, kept_handle{number_of(which)}});
    message.references.push_back(
      {object, self_, number, entry.depth, entry.sound && !entry.failed});
  }
  note_traffic();
  return message;
}

void simulated_node::cancel(const user_message& message) {
  for (const auto& reference : message.references)
    traffic_.canceled.push_back(reference.transit);
  note_traffic();
}

void simulated_node::deserialize(const user_message& message, on_arrival then) {
  for (const auto& reference : message.references) {
    auto which = bind(reference);
    traffic_.arrived.push_back(
      {entry_token{number_of(which)}, reference.object, reference.sender, reference.transit});
    held_.push_back(which);
  }
  if (then == on_arrival::drop || ending)
    for (std::size_t i = 0; i < message.references.size(); ++i) {
      auto which = held_.back();
      held_.pop_back();
      drop_handle(which);
    }
  note_traffic();
}

/// Takes a handle for a reference that came out of bytes.
simulated_node::slot simulated_node::bind(const wire_reference& reference) {
  auto is_own = reference.object.owner == self_;
  auto known = slot{};
  auto found = false;
  if (auto own = own_.find(reference.object.sequence); is_own && own != own_.end())
    std::tie(known, found) = std::pair{own->second, true};
  else if (auto borrowed = borrowed_.find(reference.object); !is_own && borrowed != borrowed_.end())
    std::tie(known, found) = std::pair{borrowed->second, true};
  auto sound = reference.sound
               && (is_own || sound_without_session
                   || session_with(reference.object.owner) != session_id::none);
  if (found) {
    ++entries_[known].handles;
    entries_[known].sound |= sound;
    return known;
  }
  auto made = make_entry(reference.object, reference.depth);
  entries_[made].sound = sound;
  if (is_own)
    fail(made, reference_failure::object_deleted);
  else
    borrowed_.emplace(reference.object, made);
  return made;
}

void simulated_node::read(const object_id& object) {
  auto which = find_held(object);
  if (object.owner == self_)
    return own_value_read(which);
  auto session = session_with(object.owner);
  if (entries_[which].failed || session == session_id::none)
    return;
  ++entries_[which].handles;
  readings_.emplace(++reading_count_, reading{which});
  world_.send(self_, object.owner, request_value{session, object.sequence, reading_count_});
}

void simulated_node::own_value_read(slot of) {
  if (ending)
    return;
  for (auto inner : entries_[of].nested) {
    ++entries_[inner].handles;
    held_.push_back(inner);
  }
}

// -- entries --------------------------------------------------------------------------------------

simulated_node::slot simulated_node::make_entry(const object_id& object, unsigned depth) {
  if (free_.empty()) {
    free_.push_back(static_cast<slot>(entries_.size()));
    entries_.emplace_back();
  }
  auto which = free_.back();
  free_.pop_back();
  entries_[which] = entry{};
  entries_[which].object = object;
  entries_[which].handles = 1;
  entries_[which].depth = depth;
  entries_[which].in_use = true;
  return which;
}

simulated_node::slot simulated_node::find_held(const object_id& object) const {
  auto found =
    std::ranges::find_if(held_, [&](slot which) { return entries_[which].object == object; });
  MOBULA_ASSERT(found != held_.end());
  return *found;
}

void simulated_node::drop_handle(slot first) {
  std::vector<slot> dropping{first};
  while (!dropping.empty()) {
    auto which = dropping.back();
    dropping.pop_back();
    auto& entry = entries_[which];
    MOBULA_ASSERT(entry.in_use && entry.handles > 0);
    if (--entry.handles > 0)
      continue;
    auto object = entry.object;
    if (object.owner == self_) {
      if (!entry.failed) {
        own_.erase(object.sequence);
        world_.object_freed(object);
      }
      dropping.insert(dropping.end(), entry.nested.begin(), entry.nested.end());
      free_slot(which);
      continue;
    }
    if (auto living = borrowed_.find(object); living != borrowed_.end() && living->second == which)
      borrowed_.erase(living);
    traffic_.dropped.push_back({entry_token{number_of(which)}, object});
    zombies_.push_back(which);
    note_traffic();
  }
}

void simulated_node::free_slot(slot which) {
  entries_[which].in_use = false;
  entries_[which].nested.clear();
  free_.push_back(which);
}

void simulated_node::fail(slot which, reference_failure reason) {
  auto& entry = entries_[which];
  if (entry.handles == 0 || entry.failed)
    return;
  entry.failed = true;
  if (auto living = borrowed_.find(entry.object);
      living != borrowed_.end() && living->second == which)
    borrowed_.erase(living);
  if (entry.sound && reason == reference_failure::object_deleted)
    world_.violation("a reference to " + to_text(entry.object) + " was told that it is deleted");
}

// -- properties -----------------------------------------------------------------------------------

session_id simulated_node::session_with(const incarnation_id& node) const {
  auto session = sessions_.find(node);
  return session == sessions_.end() ? session_id::none : session->second;
}

std::vector<object_id> simulated_node::held() const {
  std::vector<object_id> result;
  for (auto which : held_)
    result.push_back(entries_[which].object);
  return result;
}

unsigned simulated_node::depth_of(const object_id& object) const {
  return entries_[find_held(object)].depth;
}

std::size_t simulated_node::holds(const object_id& object) const {
  return static_cast<std::size_t>(
    std::ranges::count_if(held_, [&](slot which) { return entries_[which].object == object; }));
}

bool simulated_node::has_failed(const object_id& object) const {
  return std::ranges::any_of(
    held_, [&](slot which) { return entries_[which].object == object && entries_[which].failed; });
}

bool simulated_node::relies_on(const object_id& object) const {
  auto living = borrowed_.find(object);
  return living != borrowed_.end() && entries_[living->second].sound;
}

std::string simulated_node::leftovers() const {
  std::string result;
  for (const auto& entry : entries_)
    if (entry.in_use)
      result += " entry of " + to_text(entry.object) + " with " + std::to_string(entry.handles)
                + " handles;";
  if (!tables_.transits().empty())
    result += " transits: " + std::to_string(tables_.transits().stats().open) + ";";
  if (!tables_.exports().empty())
    result += " exports: " + std::to_string(tables_.exports().stats().objects) + ";";
  if (!tables_.borrows().empty())
    result += " borrows: " + std::to_string(tables_.borrows().stats().borrows) + ";";
  return result;
}

} // namespace mobula::test
