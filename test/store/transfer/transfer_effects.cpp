// What becomes of the effects of both tables of each node: a store that evicts to make space, and
// frames that go up to a server and down to a reader.

#include <algorithm>

#include <doctest/doctest.h>

#include "transfer_cluster.hpp"

namespace mobula::test {

// -- the store ------------------------------------------------------------------

std::uint64_t transfer_cluster::used(const node& who) {
  std::uint64_t result = 0;
  for (const auto* part : {&who.buffers, &who.copies})
    for (const auto& [number, bytes] : *part)
      result += bytes->size();
  return result;
}

void transfer_cluster::answer_reservation(std::size_t where, std::uint64_t number) {
  auto& who = *all[where];
  auto wish = who.reservations.at(number);
  who.reservations.erase(number);
  while (wish.priority == reserve_priority::must && used(who) + wish.size_bytes > who.capacity
         && evict_any(where)) {
  }
  if (used(who) + wish.size_bytes > who.capacity)
    return pull_event(where, [&](auto& out) { who.pull.buffer_refused(wish.id, out); });
  who.buffers[number] = std::make_shared<object_bytes>(wish.size_bytes);
  pull_event(where, [&](auto& out) { who.pull.buffer_granted(wish.id, out); });
}

bool transfer_cluster::evict_any(std::size_t where) {
  for (const auto& [number, bytes] : all[where]->copies)
    if (objects.at(number).owner != where) {
      evict(where, number);
      return true;
    }
  return false;
}

void transfer_cluster::carry_out(std::size_t where, const reserve_buffer& wish) {
  all[where]->reservations.emplace(wish.id.sequence, wish);
}

void transfer_cluster::carry_out(std::size_t, const withdraw_buffer&) {
}

void transfer_cluster::carry_out(std::size_t where, const return_buffer& end) {
  for (const auto& [number, state] : all[where]->asks)
    REQUIRE(state.ask.range.id != end.id);
  REQUIRE(all[where]->buffers.erase(end.id.sequence) == 1);
}

// -- the reader's side ----------------------------------------------------------

void transfer_cluster::carry_out(std::size_t where, const ask_bytes& ask) {
  all[where]->asks[ask.ask] = {ask, 0};
  auto server = static_cast<std::size_t>(ask.node.low - 1);
  if (!all[server]->alive)
    return end_lost(where, ask.ask);
  auto same = [&](const link& known) {
    return known.reader == where && known.server == server && known.lane == ask.lane;
  };
  auto position = std::ranges::find_if(links, same);
  if (position == links.end()) {
    links.push_back({where, server, ask.lane, reader_connection{++connections}, {}, {}});
    position = std::prev(links.end());
    all[server]->push.connected(position->id, all[where]->self);
  }
  position->up.push_back({ask.ask, ask.range});
}

void transfer_cluster::carry_out(std::size_t where, const cancel_ask& cancel) {
  auto& ask = all[where]->asks.at(cancel.ask).ask;
  for (auto& known : links)
    if (known.reader == where && all[known.server]->self == ask.node && known.lane == ask.lane)
      known.up.push_back({cancel.ask, std::nullopt});
  end_lost(where, cancel.ask);
}

void transfer_cluster::end_lost(std::size_t where, ask_number number) {
  later(where, [this, where, number] {
    if (all[where]->asks.erase(number) == 1)
      pull_event(where, [&](auto& out) { all[where]->pull.ask_lost(number, out); });
  });
}

void transfer_cluster::move_down(std::size_t index) {
  auto frame = std::move(links[index].down.front());
  links[index].down.pop_front();
  auto where = links[index].reader;
  auto& who = *all[where];
  auto position = who.asks.find(frame.ask);
  if (position == who.asks.end())
    return;
  if (auto* reason = std::get_if<refusal_reason>(&frame.content)) {
    who.asks.erase(position);
    return pull_event(where, [&](auto& out) { who.pull.ask_refused(frame.ask, *reason, out); });
  }
  receive(where, position->second, std::get<chunk>(frame.content));
}

void transfer_cluster::receive(std::size_t where, ask_state& state, const chunk& arrived) {
  auto& who = *all[where];
  auto number = state.ask.ask;
  auto whole = state.ask.range;
  auto& buffer = *who.buffers.at(whole.id.sequence);
  REQUIRE(arrived.range.offset_bytes == whole.offset_bytes + state.arrived);
  std::ranges::copy(arrived.bytes,
                    buffer.begin() + static_cast<std::ptrdiff_t>(arrived.range.offset_bytes));
  state.arrived += arrived.bytes.size();
  auto done = state.arrived == whole.length_bytes;
  pull_event(where, [&](auto& out) { who.pull.bytes_arrived(number, arrived.bytes.size(), out); });
  auto begin = arrived.range.offset_bytes;
  push_event(where, [&](auto& out) {
    who.push.bytes_arrived(whole.id, {begin, begin + arrived.bytes.size()}, out);
  });
  if (!done)
    return;
  who.asks.erase(number);
  pull_event(where, [&](auto& out) { who.pull.ask_finished(number, out); });
}

void transfer_cluster::carry_out(std::size_t where, const start_pull_timer& wish) {
  timers.push_back({where, now + wish.delay_ms, wish.timer});
}

void transfer_cluster::carry_out(std::size_t where, const close_lane& lane) {
  auto same = [&](const link& known) {
    return known.reader == where && all[known.server]->self == lane.node && known.lane == lane.lane;
  };
  if (auto position = std::ranges::find_if(links, same); position != links.end())
    later(where, [this, id = position->id] {
      auto closed = std::ranges::find(links, id, &link::id);
      if (closed != links.end())
        cut(static_cast<std::size_t>(closed - links.begin()));
    });
}

void transfer_cluster::carry_out(std::size_t where, const stop_pull_timer& wish) {
  auto stopped = std::erase_if(
    timers, [&](const auto& set) { return set.node == where && set.timer == wish.timer; });
  REQUIRE(stopped == 1);
}

void transfer_cluster::carry_out(std::size_t where, const report_pull_began& report) {
  add_place(report.id.sequence, where);
}

void transfer_cluster::carry_out(std::size_t where, const report_pull_stopped& report) {
  push_event(where, [&](auto& out) { all[where]->push.object_gone(report.id, out); });
  remove_place(report.id.sequence, where);
}

void transfer_cluster::carry_out(std::size_t where, const report_arrived& report) {
  auto& who = *all[where];
  auto number = report.id.sequence;
  REQUIRE(*who.buffers.at(number) == objects.at(number).bytes);
  who.copies[number] = who.buffers.at(number);
  who.buffers.erase(number);
  REQUIRE(who.requested.erase(number) == 1);
  tell_all(number);
}

void transfer_cluster::carry_out(std::size_t where, const report_pull_failed& report) {
  REQUIRE(all[where]->requested.erase(report.id.sequence) == 1);
  ++all[where]->failures[report.error];
}

// -- the server's side ----------------------------------------------------------

void transfer_cluster::move_up(std::size_t index) {
  auto frame = links[index].up.front();
  links[index].up.pop_front();
  auto server = links[index].server;
  auto id = links[index].id;
  push_event(server, [&](auto& out) {
    if (frame.range)
      all[server]->push.asked(id, frame.ask, *frame.range, out);
    else
      all[server]->push.canceled(id, frame.ask, out);
  });
}

void transfer_cluster::carry_out(std::size_t where, const find_served& find) {
  later(where, [this, where, id = find.id] {
    auto& who = *all[where];
    auto copy = who.copies.find(id.sequence);
    if (copy != who.copies.end()) {
      who.kept[id.sequence] = copy->second;
      auto size = copy->second->size();
      return push_event(where, [&](auto& out) {
        who.push.found(id, size, served_from_memory{}, byte_ranges{size}, out);
      });
    }
    const auto* received = who.pull.received(id);
    if (received == nullptr)
      return push_event(where, [&](auto& out) { who.push.not_found(id, out); });
    auto buffer = who.buffers.at(id.sequence);
    who.kept[id.sequence] = buffer;
    push_event(where, [&](auto& out) {
      who.push.found(id, buffer->size(), served_from_memory{}, *received, out);
    });
  });
}

void transfer_cluster::carry_out(std::size_t where, const release_served& release) {
  REQUIRE(all[where]->kept.erase(release.id.sequence) == 1);
}

void transfer_cluster::carry_out(std::size_t where, const send_chunk& send) {
  auto& who = *all[where];
  auto begin = who.kept.at(send.range.id.sequence)->begin()
               + static_cast<std::ptrdiff_t>(send.range.offset_bytes);
  object_bytes bytes(begin, begin + static_cast<std::ptrdiff_t>(send.range.length_bytes));
  who.sent_bytes += bytes.size();
  for (auto& known : links)
    if (known.id == send.connection)
      known.down.push_back({send.ask, chunk{send.range, std::move(bytes)}});
  later(where, [this, where, number = send.send] {
    push_event(where, [&](auto& out) { all[where]->push.sent(number, out); });
  });
}

void transfer_cluster::carry_out(std::size_t, const send_refusal& refusal) {
  for (auto& known : links)
    if (known.id == refusal.connection)
      known.down.push_back({refusal.ask, refusal.reason});
}

} // namespace mobula::test
