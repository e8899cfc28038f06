// Serves other nodes' asks for bytes: looks each object up once for all who ask, and ends each ask
// with its last byte or a refusal. Which reader's chunk goes out next is decided in
// reader_connections.cpp.

#include "mobula/store/transfer/push_table.hpp"

#include <algorithm>

namespace mobula {

push_table::push_table(const push_config& config)
  : config_(config), readers_(config_), objects_(config.readers_per_object) {
  MOBULA_ASSERT(config.chunk_bytes > 0 && config.chunk_bytes <= frame_limits::chunk_bytes);
  MOBULA_ASSERT(config.sends_per_connection > 0 && config.max_sends > 0);
  MOBULA_ASSERT(config.readers_per_object > 0 && config.max_read_attempts > 0);
}

// -- connections --------------------------------------------------------------------

void push_table::connected(reader_connection id, const incarnation_id& node) {
  readers_.open(id, node);
}

void push_table::disconnected(reader_connection id, push_effects& effects) {
  drop_connection(id, effects);
  dispatch(effects);
}

void push_table::node_lost(const incarnation_id& node, push_effects& effects) {
  for (auto id : readers_.of(node))
    drop_connection(id, effects);
  dispatch(effects);
}

void push_table::drop_connection(reader_connection id, push_effects& effects) {
  auto* dropped = readers_.find(id);
  if (dropped == nullptr)
    return;
  while (!dropped->asks.empty())
    end_ask({id, dropped->asks.begin()->first}, effects);
  readers_.close(id);
}

// -- asks ---------------------------------------------------------------------------

void push_table::asked(reader_connection id, ask_number number, const object_range& range,
                       push_effects& effects) {
  const auto* from = readers_.find(id);
  if (from == nullptr || from->closed || from->asks.contains(number))
    return;
  if (auto reason = objection(*from, range)) {
    ++counters_.refusals;
    effects.push_back(send_refusal{id, number, *reason});
    return;
  }
  objects_.add(range.id, {id, number}, from->node, effects);
  readers_.add({id, number}, range);
  settle({id, number});
  dispatch(effects);
}

/// Returns why an ask is not even noted.
std::optional<refusal_reason> push_table::objection(const reader_connections::connection& from,
                                                    const object_range& range) const {
  if (shutting_down_)
    return refusal_reason::shutting_down;
  if (from.asks.size() >= config_.asks_per_connection || readers_.asks() >= config_.max_asks)
    return refusal_reason::busy;
  return objects_.objection(from.node, range);
}

void push_table::canceled(reader_connection id, ask_number number, push_effects& effects) {
  const auto* from = readers_.find(id);
  if (from == nullptr || !from->asks.contains(number))
    return;
  end_ask({id, number}, effects);
  dispatch(effects);
}

/// Puts an ask without a chunk under way where it belongs.
void push_table::settle(const ask_key& key) {
  const auto& entry = readers_.get_ask(key);
  if (objects_.get(entry.id).can_serve(entry.next))
    readers_.line_up(key);
  else
    readers_.hold(key);
}

void push_table::settle_all(const object_id& id) {
  for (const auto& key : objects_.get(id).asks)
    settle(key);
}

/// Forgets an ask. A chunk of it under way ends on its own.
void push_table::end_ask(const ask_key& key, push_effects& effects) {
  auto ended = readers_.remove(key);
  objects_.remove(ended.id, key, readers_.get(key.first).node, effects);
}

void push_table::refuse(const ask_key& key, refusal_reason reason, push_effects& effects) {
  ++counters_.refusals;
  effects.push_back(send_refusal{key.first, key.second, reason});
  end_ask(key, effects);
}

void push_table::refuse_all(const object_id& id, refusal_reason reason, push_effects& effects) {
  auto keys = objects_.get(id).asks;
  for (const auto& key : keys)
    refuse(key, reason, effects);
}

// -- answers about objects ----------------------------------------------------------

void push_table::found(const object_id& id, std::uint64_t size_bytes, const served_place& place,
                       const byte_ranges& available, push_effects& effects) {
  auto& object = objects_.get(id);
  MOBULA_ASSERT(object.state == served_state::finding);
  object.state = object.lost_meanwhile ? served_state::gone : served_state::found;
  object.size_bytes = size_bytes;
  object.place = place;
  object.available.add(available);
  auto keys = object.asks;
  for (const auto& key : keys) {
    if (object.state == served_state::gone)
      refuse(key, refusal_reason::not_here, effects);
    else if (readers_.get_ask(key).end > size_bytes)
      refuse(key, refusal_reason::out_of_range, effects);
    else
      settle(key);
  }
  // Without any ask left it may be gone by now, and with none to begin with it must go.
  if (keys.empty())
    objects_.tidy(id, effects);
  dispatch(effects);
}

void push_table::not_found(const object_id& id, push_effects& effects) {
  auto& object = objects_.get(id);
  MOBULA_ASSERT(object.state == served_state::finding && object.sends == 0);
  refuse_all(id, refusal_reason::not_here, effects);
  objects_.erase(id);
  dispatch(effects);
}

void push_table::bytes_arrived(const object_id& id, byte_range range, push_effects& effects) {
  auto* object = objects_.find(id);
  if (object == nullptr || object->state == served_state::gone)
    return;
  object->available.add(range);
  settle_all(id);
  dispatch(effects);
}

void push_table::object_gone(const object_id& id, push_effects& effects) {
  auto* object = objects_.find(id);
  if (object == nullptr || object->state == served_state::gone)
    return;
  if (object->state == served_state::finding) {
    object->lost_meanwhile = true;
    return;
  }
  object->state = served_state::gone;
  if (object->asks.empty())
    objects_.tidy(id, effects);
  else
    refuse_all(id, refusal_reason::not_here, effects);
  dispatch(effects);
}

void push_table::shut_down(push_effects& effects) {
  shutting_down_ = true;
  for (const auto& id : objects_.sorted())
    refuse_all(id, refusal_reason::shutting_down, effects);
}

// -- answers from the network -------------------------------------------------------

void push_table::sent(send_number number, push_effects& effects) {
  auto ended = end_send(number);
  ++counters_.sent_chunks;
  counters_.sent_bytes += ended.bytes;
  if (auto* entry = readers_.find_sending(ended, number)) {
    entry->where = reader_connections::phase::waiting;
    entry->next += ended.bytes;
    if (entry->next == entry->end)
      end_ask(ended.key, effects);
    else
      settle(ended.key);
  }
  finish_send(ended.id, effects);
}

void push_table::send_failed(send_number number, send_failure failure, push_effects& effects) {
  auto ended = end_send(number);
  ++counters_.failed_sends;
  if (auto* entry = readers_.find_sending(ended, number)) {
    entry->where = reader_connections::phase::waiting;
    if (failure == send_failure::connection_lost)
      drop_connection(ended.key.first, effects);
    else
      retry_read(ended.key, effects);
  }
  finish_send(ended.id, effects);
}

reader_connections::send push_table::end_send(send_number number) {
  auto ended = readers_.end_send(number);
  --objects_.get(ended.id).sends;
  return ended;
}

/// Its last send may have been all that kept the object.
void push_table::finish_send(const object_id& id, push_effects& effects) {
  if (objects_.find(id) != nullptr)
    objects_.tidy(id, effects);
  dispatch(effects);
}

void push_table::retry_read(const ask_key& key, push_effects& effects) {
  auto& entry = readers_.get_ask(key);
  if (++entry.read_attempts >= config_.max_read_attempts)
    return refuse(key, refusal_reason::unreadable, effects);
  auto& object = objects_.get(entry.id);
  if (object.state != served_state::found)
    return;
  object.state = served_state::stale;
  settle_all(entry.id);
}

// -- sending ------------------------------------------------------------------------

/// Every event that may let a chunk go ends here.
void push_table::dispatch(push_effects& effects) {
  while (auto key = readers_.take_turn())
    send_next(*key, effects);
}

void push_table::send_next(const ask_key& key, push_effects& effects) {
  const auto& entry = readers_.get_ask(key);
  auto& object = objects_.get(entry.id);
  auto present = object.available.present_from(entry.next);
  auto bytes = std::min({present.size(), entry.end - entry.next, config_.chunk_bytes});
  MOBULA_ASSERT(object.state == served_state::found && bytes > 0);
  auto send = readers_.begin_send(key, bytes);
  ++object.sends;
  effects.push_back(
    send_chunk{send, key.first, key.second, {entry.id, entry.next, bytes}, object.place});
}

// -- properties ---------------------------------------------------------------------

push_stats push_table::stats() const {
  auto result = counters_;
  result.connections = readers_.all().size();
  result.asks = readers_.asks();
  result.objects = objects_.size();
  result.sends = readers_.sends();
  for (const auto& [id, known] : readers_.all())
    for (const auto& [number, entry] : known.asks)
      if (entry.where == reader_connections::phase::waiting
          && objects_.at(entry.id).state == served_state::found)
        ++result.parked;
  return result;
}

void push_table::check_invariants() const {
  readers_.check_invariants();
  objects_.check_invariants(readers_.asks(), readers_.sends());
  for (const auto& [id, known] : readers_.all())
    for (const auto& [number, entry] : known.asks)
      MOBULA_ASSERT(objects_.at(entry.id).asks.contains({id, number}));
}

} // namespace mobula
