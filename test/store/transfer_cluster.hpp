#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "mobula/store/pull_table.hpp"
#include "mobula/store/push_table.hpp"
#include "pull_shell.hpp"

namespace mobula::test {

using object_bytes = std::vector<std::uint8_t>;

/// Several nodes, each with both tables, a store of limited size, and connections that keep the
/// order of their frames and nothing else. Everything that may happen next is one of `choices`;
/// timers fire when nothing else is left, or whenever a schedule says so.
class transfer_cluster {
public:
  struct ask_state {
    ask_bytes ask;
    std::uint64_t arrived = 0;
  };

  struct chunk {
    object_range range;
    object_bytes bytes;
  };

  struct up_frame {
    ask_number ask{};
    std::optional<object_range> range; ///< none in a cancel
  };

  struct down_frame {
    ask_number ask{};
    std::variant<chunk, refusal_reason> content;
  };

  struct link {
    std::size_t reader = 0;
    std::size_t server = 0;
    data_lane lane{};
    reader_connection id{};
    std::deque<up_frame> up;
    std::deque<down_frame> down;
  };

  struct node {
    explicit node(std::size_t index, pull_config pulls, push_config pushes)
      : self(node_number(index)), pull((pulls.self = self, pulls)), push(pushes) {
    }

    incarnation_id self;
    pull_table pull;
    push_table push;
    bool alive = true;
    std::uint64_t capacity = 0;
    std::map<std::uint64_t, std::shared_ptr<object_bytes>> rooms;  ///< of pulls
    std::map<std::uint64_t, std::shared_ptr<object_bytes>> copies; ///< whole
    std::map<std::uint64_t, std::shared_ptr<object_bytes>> kept;   ///< for readers
    std::map<std::uint64_t, reserve_room> reservations;
    std::map<ask_number, ask_state> asks; ///< whose end has not been told
    std::map<std::uint64_t, pull_token> wanted;
    std::map<error_type, std::uint64_t> failures;
    std::deque<std::pair<std::uint64_t, location_news>> news;
    std::uint64_t sent_bytes = 0;
  };

  struct place {
    std::size_t node = 0;
    std::uint64_t order = 0; ///< when it began
  };

  struct known_object {
    std::size_t owner = 0;
    object_bytes bytes;
    std::vector<place> places;
  };

  struct pending {
    std::size_t node = 0;
    std::function<void()> run;
  };

  struct set_timer {
    std::size_t node = 0;
    std::uint64_t due = 0;
    pull_timer timer;
  };

  transfer_cluster(std::uint64_t seed, std::size_t nodes, pull_config pulls, push_config pushes,
                   std::uint64_t capacity)
    : random(seed) {
    for (std::size_t i = 0; i < nodes; ++i) {
      all.push_back(std::make_unique<node>(i + 1, pulls, pushes));
      all.back()->capacity = capacity;
    }
  }

  // -- objects --------------------------------------------------------------------

  static object_id id_of(std::uint64_t number) {
    return object_number(number);
  }

  void create(std::uint64_t number, std::size_t owner, std::size_t size) {
    auto& object = objects[number];
    object.owner = owner;
    for (std::size_t i = 0; i < size; ++i)
      object.bytes.push_back(static_cast<std::uint8_t>(random()));
    all[owner]->copies[number] = std::make_shared<object_bytes>(object.bytes);
    object.places.push_back({owner, ++orders});
  }

  void want(std::size_t reader, std::uint64_t number, pull_class urgency) {
    auto& who = *all[reader];
    if (!who.alive || who.copies.contains(number) || who.wanted.contains(number))
      return;
    auto token = pull_token{++tokens};
    who.wanted[number] = token;
    pull_event(reader, [&](auto& out) { who.pull.pull(token, id_of(number), urgency, out); });
    tell(reader, number);
  }

  void cancel(std::size_t reader, std::uint64_t number) {
    auto& who = *all[reader];
    auto position = who.wanted.find(number);
    if (position == who.wanted.end())
      return;
    auto token = position->second;
    who.wanted.erase(position);
    pull_event(reader, [&](auto& out) { who.pull.cancel(token, out); });
  }

  /// Gives up a whole copy, unless it is the owner's.
  void evict(std::size_t where, std::uint64_t number) {
    auto& who = *all[where];
    if (objects.at(number).owner == where || who.copies.erase(number) == 0)
      return;
    push_event(where, [&](auto& out) { who.push.object_gone(id_of(number), out); });
    remove_place(number, where);
  }

  /// The store would rather have so many bytes back.
  void squeeze(std::size_t where, std::uint64_t bytes) {
    pull_event(where, [&](auto& out) { all[where]->pull.memory_tight(bytes, out); });
  }

  // -- the directory, which the owner keeps ---------------------------------------

  void tell(std::size_t reader, std::uint64_t number) {
    const auto& object = objects.at(number);
    if (!all[object.owner]->alive)
      return later(reader,
                   [this, reader, number] { fail(reader, number, error_type::owner_died); });
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

  void tell_all(std::uint64_t number) {
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i]->alive && all[i]->wanted.contains(number))
        tell(i, number);
  }

  void add_place(std::uint64_t number, std::size_t where) {
    objects.at(number).places.push_back({where, ++orders});
    tell_all(number);
  }

  void remove_place(std::uint64_t number, std::size_t where) {
    std::erase_if(objects.at(number).places, [&](auto& known) { return known.node == where; });
    tell_all(number);
  }

  void fail(std::size_t reader, std::uint64_t number, error_type error) {
    pull_event(reader, [&](auto& out) { all[reader]->pull.fail(id_of(number), error, out); });
  }

  // -- faults ---------------------------------------------------------------------

  void cut(std::size_t index) {
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

  void crash(std::size_t dead) {
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

  /// Makes one of the things happen that may happen next. Returns whether there was any.
  bool step() {
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

  bool fire_next_timer() {
    if (timers.empty())
      return false;
    auto next = std::ranges::min_element(timers, {}, &set_timer::due);
    auto fired = *next;
    timers.erase(next);
    now = std::max(now, fired.due);
    pull_event(fired.node, [&](auto& out) { all[fired.node]->pull.timer_fired(fired.timer, out); });
    return true;
  }

  /// Runs until nothing is left to happen. Returns the number of steps.
  std::size_t drain(std::size_t most) {
    std::size_t steps = 0;
    while (steps < most && (step() || fire_next_timer()))
      ++steps;
    return steps;
  }

  std::mt19937_64 random;
  std::vector<std::unique_ptr<node>> all;
  std::map<std::uint64_t, known_object> objects;
  std::vector<link> links;
  std::vector<pending> events;
  std::vector<set_timer> timers;
  std::uint64_t now = 0;

private:
  template <class Event>
  void pull_event(std::size_t where, Event run) {
    if (!all[where]->alive)
      return;
    pull_effects effects;
    run(effects);
    all[where]->pull.check_invariants();
    for (const auto& effect : effects)
      std::visit([&](const auto& content) { carry_out(where, content); }, effect);
  }

  template <class Event>
  void push_event(std::size_t where, Event run) {
    if (!all[where]->alive)
      return;
    push_effects effects;
    run(effects);
    all[where]->push.check_invariants();
    for (const auto& effect : effects)
      std::visit([&](const auto& content) { carry_out(where, content); }, effect);
  }

  void later(std::size_t where, std::function<void()> run) {
    if (all[where]->alive)
      events.push_back({where, std::move(run)});
  }

  void run_event(std::size_t index) {
    auto event = std::move(events[index]);
    events.erase(events.begin() + static_cast<std::ptrdiff_t>(index));
    event.run();
  }

  void deliver_news(std::size_t where) {
    auto [number, news] = all[where]->news.front();
    all[where]->news.pop_front();
    pull_event(where, [&](auto& out) { all[where]->pull.located(id_of(number), news, out); });
  }

  // -- the store ------------------------------------------------------------------

  static std::uint64_t used(const node& who) {
    std::uint64_t result = 0;
    for (const auto* part : {&who.rooms, &who.copies})
      for (const auto& [number, bytes] : *part)
        result += bytes->size();
    return result;
  }

  void answer_reservation(std::size_t where, std::uint64_t number) {
    auto& who = *all[where];
    auto wish = who.reservations.at(number);
    who.reservations.erase(number);
    while (wish.urgency == room_urgency::must && used(who) + wish.size_bytes > who.capacity
           && evict_any(where)) {
    }
    if (used(who) + wish.size_bytes > who.capacity)
      return pull_event(where, [&](auto& out) { who.pull.room_refused(wish.id, out); });
    who.rooms[number] = std::make_shared<object_bytes>(wish.size_bytes);
    pull_event(where, [&](auto& out) { who.pull.room_granted(wish.id, out); });
  }

  bool evict_any(std::size_t where) {
    for (const auto& [number, bytes] : all[where]->copies)
      if (objects.at(number).owner != where) {
        evict(where, number);
        return true;
      }
    return false;
  }

  void carry_out(std::size_t where, const reserve_room& wish) {
    all[where]->reservations.emplace(wish.id.sequence, wish);
  }

  void carry_out(std::size_t, const withdraw_room&) {
  }

  void carry_out(std::size_t where, const abandon_room& end) {
    for (const auto& [number, state] : all[where]->asks)
      REQUIRE(state.ask.range.id != end.id);
    REQUIRE(all[where]->rooms.erase(end.id.sequence) == 1);
  }

  // -- the reader's side ----------------------------------------------------------

  void carry_out(std::size_t where, const ask_bytes& ask) {
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

  void carry_out(std::size_t where, const cancel_ask& cancel) {
    auto& ask = all[where]->asks.at(cancel.ask).ask;
    for (auto& known : links)
      if (known.reader == where && all[known.server]->self == ask.node && known.lane == ask.lane)
        known.up.push_back({cancel.ask, std::nullopt});
    end_lost(where, cancel.ask);
  }

  void end_lost(std::size_t where, ask_number number) {
    later(where, [this, where, number] {
      if (all[where]->asks.erase(number) == 1)
        pull_event(where, [&](auto& out) { all[where]->pull.ask_lost(number, out); });
    });
  }

  void move_down(std::size_t index) {
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

  void receive(std::size_t where, ask_state& state, const chunk& arrived) {
    auto& who = *all[where];
    auto number = state.ask.ask;
    auto whole = state.ask.range;
    auto& room = *who.rooms.at(whole.id.sequence);
    REQUIRE(arrived.range.offset_bytes == whole.offset_bytes + state.arrived);
    std::ranges::copy(arrived.bytes,
                      room.begin() + static_cast<std::ptrdiff_t>(arrived.range.offset_bytes));
    state.arrived += arrived.bytes.size();
    auto done = state.arrived == whole.length_bytes;
    pull_event(where,
               [&](auto& out) { who.pull.bytes_arrived(number, arrived.bytes.size(), out); });
    auto begin = arrived.range.offset_bytes;
    push_event(where, [&](auto& out) {
      who.push.bytes_arrived(whole.id, {begin, begin + arrived.bytes.size()}, out);
    });
    if (!done)
      return;
    who.asks.erase(number);
    pull_event(where, [&](auto& out) { who.pull.ask_finished(number, out); });
  }

  void carry_out(std::size_t where, const start_pull_timer& wish) {
    timers.push_back({where, now + wish.delay_ms, wish.timer});
  }

  void carry_out(std::size_t where, const report_pull_began& report) {
    add_place(report.id.sequence, where);
  }

  void carry_out(std::size_t where, const report_pull_stopped& report) {
    push_event(where, [&](auto& out) { all[where]->push.object_gone(report.id, out); });
    remove_place(report.id.sequence, where);
  }

  void carry_out(std::size_t where, const report_arrived& report) {
    auto& who = *all[where];
    auto number = report.id.sequence;
    REQUIRE(*who.rooms.at(number) == objects.at(number).bytes);
    who.copies[number] = who.rooms.at(number);
    who.rooms.erase(number);
    REQUIRE(who.wanted.erase(number) == 1);
    tell_all(number);
  }

  void carry_out(std::size_t where, const report_pull_failed& report) {
    REQUIRE(all[where]->wanted.erase(report.id.sequence) == 1);
    ++all[where]->failures[report.error];
  }

  // -- the server's side ----------------------------------------------------------

  void move_up(std::size_t index) {
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

  void carry_out(std::size_t where, const find_served& find) {
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
      auto room = who.rooms.at(id.sequence);
      who.kept[id.sequence] = room;
      push_event(where, [&](auto& out) {
        who.push.found(id, room->size(), served_from_memory{}, *received, out);
      });
    });
  }

  void carry_out(std::size_t where, const release_served& release) {
    REQUIRE(all[where]->kept.erase(release.id.sequence) == 1);
  }

  void carry_out(std::size_t where, const send_chunk& send) {
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

  void carry_out(std::size_t, const send_refusal& refusal) {
    for (auto& known : links)
      if (known.id == refusal.connection)
        known.down.push_back({refusal.ask, refusal.reason});
  }

  std::uint64_t tokens = 0;
  std::uint64_t orders = 0;
  std::uint64_t sequences = 0;
  std::uint64_t connections = 0;
};

} // namespace mobula::test
