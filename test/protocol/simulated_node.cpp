#include "simulated_node.hpp"

#include <algorithm>
#include <utility>

#include "mobula/store/assertion.hpp"

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
  else if (auto foreign = foreign_.find(reference.object); !is_own && foreign != foreign_.end())
    std::tie(known, found) = std::pair{foreign->second, true};
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
    foreign_.emplace(reference.object, made);
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
  world_.send(self_, object.owner, want_value{session, object.sequence, reading_count_});
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
    if (auto living = foreign_.find(object); living != foreign_.end() && living->second == which)
      foreign_.erase(living);
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
  if (auto living = foreign_.find(entry.object);
      living != foreign_.end() && living->second == which)
    foreign_.erase(living);
  if (entry.sound && reason == reference_failure::object_deleted)
    world_.violation("a reference to " + to_text(entry.object) + " was told that it is deleted");
}

// -- the tables -----------------------------------------------------------------------------------

void simulated_node::note_traffic() {
  world_.want_turn(self_);
}

void simulated_node::turn() {
  auto traffic = std::exchange(traffic_, {});
  auto gone = std::exchange(zombies_, {});
  reference_effects effects;
  tables_.traffic(traffic, effects);
  carry_out(effects);
  for (auto which : gone)
    free_slot(which);
}

void simulated_node::carry_out(reference_effects& effects) {
  tables_.check_invariants();
  for (auto& effect : effects) {
    if (auto* send = std::get_if<send_to_peer>(&effect))
      world_.send(self_, send->to.node, std::move(send->message));
    else if (auto* dropped = std::get_if<drop_handles>(&effect))
      for (auto handle : dropped->handles)
        drop_handle(static_cast<slot>(static_cast<std::uint64_t>(handle) - 1));
    else if (auto* failed = std::get_if<fail_references>(&effect))
      for (auto token : failed->entries)
        fail(static_cast<slot>(static_cast<std::uint64_t>(token) - 1), failed->reason);
    else if (auto* grace = std::get_if<start_grace>(&effect))
      world_.start_timer(self_, *grace);
    else if (auto* lease = std::get_if<start_lease>(&effect))
      world_.start_timer(self_, *lease);
    else if (auto* owner = std::get_if<connect_to_owner>(&effect))
      world_.dial(self_, owner->owner);
  }
}

void simulated_node::handle(const incarnation_id& from, const wire_message& message) {
  if (const auto* sent = std::get_if<user_message>(&message))
    return deserialize(*sent, on_arrival::hold);
  turn();
  if (const auto* want = std::get_if<want_value>(&message))
    return answer_want(from, *want);
  if (const auto* value = std::get_if<value_told>(&message)) {
    if (session_with(from) == value->session)
      value_arrived(*value);
    return;
  }
  if (const auto* hello = std::get_if<session_hello>(&message))
    return begin_session({from, hello->session});
  const auto& about = std::get<reference_message>(message);
  if (const auto* borrow = std::get_if<borrow_references>(&about))
    return borrow_asked(from, *borrow);
  reference_effects effects;
  std::visit(
    [&]<class Message>(const Message& received) {
      if constexpr (!std::is_same_v<Message, borrow_references>)
        tables_.receive(from, received, effects);
    },
    about);
  carry_out(effects);
}

void simulated_node::borrow_asked(const incarnation_id& from, const borrow_references& message) {
  std::vector<kept_handle> found;
  for (const auto& reference : message.references) {
    auto own = own_.find(reference.sequence);
    found.push_back(own == own_.end() ? kept_handle::none : kept_handle{number_of(own->second)});
    if (own != own_.end())
      ++entries_[own->second].handles;
  }
  reference_effects effects;
  tables_.receive(from, message, found, effects);
  carry_out(effects);
}

void simulated_node::answer_want(const incarnation_id& from, const want_value& want) {
  if (session_with(from) != want.session)
    return;
  value_told answer{want.session, want.reading, want_outcome::no_object, {}};
  if (auto own = own_.find(want.sequence); own != own_.end()) {
    answer.outcome = want_outcome::found;
    for (auto inner : entries_[own->second].nested) {
      const auto& entry = entries_[inner];
      answer.inner.push_back({entry.object, {}, {}, entry.depth, entry.sound && !entry.failed});
    }
  }
  world_.send(self_, from, std::move(answer));
}

void simulated_node::value_arrived(const value_told& value) {
  auto pending = readings_.extract(value.reading);
  if (pending.empty())
    return;
  auto outer = pending.mapped().outer;
  if (value.outcome == want_outcome::no_object && entries_[outer].sound && !entries_[outer].failed)
    world_.violation("the owner has no value for " + to_text(entries_[outer].object));
  value_read read{kept_handle{number_of(outer)}, {}};
  std::vector<slot> arrived;
  for (const auto& inner : value.inner) {
    auto which = bind(inner);
    arrived.push_back(which);
    if (inner.object.owner != self_)
      read.inner.push_back({entry_token{number_of(which)}, inner.object});
  }
  traffic_.read.push_back(std::move(read));
  for (auto which : arrived)
    if (ending)
      drop_handle(which);
    else
      held_.push_back(which);
  note_traffic();
}

void simulated_node::begin_session(const peer_session& peer) {
  turn();
  forget_readings(peer.node);
  sessions_[peer.node] = peer.session;
  reference_effects effects;
  tables_.session_started(peer, effects);
  carry_out(effects);
}

void simulated_node::end_session(const peer_session& peer) {
  turn();
  if (session_with(peer.node) == peer.session) {
    sessions_.erase(peer.node);
    forget_readings(peer.node);
  }
  reference_effects effects;
  tables_.session_ended(peer, effects);
  carry_out(effects);
}

void simulated_node::forget_readings(const incarnation_id& owner) {
  for (auto it = readings_.begin(); it != readings_.end();) {
    auto outer = it->second.outer;
    if (entries_[outer].object.owner != owner) {
      ++it;
      continue;
    }
    it = readings_.erase(it);
    drop_handle(outer);
  }
}

void simulated_node::owner_unreachable(const incarnation_id& owner) {
  turn();
  reference_effects effects;
  tables_.owner_unreachable(owner, effects);
  carry_out(effects);
}

void simulated_node::grace_over(grace_number number) {
  turn();
  reference_effects effects;
  tables_.grace_over(number, effects);
  carry_out(effects);
}

void simulated_node::lease_passed(lease_mark mark) {
  turn();
  reference_effects effects;
  tables_.lease_passed(mark, effects);
  carry_out(effects);
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
  auto living = foreign_.find(object);
  return living != foreign_.end() && entries_[living->second].sound;
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
