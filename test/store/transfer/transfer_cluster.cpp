// Several nodes that pull from each other: what each step of their pull and push tables leads to,
// with stores and connections that are only imagined.

#include "transfer_cluster.hpp"

#include <algorithm>

#include <doctest/doctest.h>

namespace mobula::test {

// -- objects --------------------------------------------------------------------

void transfer_cluster::create(std::uint64_t number, std::size_t owner, std::size_t size) {
  auto& object = objects[number];
  object.owner = owner;
  for (std::size_t i = 0; i < size; ++i)
    object.bytes.push_back(static_cast<std::uint8_t>(random()));
  all[owner]->copies[number] = std::make_shared<object_bytes>(object.bytes);
  object.places.push_back({owner, ++orders});
}

void transfer_cluster::request(std::size_t reader, std::uint64_t number, pull_priority priority) {
  auto& who = *all[reader];
  if (!who.alive || who.copies.contains(number) || who.requested.contains(number))
    return;
  auto token = pull_token{++tokens};
  who.requested[number] = token;
  pull_event(reader, [&](auto& out) { who.pull.pull(token, id_of(number), priority, out); });
  tell(reader, number);
}

void transfer_cluster::cancel(std::size_t reader, std::uint64_t number) {
  auto& who = *all[reader];
  auto position = who.requested.find(number);
  if (position == who.requested.end())
    return;
  auto token = position->second;
  who.requested.erase(position);
  pull_event(reader, [&](auto& out) { who.pull.cancel(token, out); });
}

void transfer_cluster::evict(std::size_t where, std::uint64_t number) {
  auto& who = *all[where];
  if (objects.at(number).owner == where || who.copies.erase(number) == 0)
    return;
  push_event(where, [&](auto& out) { who.push.object_gone(id_of(number), out); });
  remove_place(number, where);
}

void transfer_cluster::squeeze(std::size_t where, std::uint64_t bytes) {
  pull_event(where, [&](auto& out) { all[where]->pull.memory_tight(bytes, out); });
}

// -- the directory, which the owner keeps ---------------------------------------

void transfer_cluster::tell(std::size_t reader, std::uint64_t number) {
  const auto& object = objects.at(number);
  if (!all[object.owner]->alive)
    return later(reader, [this, reader, number] { fail(reader, number, error_type::owner_died); });
  location_news news{
    .owner = id_of(number).owner, .sequence = ++sequences, .size_bytes = object.bytes.size()};
  auto own = std::ranges::find_if(object.places, [&](auto& p) { return p.node == reader; });
  for (const auto& known : object.places) {
    auto whole = all[known.node]->copies.contains(number);
    auto earlier = own == object.places.end() || known.order < own->order;
    if (known.node != reader && (whole || earlier))
      news.copies.push_back({all[known.node]->self, copy_distance::other_host});
  }
  std::ranges::shuffle(news.copies, random);
  all[reader]->news.emplace_back(number, news);
}

void transfer_cluster::tell_all(std::uint64_t number) {
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i]->alive && all[i]->requested.contains(number))
      tell(i, number);
}

void transfer_cluster::add_place(std::uint64_t number, std::size_t where) {
  objects.at(number).places.push_back({where, ++orders});
  tell_all(number);
}

void transfer_cluster::remove_place(std::uint64_t number, std::size_t where) {
  std::erase_if(objects.at(number).places, [&](auto& known) { return known.node == where; });
  tell_all(number);
}

void transfer_cluster::fail(std::size_t reader, std::uint64_t number, error_type error) {
  pull_event(reader, [&](auto& out) { all[reader]->pull.fail(id_of(number), error, out); });
}

// -- faults ---------------------------------------------------------------------

void transfer_cluster::cut(std::size_t index) {
  auto broken = std::move(links.at(index));
  links.erase(links.begin() + static_cast<std::ptrdiff_t>(index));
  if (all[broken.server]->alive)
    push_event(broken.server,
               [&](auto& out) { all[broken.server]->push.disconnected(broken.id, out); });
  auto& reader = *all[broken.reader];
  std::vector<ask_number> lost;
  for (const auto& [number, state] : reader.asks)
    if (state.ask.node == all[broken.server]->self && state.ask.lane == broken.lane)
      lost.push_back(number);
  for (auto number : lost)
    end_lost(broken.reader, number);
}

void transfer_cluster::crash(std::size_t dead) {
  all[dead]->alive = false;
  for (std::size_t i = links.size(); i-- > 0;)
    if (links[i].reader == dead || links[i].server == dead)
      cut(i);
  std::erase_if(events, [&](const auto& event) { return event.node == dead; });
  std::erase_if(timers, [&](const auto& timer) { return timer.node == dead; });
  all[dead]->news.clear();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i]->alive)
      continue;
    auto self = all[dead]->self;
    later(i, [this, i, self] {
      pull_event(i, [&](auto& out) { all[i]->pull.node_lost(self, out); });
      push_event(i, [&](auto& out) { all[i]->push.node_lost(self, out); });
    });
  }
  for (auto& [number, object] : objects) {
    remove_place(number, dead);
    if (object.owner == dead)
      for (std::size_t i = 0; i < all.size(); ++i)
        later(i, [this, i, number = number] { fail(i, number, error_type::owner_died); });
  }
}

// -- running --------------------------------------------------------------------

bool transfer_cluster::step() {
  std::vector<std::function<void()>> choices;
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (!links[i].up.empty())
      choices.emplace_back([this, i] { move_up(i); });
    if (!links[i].down.empty())
      choices.emplace_back([this, i] { move_down(i); });
  }
  for (std::size_t i = 0; i < events.size(); ++i)
    choices.emplace_back([this, i] { run_event(i); });
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i]->news.empty())
      choices.emplace_back([this, i] { deliver_news(i); });
    for (const auto& [number, wish] : all[i]->reservations)
      choices.emplace_back([this, i, number = number] { answer_reservation(i, number); });
  }
  if (choices.empty())
    return false;
  choices[random() % choices.size()]();
  return true;
}

bool transfer_cluster::fire_next_timer() {
  if (timers.empty())
    return false;
  auto next = std::ranges::min_element(timers, {}, &set_timer::due);
  auto fired = *next;
  timers.erase(next);
  now = std::max(now, fired.due);
  // No timer outlives what it was set for.
  REQUIRE(all[fired.node]->pull.stats().objects > 0);
  pull_event(fired.node, [&](auto& out) { all[fired.node]->pull.timer_fired(fired.timer, out); });
  return true;
}

std::size_t transfer_cluster::drain(std::size_t most) {
  std::size_t steps = 0;
  while (steps < most && (step() || fire_next_timer()))
    ++steps;
  return steps;
}

void transfer_cluster::later(std::size_t where, std::function<void()> run) {
  if (all[where]->alive)
    events.push_back({where, std::move(run)});
}

void transfer_cluster::run_event(std::size_t index) {
  auto event = std::move(events[index]);
  events.erase(events.begin() + static_cast<std::ptrdiff_t>(index));
  event.run();
}

void transfer_cluster::deliver_news(std::size_t where) {
  auto [number, news] = all[where]->news.front();
  all[where]->news.pop_front();
  pull_event(where, [&, number = number, news = news](auto& out) {
    all[where]->pull.located(id_of(number), news, out);
  });
}

} // namespace mobula::test
