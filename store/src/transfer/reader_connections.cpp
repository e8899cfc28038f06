// Who asks this node for bytes, and which reader's chunk goes out next.

#include "mobula/store/transfer/reader_connections.hpp"

#include <algorithm>
#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- connections --------------------------------------------------------------------

void reader_connections::open(reader_connection id, const incarnation_id& node) {
  auto [position, fresh] = connections_.try_emplace(id);
  MOBULA_ASSERT(fresh);
  position->second.node = node;
}

void reader_connections::close(reader_connection id) {
  auto& over = get(id);
  MOBULA_ASSERT(over.asks.empty());
  over.closed = true;
  if (std::exchange(over.in_turns, false))
    turns_.remove(id);
  if (over.sends == 0)
    connections_.erase(id);
}

reader_connections::connection* reader_connections::find(reader_connection id) {
  auto position = connections_.find(id);
  return position == connections_.end() ? nullptr : &position->second;
}

reader_connections::connection& reader_connections::get(reader_connection id) {
  auto* known = find(id);
  MOBULA_ASSERT(known != nullptr);
  return *known;
}

std::vector<reader_connection> reader_connections::of(const incarnation_id& node) const {
  std::vector<reader_connection> result;
  for (const auto& [id, known] : connections_)
    if (known.node == node)
      result.push_back(id);
  std::ranges::sort(result);
  return result;
}

// -- asks ---------------------------------------------------------------------------

void reader_connections::add(const ask_key& key, const object_range& range) {
  get(key.first).asks[key.second] = {
    .id = range.id, .next = range.offset_bytes, .end = range.offset_bytes + range.length_bytes};
  ++asks_;
}

reader_connections::ask& reader_connections::get_ask(const ask_key& key) {
  auto& asks = get(key.first).asks;
  auto position = asks.find(key.second);
  MOBULA_ASSERT(position != asks.end());
  return position->second;
}

reader_connections::ask reader_connections::remove(const ask_key& key) {
  auto& from = get(key.first);
  auto ended = get_ask(key);
  if (ended.where == phase::ready)
    from.turns.remove(key.second);
  from.asks.erase(key.second);
  --asks_;
  return ended;
}

void reader_connections::line_up(const ask_key& key) {
  auto& entry = get_ask(key);
  if (entry.where != phase::waiting)
    return;
  entry.where = phase::ready;
  auto& from = get(key.first);
  from.turns.push_back(key.second);
  queue(key.first, from);
}

void reader_connections::hold(const ask_key& key) {
  auto& entry = get_ask(key);
  if (entry.where != phase::ready)
    return;
  entry.where = phase::waiting;
  get(key.first).turns.remove(key.second);
}

// -- chunks -------------------------------------------------------------------------

/// Lines a connection up, if it has something to send and may.
void reader_connections::queue(reader_connection id, connection& from) {
  if (from.in_turns || from.closed || from.turns.empty()
      || from.sends >= config_.sends_per_connection)
    return;
  from.in_turns = true;
  turns_.push_back(id);
}

std::optional<ask_key> reader_connections::take_turn() {
  while (!turns_.empty() && sends_.size() < config_.max_sends) {
    auto id = turns_.front();
    turns_.pop_front();
    auto& from = get(id);
    from.in_turns = false;
    // Its asks may have ended since it lined up.
    if (from.turns.empty())
      continue;
    auto number = from.turns.front();
    from.turns.pop_front();
    return ask_key{id, number};
  }
  return std::nullopt;
}

send_number reader_connections::begin_send(const ask_key& key, std::uint64_t bytes) {
  auto& from = get(key.first);
  auto& entry = from.asks.at(key.second);
  MOBULA_ASSERT(entry.where == phase::ready);
  entry.where = phase::sending;
  entry.send = send_number{++sends_numbered_};
  ++from.sends;
  sends_.emplace(entry.send, send{key, entry.id, bytes});
  queue(key.first, from);
  return entry.send;
}

reader_connections::send reader_connections::end_send(send_number number) {
  auto position = sends_.find(number);
  MOBULA_ASSERT(position != sends_.end());
  auto ended = position->second;
  sends_.erase(position);
  auto id = ended.key.first;
  auto& from = get(id);
  --from.sends;
  if (from.closed && from.sends == 0)
    connections_.erase(id);
  else
    queue(id, from);
  return ended;
}

reader_connections::ask* reader_connections::find_sending(const send& ended, send_number number) {
  auto* from = find(ended.key.first);
  if (from == nullptr)
    return nullptr;
  auto position = from->asks.find(ended.key.second);
  if (position == from->asks.end() || position->second.where != phase::sending
      || position->second.send != number)
    return nullptr;
  return &position->second;
}

// -- properties ---------------------------------------------------------------------

void reader_connections::check_invariants() const {
  std::size_t asks = 0;
  std::size_t sends = 0;
  std::size_t lined_up = 0;
  for (const auto& [id, known] : connections_) {
    std::size_t ready = 0;
    for (const auto& [number, entry] : known.asks) {
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
}

} // namespace mobula
