// Which reader's chunk goes out next, and the table's figures.

#include <algorithm>

#include "mobula/store/transfer/push_table.hpp"

namespace mobula {

// -- look-ups -----------------------------------------------------------------------

push_table::connection& push_table::get_connection(reader_connection id) {
  auto position = connections_.find(id);
  MOBULA_ASSERT(position != connections_.end());
  return position->second;
}

push_table::asked_range& push_table::get_ask(const ask_key& key) {
  auto& asks = get_connection(key.first).asks;
  auto position = asks.find(key.second);
  MOBULA_ASSERT(position != asks.end());
  return position->second;
}

push_table::served& push_table::get_object(const object_id& id) {
  auto position = objects_.find(id);
  MOBULA_ASSERT(position != objects_.end());
  return position->second;
}

// -- turns --------------------------------------------------------------------------

/// Lines a connection up, if it has something to send and may.
void push_table::take_turn(reader_connection id, connection& from) {
  if (from.in_turns || from.closed || from.turns.empty()
      || from.sends >= config_.sends_per_connection)
    return;
  from.in_turns = true;
  turns_.push_back(id);
}

/// Every event that may let a chunk go ends here.
void push_table::dispatch(push_effects& effects) {
  while (!turns_.empty() && sends_.size() < config_.max_sends) {
    auto id = turns_.front();
    turns_.pop_front();
    auto& from = get_connection(id);
    from.in_turns = false;
    // Its asks may have ended since it lined up.
    if (from.turns.empty())
      continue;
    send_next(id, from, effects);
    take_turn(id, from);
  }
}

void push_table::send_next(reader_connection id, connection& from, push_effects& effects) {
  auto number = from.turns.front();
  from.turns.pop_front();
  auto& entry = from.asks.at(number);
  auto& object = get_object(entry.id);
  auto present = object.available.present_from(entry.next);
  auto bytes = std::min({present.size(), entry.end - entry.next, config_.chunk_bytes});
  MOBULA_ASSERT(entry.where == phase::ready && object.state == object_state::found && bytes > 0);
  entry.where = phase::sending;
  entry.send = send_number{++sends_numbered_};
  ++object.sends;
  ++from.sends;
  sends_.emplace(entry.send, send{{id, number}, entry.id, bytes});
  effects.push_back(
    send_chunk{entry.send, id, number, {entry.id, entry.next, bytes}, object.place});
}

// -- properties ---------------------------------------------------------------------

push_stats push_table::stats() const {
  auto result = counters_;
  result.connections = connections_.size();
  result.asks = asks_;
  result.objects = objects_.size();
  result.sends = sends_.size();
  for (const auto& [id, known] : connections_)
    for (const auto& [number, entry] : known.asks)
      if (entry.where == phase::waiting && objects_.at(entry.id).state == object_state::found)
        ++result.parked;
  return result;
}

void push_table::check_invariants() const {
  std::size_t asks = 0;
  std::size_t sends = 0;
  std::size_t lined_up = 0;
  for (const auto& [id, known] : connections_) {
    std::size_t ready = 0;
    for (const auto& [number, entry] : known.asks) {
      MOBULA_ASSERT(objects_.at(entry.id).asks.contains({id, number}));
      MOBULA_ASSERT(entry.next < entry.end);
      ready += entry.where == phase::ready ? 1 : 0;
    }
    MOBULA_ASSERT(ready == known.turns.size());
    MOBULA_ASSERT(known.sends <= config_.sends_per_connection);
    MOBULA_ASSERT(!known.closed || (known.asks.empty() && known.sends > 0));
    MOBULA_ASSERT(known.in_turns || ready == 0 || known.sends == config_.sends_per_connection);
    asks += known.asks.size();
    sends += known.sends;
    lined_up += known.in_turns ? 1 : 0;
  }
  MOBULA_ASSERT(asks == asks_ && sends == sends_.size() && lined_up == turns_.size());
  MOBULA_ASSERT(sends_.size() <= config_.max_sends);
  MOBULA_ASSERT(turns_.empty() || sends_.size() == config_.max_sends);
  std::size_t object_asks = 0;
  std::size_t object_sends = 0;
  for (const auto& [id, object] : objects_) {
    MOBULA_ASSERT(!object.asks.empty() || object.sends > 0
                  || object.state == object_state::finding);
    MOBULA_ASSERT(object.readers.size() <= config_.readers_per_object);
    object_asks += object.asks.size();
    object_sends += object.sends;
  }
  MOBULA_ASSERT(object_asks == asks_ && object_sends == sends_.size());
}

} // namespace mobula
