#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "mobula/actors/protocol/names/name_table.hpp"

namespace mobula::test {

/// Name tables and the sessions between them. Messages of a pair keep their order and arrive when
/// the test says so. Every event checks its table's invariants.
class name_world {
public:
  struct node {
    std::unique_ptr<name_table> table;
    std::map<std::string, bool> own{};  ///< names that this node believes to be its own
    std::vector<std::string> lost{};    ///< names that it was told to be taken
    std::vector<std::string> ignored{}; ///< what was wrong with names that changed nothing
    std::map<std::size_t, session_id> sessions{};
  };

  explicit name_world(std::size_t count) {
    for (std::size_t index = 0; index < count; ++index)
      nodes.push_back({std::make_unique<name_table>(incarnation_of(index))});
  }

  static incarnation_id incarnation_of(std::size_t index) {
    return {.high = index + 1, .low = 0};
  }

  static std::vector<std::byte> payload_of(std::size_t index) {
    return {static_cast<std::byte>(index)};
  }

  std::optional<std::string> publish(std::size_t index, const std::string& name) {
    std::optional<std::string> refusal;
    event(index,
          [&](auto& table, auto& out) { refusal = table.publish(name, payload_of(index), out); });
    if (!refusal)
      nodes[index].own[name] = true;
    return refusal;
  }

  std::optional<std::string> republish(std::size_t index, const std::string& name,
                                       std::vector<std::byte> payload) {
    std::optional<std::string> refusal;
    event(index, [&](auto& table, auto& out) {
      refusal = table.publish(name, std::move(payload), out, own_name::replace);
    });
    if (!refusal)
      nodes[index].own[name] = true;
    return refusal;
  }

  void unpublish(std::size_t index, const std::string& name) {
    nodes[index].own.erase(name);
    event(index, [&](auto& table, auto& out) { table.unpublish(name, out); });
  }

  void connect(std::size_t first, std::size_t second) {
    if (first == second || nodes[first].sessions.contains(second))
      return;
    session_id session{++last_session_};
    for (auto [one, other] : {std::pair{first, second}, std::pair{second, first}}) {
      nodes[one].sessions.emplace(other, session);
      event(one, [&, member = incarnation_of(other)](auto& table, auto& out) {
        table.member_joined(member, session, out);
      });
    }
  }

  void connect_all() {
    for (std::size_t first = 0; first < nodes.size(); ++first)
      for (std::size_t second = 0; second < first; ++second)
        connect(first, second);
  }

  /// Ends a session; what is in flight arrives later, in a session that is over.
  void disconnect(std::size_t first, std::size_t second) {
    if (first == second || !nodes[first].sessions.contains(second))
      return;
    for (auto [one, other] : {std::pair{first, second}, std::pair{second, first}}) {
      nodes[one].sessions.erase(other);
      event(one,
            [&, member = incarnation_of(other)](auto& table, auto&) { table.member_left(member); });
    }
  }

  /// Has a node hear what another one would not say.
  void hear(std::size_t index, std::size_t from, names_changed message) {
    message.session = nodes[index].sessions.at(from);
    event(index,
          [&](auto& table, auto& out) { table.received(incarnation_of(from), message, out); });
  }

  bool deliver(std::size_t from, std::size_t to) {
    auto& queue = links[{from, to}];
    if (queue.empty())
      return false;
    auto message = std::move(queue.front());
    queue.pop_front();
    event(to, [&](auto& table, auto& out) { table.received(incarnation_of(from), message, out); });
    return true;
  }

  void run() {
    for (auto again = true; again;) {
      again = false;
      for (std::size_t from = 0; from < nodes.size(); ++from)
        for (std::size_t to = 0; to < nodes.size(); ++to)
          again = deliver(from, to) || again;
    }
  }

  /// Returns the node that keeps a name as seen by one node.
  [[nodiscard]] std::optional<std::size_t> keeper(std::size_t index,
                                                  const std::string& name) const {
    const auto* found = nodes[index].table->lookup(name);
    if (found == nullptr)
      return std::nullopt;
    auto publisher = static_cast<std::size_t>(found->publisher.high - 1);
    CHECK(found->payload == payload_of(publisher));
    return publisher;
  }

  std::vector<node> nodes;
  std::map<std::pair<std::size_t, std::size_t>, std::deque<names_changed>> links;

private:
  template <class Event>
  void event(std::size_t index, Event run) {
    name_effects effects;
    run(*nodes[index].table, effects);
    nodes[index].table->check_invariants();
    for (const auto& effect : effects) {
      if (const auto* told = std::get_if<tell_names>(&effect)) {
        links[{index, static_cast<std::size_t>(told->member.high - 1)}].push_back(told->content);
        continue;
      }
      if (const auto* report = std::get_if<report_name_ignored>(&effect)) {
        nodes[index].ignored.push_back(report->text);
        continue;
      }
      const auto& taken = std::get<report_name_taken>(effect);
      REQUIRE(nodes[index].own.erase(taken.name) == 1);
      nodes[index].lost.push_back(taken.name);
    }
  }

  std::uint64_t last_session_ = 0;
};

} // namespace mobula::test
