#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "mobula/actors/protocol/references/reference_effects.hpp"

namespace mobula::test {

inline incarnation_id node_number(std::uint64_t number) {
  return {.high = 1, .low = number};
}

inline peer_session session_with(std::uint64_t node, std::uint64_t session = 1) {
  return {node_number(node), session_id{session}};
}

inline object_id object_of(std::uint64_t owner, std::uint64_t sequence) {
  return {.owner = node_number(owner), .sequence = sequence};
}

inline std::vector<transit_number> transits(std::initializer_list<std::uint64_t> numbers) {
  std::vector<transit_number> result;
  for (auto number : numbers)
    result.push_back(transit_number{number});
  return result;
}

/// Transits that are said to be over, of objects with the sequence `sequence`.
inline std::vector<ended_transit> ended_for(std::uint64_t sequence,
                                            std::initializer_list<std::uint64_t> numbers) {
  std::vector<ended_transit> result;
  for (auto number : numbers)
    result.push_back({.sequence = sequence, .transit = transit_number{number}});
  return result;
}

/// Collects what a table asks for, and sees to it that each handle comes back at most once.
class table_shell {
public:
  /// Gives the table a handle to keep.
  kept_handle lend(std::uint64_t number) {
    auto handle = kept_handle{number};
    REQUIRE(lent.insert(handle).second);
    return handle;
  }

  [[nodiscard]] bool keeps(std::uint64_t number) const {
    return lent.contains(kept_handle{number});
  }

  /// Runs an event, which writes its effects to `out`, and takes note of them.
  template <class Table, class F>
  void event(const Table& table, F&& f) {
    out.clear();
    f(out);
    table.check_invariants();
    for (const auto& effect : out)
      if (const auto* dropped = std::get_if<drop_handles>(&effect))
        for (auto handle : dropped->handles)
          REQUIRE(lent.erase(handle) == 1);
  }

  /// Returns the effects of one kind that the last event had.
  template <class Effect>
  [[nodiscard]] std::vector<Effect> told() const {
    std::vector<Effect> result;
    for (const auto& effect : out)
      if (const auto* match = std::get_if<Effect>(&effect))
        result.push_back(*match);
    return result;
  }

  /// Returns the messages of one kind that the last event sent, with their receivers.
  template <class Message>
  [[nodiscard]] std::vector<std::pair<peer_session, Message>> sent() const {
    std::vector<std::pair<peer_session, Message>> result;
    for (const auto& effect : told<send_to_peer>())
      if (const auto* match = std::get_if<Message>(&effect.message))
        result.emplace_back(effect.to, *match);
    return result;
  }

  std::set<kept_handle> lent;
  reference_effects out;
};

} // namespace mobula::test
