// Serves other nodes' asks for bytes: looks each object up once for all who ask, and ends each ask
// with its last byte or a refusal. Which reader's chunk goes out next is decided in
// push_dispatch.cpp.

#include "mobula/store/transfer/push_table.hpp"

#include <algorithm>

namespace mobula {

push_table::push_table(const push_config& config) : config_(config) {
  MOBULA_ASSERT(config.chunk_bytes > 0 && config.chunk_bytes <= frame_limits::chunk_bytes);
  MOBULA_ASSERT(config.sends_per_connection > 0 && config.max_sends > 0);
  MOBULA_ASSERT(config.readers_per_object > 0 && config.max_read_attempts > 0);
}

// -- connections --------------------------------------------------------------------

void push_table::connected(reader_connection id, const incarnation_id& node) {
  auto fresh = connections_.try_emplace(id).second;
  MOBULA_ASSERT(fresh);
  get_connection(id).node = node;
}

void push_table::disconnected(reader_connection id, push_effects& effects) {
  drop_connection(id, effects);
  dispatch(effects);
}

void push_table::node_lost(const incarnation_id& node, push_effects& effects) {
  std::vector<reader_connection> lost;
  for (const auto& [id, known] : connections_)
    if (known.node == node)
      lost.push_back(id);
  std::ranges::sort(lost); // A replay must see the same order.
  for (auto id : lost)
    drop_connection(id, effects);
  dispatch(effects);
}

void push_table::drop_connection(reader_connection id, push_effects& effects) {
  auto position = connections_.find(id);
  if (position == connections_.end())
    return;
  auto& dropped = position->second;
  while (!dropped.asks.empty())
    end_ask({id, dropped.asks.begin()->first}, effects);
  dropped.closed = true;
  if (std::exchange(dropped.in_turns, false))
    turns_.remove(id);
  if (dropped.sends == 0)
    connections_.erase(position);
}

// -- asks ---------------------------------------------------------------------------

void push_table::asked(reader_connection id, ask_number number, const object_range& range,
                       push_effects& effects) {
  auto position = connections_.find(id);
  if (position == connections_.end() || position->second.closed
      || position->second.asks.contains(number))
    return;
  auto& from = position->second;
  if (auto reason = objection(from, range)) {
    ++counters_.refusals;
    effects.push_back(send_refusal{id, number, *reason});
    return;
  }
  auto [object, fresh] = objects_.try_emplace(range.id);
  if (fresh)
    effects.push_back(find_served{range.id});
  object->second.asks.insert({id, number});
  ++object->second.readers[from.node];
  from.asks[number] = {
    .id = range.id, .next = range.offset_bytes, .end = range.offset_bytes + range.length_bytes};
  ++asks_;
  settle({id, number});
  dispatch(effects);
}

/// Returns why an ask is not even noted.
std::optional<refusal_reason> push_table::objection(const connection& from,
                                                    const object_range& range) const {
  if (shutting_down_)
    return refusal_reason::shutting_down;
  if (from.asks.size() >= config_.asks_per_connection || asks_ >= config_.max_asks)
    return refusal_reason::busy;
  auto position = objects_.find(range.id);
  if (position == objects_.end())
    return std::nullopt;
  const auto& object = position->second;
  if (object.state == object_state::gone)
    return refusal_reason::not_here;
  if (object.readers.size() >= config_.readers_per_object && !object.readers.contains(from.node))
    return refusal_reason::busy;
  if (object.state == object_state::found
      && range.offset_bytes + range.length_bytes > object.size_bytes)
    return refusal_reason::out_of_range;
  return std::nullopt;
}

void push_table::canceled(reader_connection id, ask_number number, push_effects& effects) {
  auto position = connections_.find(id);
  if (position == connections_.end() || !position->second.asks.contains(number))
    return;
  end_ask({id, number}, effects);
  dispatch(effects);
}

/// Puts an ask without a chunk under way where it belongs.
void push_table::settle(const ask_key& key) {
  auto& from = get_connection(key.first);
  auto& entry = get_ask(key);
  const auto& object = get_object(entry.id);
  auto can_send =
    object.state == object_state::found && object.available.present_from(entry.next).size() > 0;
  if (entry.where == phase::waiting && can_send) {
    entry.where = phase::ready;
    from.turns.push_back(key.second);
    take_turn(key.first, from);
  } else if (entry.where == phase::ready && !can_send) {
    entry.where = phase::waiting;
    from.turns.remove(key.second);
  }
}

void push_table::settle_all(const object_id& id) {
  for (const auto& key : get_object(id).asks)
    settle(key);
}

/// Forgets an ask. A chunk of it under way ends on its own.
void push_table::end_ask(const ask_key& key, push_effects& effects) {
  auto& from = get_connection(key.first);
  auto ended = get_ask(key);
  if (ended.where == phase::ready)
    from.turns.remove(key.second);
  from.asks.erase(key.second);
  --asks_;
  auto& object = get_object(ended.id);
  object.asks.erase(key);
  auto reader = object.readers.find(from.node);
  if (--reader->second == 0)
    object.readers.erase(reader);
  tidy_object(ended.id, effects);
}

void push_table::refuse(const ask_key& key, refusal_reason reason, push_effects& effects) {
  ++counters_.refusals;
  effects.push_back(send_refusal{key.first, key.second, reason});
  end_ask(key, effects);
}

void push_table::refuse_all(const object_id& id, refusal_reason reason, push_effects& effects) {
  auto keys = get_object(id).asks;
  for (const auto& key : keys)
    refuse(key, reason, effects);
}

// -- answers about objects ----------------------------------------------------------

void push_table::found(const object_id& id, std::uint64_t size_bytes, const served_place& place,
                       const byte_ranges& available, push_effects& effects) {
  auto& object = get_object(id);
  MOBULA_ASSERT(object.state == object_state::finding);
  object.state = object.lost_meanwhile ? object_state::gone : object_state::found;
  object.size_bytes = size_bytes;
  object.place = place;
  object.available.add(available);
  auto keys = object.asks;
  for (const auto& key : keys) {
    if (object.state == object_state::gone)
      refuse(key, refusal_reason::not_here, effects);
    else if (get_ask(key).end > size_bytes)
      refuse(key, refusal_reason::out_of_range, effects);
    else
      settle(key);
  }
  // Without any ask left it may be gone by now, and with none to begin with it must go.
  if (keys.empty())
    tidy_object(id, effects);
  dispatch(effects);
}

void push_table::not_found(const object_id& id, push_effects& effects) {
  auto& object = get_object(id);
  MOBULA_ASSERT(object.state == object_state::finding && object.sends == 0);
  refuse_all(id, refusal_reason::not_here, effects);
  objects_.erase(id);
  dispatch(effects);
}

void push_table::bytes_arrived(const object_id& id, byte_range range, push_effects& effects) {
  auto position = objects_.find(id);
  if (position == objects_.end() || position->second.state == object_state::gone)
    return;
  position->second.available.add(range);
  settle_all(id);
  dispatch(effects);
}

void push_table::object_gone(const object_id& id, push_effects& effects) {
  auto position = objects_.find(id);
  if (position == objects_.end() || position->second.state == object_state::gone)
    return;
  auto& object = position->second;
  if (object.state == object_state::finding) {
    object.lost_meanwhile = true;
    return;
  }
  object.state = object_state::gone;
  if (object.asks.empty())
    tidy_object(id, effects);
  else
    refuse_all(id, refusal_reason::not_here, effects);
  dispatch(effects);
}

void push_table::shut_down(push_effects& effects) {
  shutting_down_ = true;
  std::vector<object_id> ids;
  for (const auto& [id, object] : objects_)
    ids.push_back(id);
  std::ranges::sort(ids); // A replay must see the same order.
  for (const auto& id : ids)
    refuse_all(id, refusal_reason::shutting_down, effects);
}

/// Looks for an object again, or lets it go, once nothing of it is on its way out.
void push_table::tidy_object(const object_id& id, push_effects& effects) {
  auto& object = get_object(id);
  if (object.sends > 0 || object.state == object_state::finding)
    return;
  if (object.asks.empty()) {
    effects.push_back(release_served{id});
    objects_.erase(id);
  } else if (object.state == object_state::stale) {
    effects.push_back(release_served{id});
    effects.push_back(find_served{id});
    object.state = object_state::finding;
    object.available = {};
  }
}

// -- answers from the network -------------------------------------------------------

void push_table::sent(send_number number, push_effects& effects) {
  auto ended = take_send(number);
  ++counters_.sent_chunks;
  counters_.sent_bytes += ended.bytes;
  if (auto* entry = find_sending(ended, number)) {
    entry->where = phase::waiting;
    entry->next += ended.bytes;
    if (entry->next == entry->end)
      end_ask(ended.key, effects);
    else
      settle(ended.key);
  }
  if (objects_.contains(ended.id))
    tidy_object(ended.id, effects);
  dispatch(effects);
}

void push_table::send_failed(send_number number, send_failure failure, push_effects& effects) {
  auto ended = take_send(number);
  ++counters_.failed_sends;
  if (auto* entry = find_sending(ended, number)) {
    entry->where = phase::waiting;
    if (failure == send_failure::connection_lost)
      drop_connection(ended.key.first, effects);
    else
      retry_read(ended.key, effects);
  }
  if (objects_.contains(ended.id))
    tidy_object(ended.id, effects);
  dispatch(effects);
}

void push_table::retry_read(const ask_key& key, push_effects& effects) {
  auto& entry = get_ask(key);
  if (++entry.read_attempts >= config_.max_read_attempts)
    return refuse(key, refusal_reason::unreadable, effects);
  auto& object = get_object(entry.id);
  if (object.state != object_state::found)
    return;
  object.state = object_state::stale;
  settle_all(entry.id);
}

/// Returns the ask that a chunk belongs to, unless it has ended.
push_table::asked_range* push_table::find_sending(const send& ended, send_number number) {
  auto from = connections_.find(ended.key.first);
  if (from == connections_.end())
    return nullptr;
  auto position = from->second.asks.find(ended.key.second);
  if (position == from->second.asks.end() || position->second.where != phase::sending
      || position->second.send != number)
    return nullptr;
  return &position->second;
}

push_table::send push_table::take_send(send_number number) {
  auto position = sends_.find(number);
  MOBULA_ASSERT(position != sends_.end());
  auto ended = position->second;
  sends_.erase(position);
  --get_object(ended.id).sends;
  auto id = ended.key.first;
  auto& from = get_connection(id);
  --from.sends;
  if (from.closed && from.sends == 0)
    connections_.erase(id);
  else
    take_turn(id, from);
  return ended;
}

} // namespace mobula
