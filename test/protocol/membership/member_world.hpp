#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "member_world_state.hpp"
#include "mobula/actors/protocol/membership/member_table.hpp"

namespace mobula::test {

/// Whether a second dial between two nodes gives the link that they have (as CAF does) or another.
enum class dialing { shares_links, adds_links };

/// Nodes, the links between them, and a clock that moves only when told. Nothing happens unless the
/// test picks it: each dial, message and loss of a link waits until then. Links keep their order,
/// pairs do not wait for each other. Every event checks its table's invariants.
class member_world : public member_world_state {
public:
  explicit member_world(dialing how = dialing::shares_links) : how_(how) {
    // nop
  }

  // -- nodes --------------------------------------------------------------------------------------

  /// Starts a node that listens at `port`; its incarnation must be new.
  std::size_t start(std::uint64_t incarnation, std::uint16_t port, dialect speaks = {"c", 1, "1"},
                    std::size_t max_members = 512) {
    node_record record;
    record.incarnation = incarnation_number(incarnation);
    record.name = "n" + std::to_string(port);
    record.process_id = static_cast<std::int64_t>(nodes.size());
    record.control = wrong_addresses;
    record.control.push_back(at_port(port));
    member_config config;
    config.speaks = std::move(speaks);
    config.max_members = max_members;
    nodes.push_back({.table = std::make_unique<member_table>(record, config), .port = port});
    return nodes.size() - 1;
  }

  /// Starts nodes 0 to `count - 1`, all joined through node 0.
  void start_cluster(std::size_t count) {
    for (std::size_t index = 0; index < count; ++index) {
      start(100 + index, static_cast<std::uint16_t>(index + 1));
      if (index > 0)
        join(index, 1);
    }
    settle();
  }

  join_id join(std::size_t index, std::uint16_t port) {
    join_id number{++last_join_};
    nodes[index].open_joins.insert(number);
    event(index, [&](auto& table, auto& out) { table.join(number, at_port(port), out); });
    return number;
  }

  void leave(std::size_t index) {
    event(index, [](auto& table, auto& out) { table.leave(out); });
  }

  void crash(std::size_t index) {
    nodes[index].alive = false;
    std::erase_if(dials, [&](const auto& entry) { return entry.node == index; });
    std::erase_if(timers, [&](const auto& entry) { return entry.second.first == index; });
    for (auto& link : connections)
      if (link.ends[0].node == index || link.ends[1].node == index)
        link.broken = true;
  }

  // -- the network --------------------------------------------------------------------------------

  void cut(std::uint16_t first, std::uint16_t second) {
    cuts.insert(std::minmax(first, second));
    for (auto& link : connections)
      if (std::minmax(port_of(link, 0), port_of(link, 1)) == std::minmax(first, second))
        link.broken = true;
  }

  void heal(std::uint16_t first, std::uint16_t second) {
    cuts.erase(std::minmax(first, second));
  }

  void end_dial(std::size_t position) {
    auto attempt = dials[position];
    dials.erase(dials.begin() + static_cast<std::ptrdiff_t>(position));
    auto port = attempt.target.port;
    auto own_port = nodes[attempt.node].port;
    auto target = listener(port);
    if (target == attempt.node)
      return event(attempt.node,
                   [&](auto& table, auto& out) { table.dialed_oneself(attempt.number, out); });
    auto link = !target || cuts.contains(std::minmax(port, own_port))
                  ? std::nullopt
                  : connect(attempt.node, *target);
    event(attempt.node, [&](auto& table, auto& out) {
      if (!link)
        return table.dial_failed(attempt.number, dial_failure::passing,
                                 "nobody listens at " + to_string(attempt.target), out);
      nodes[attempt.node].links.insert(*link);
      table.dialed(attempt.number, *link, out);
    });
  }

  /// Delivers the next message to one end of a link or, after the last, news of its loss.
  void deliver(std::size_t position, std::size_t side) {
    auto& end = connections[position].ends[side];
    auto link = end.link;
    auto index = end.node;
    if (!end.arriving.empty()) {
      auto message = std::move(end.arriving.front());
      end.arriving.pop_front();
      if (!nodes[index].alive)
        return;
      nodes[index].links.insert(link);
      return event(index, [&](auto& table, auto& out) { table.received(link, message, out); });
    }
    end.told_lost = true;
    if (connections[position].ends[0].told_lost && connections[position].ends[1].told_lost)
      connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(position));
    if (!nodes[index].alive)
      return;
    event(index,
          [&](auto& table, auto& out) { table.link_lost(link, departure::connection_lost, out); });
    nodes[index].links.erase(link);
  }

  [[nodiscard]] bool has_news(std::size_t position, std::size_t side) const {
    const auto& link = connections[position];
    return !link.ends[side].arriving.empty() || (link.broken && !link.ends[side].told_lost);
  }

  void fire_timer() {
    auto next = timers.extract(timers.begin());
    now = next.key();
    auto [index, timer] = next.mapped();
    running_timers.erase({index, timer});
    event(index, [timer = timer](auto& table, auto& out) { table.timer_fired(timer, out); });
  }

  // -- running ------------------------------------------------------------------------------------

  /// Runs all that can happen without the clock, in plain order. Returns whether anything did.
  bool run() {
    auto ran = false;
    for (auto again = true; again; ran = ran || again) {
      again = false;
      while (!dials.empty()) {
        end_dial(0);
        again = true;
      }
      for (std::size_t position = 0; position < connections.size(); ++position)
        for (std::size_t side = 0; side < 2; ++side)
          if (position < connections.size() && has_news(position, side)) {
            deliver(position, side);
            again = true;
          }
    }
    return ran;
  }

  /// Returns a node's end of a link. REQUIRES: it is one of the two.
  [[nodiscard]] link_end& end_of(std::size_t index, std::size_t position) {
    auto& ends = connections.at(position).ends;
    return ends[0].node == index ? ends[0] : ends[1];
  }

  /// Delivers the next message that comes to a node over a link.
  void deliver_to(std::size_t index, std::size_t position) {
    deliver(position, connections.at(position).ends[0].node == index ? 0 : 1);
  }

  /// Delivers all messages that dials and clock have led to so far, and those that these lead to.
  void deliver_all() {
    for (auto again = true; again;) {
      again = false;
      for (std::size_t position = 0; position < connections.size(); ++position)
        for (std::size_t side = 0; side < 2; ++side)
          if (!connections[position].ends[side].arriving.empty()) {
            deliver(position, side);
            again = true;
          }
    }
  }

  /// Runs until nothing is left to happen.
  void settle() {
    run();
    for (std::size_t round = 0; !timers.empty(); ++round) {
      REQUIRE(round < 100'000);
      fire_timer();
      run();
    }
  }

  // -- looking ------------------------------------------------------------------------------------

  [[nodiscard]] bool connected(std::size_t first, std::size_t second) const {
    const auto* forth = find(first, second);
    const auto* back = find(second, first);
    return forth != nullptr && back != nullptr && forth->session == back->session;
  }

  /// Whether nodes know each other exactly, and nobody else, and use no link for anything else.
  [[nodiscard]] bool complete(const std::vector<std::size_t>& members) const {
    for (auto index : members) {
      const auto& one = nodes[index];
      if (one.table->known() != members.size() - 1 || one.table->contacts() != 0
          || one.members.size() != members.size() - 1 || one.links.size() != members.size() - 1)
        return false;
      for (auto other : members)
        if (other != index && !connected(index, other))
          return false;
    }
    return true;
  }

  /// REQUIRES: it has dialed.
  [[nodiscard]] nanoseconds first_dial_by(std::size_t index) const {
    auto first = std::ranges::find(dialed, index, &std::pair<nanoseconds, std::size_t>::second);
    REQUIRE(first != dialed.end());
    return first->first;
  }

private:
  template <class Event>
  void event(std::size_t index, Event run) {
    member_effects effects;
    run(*nodes[index].table, effects);
    nodes[index].table->check_invariants();
    for (const auto& effect : effects)
      std::visit([&](const auto& content) { carry_out(index, content); }, effect);
  }

  void carry_out(std::size_t index, const dial& effect) {
    dialed.emplace_back(now, index);
    dials.push_back({index, effect.number, effect.target});
  }

  void carry_out(std::size_t index, const send_on_link& effect) {
    ++sent_messages;
    for (auto& link : connections)
      for (std::size_t side = 0; side < 2; ++side)
        if (link.ends[side].node == index && link.ends[side].link == effect.link && !link.broken)
          link.ends[1 - side].arriving.push_back(effect.message);
  }

  void carry_out(std::size_t index, const forget_link& effect) {
    nodes[index].links.erase(effect.link);
  }

  void carry_out(std::size_t index, const drop_link& effect) {
    for (auto& link : connections)
      for (const auto& end : link.ends)
        if (end.node == index && end.link == effect.link)
          link.broken = true;
  }

  void carry_out(std::size_t index, const start_timer& effect) {
    timers.emplace(now + effect.delay, std::pair{index, effect.timer});
    running_timers.emplace(index, effect.timer);
  }

  /// It fires all the same: whoever waits no longer is to take no notice.
  void carry_out(std::size_t index, const stop_timer& effect) {
    running_timers.erase({index, effect.timer});
  }

  void carry_out(std::size_t index, const report_member_joined& effect) {
    auto fresh = nodes[index].members.emplace(effect.record.incarnation, effect.session).second;
    REQUIRE(fresh);
  }

  void carry_out(std::size_t index, const report_member_left& effect) {
    auto known = nodes[index].members.extract(effect.incarnation);
    REQUIRE(!known.empty());
    REQUIRE(known.mapped() == effect.session);
    nodes[index].departures.push_back(effect.why);
  }

  void carry_out(std::size_t index, const report_join_succeeded& effect) {
    REQUIRE(nodes[index].open_joins.erase(effect.join) == 1);
    REQUIRE(nodes[index].members.contains(effect.member));
    nodes[index].joins[effect.join] = "";
  }

  void carry_out(std::size_t index, const report_join_failed& effect) {
    REQUIRE(nodes[index].open_joins.erase(effect.join) == 1);
    REQUIRE(!effect.text.empty());
    nodes[index].joins[effect.join] = effect.text;
  }

  void carry_out(std::size_t index, const report_member_unreachable& effect) {
    nodes[index].unreachable.push_back(effect.text);
  }

  void carry_out(std::size_t index, const report_refused& effect) {
    nodes[index].refusals.push_back(effect.reason);
  }

  void carry_out(std::size_t, const report_ignored&) {
    // nop
  }

  [[nodiscard]] std::optional<std::size_t> listener(std::uint16_t port) const {
    for (std::size_t index = 0; index < nodes.size(); ++index)
      if (nodes[index].alive && nodes[index].port == port && !nodes[index].table->has_left())
        return index;
    return std::nullopt;
  }

  /// Returns the dialing node's link; nothing while the other side still believes in a lost one.
  std::optional<link_id> connect(std::size_t from, std::size_t to) {
    for (auto& link : connections)
      for (std::size_t side = 0; side < 2 && how_ == dialing::shares_links; ++side)
        if (link.ends[side].node == from && link.ends[1 - side].node == to)
          return link.broken ? std::nullopt : std::optional{link.ends[side].link};
    auto fresh = [this](std::size_t index) {
      return link_end{.node = index, .link = link_id{++last_link_}};
    };
    connections.push_back({.ends = {fresh(from), fresh(to)}});
    return connections.back().ends[0].link;
  }

  [[nodiscard]] std::uint16_t port_of(const connection& link, std::size_t side) const {
    return nodes[link.ends[side].node].port;
  }

  [[nodiscard]] const member_table::member* find(std::size_t of, std::size_t whom) const {
    return nodes[of].table->find_connected(nodes[whom].table->self().incarnation);
  }

  dialing how_;
  std::uint64_t last_link_ = 0;
  std::uint64_t last_join_ = 0;
};

} // namespace mobula::test
