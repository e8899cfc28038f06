#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mobula/actors/protocol/membership/member_table.hpp"

namespace mobula::test {

/// What is in a world of nodes at one moment: their lives, the links between them with what is on
/// its way, dials, timers and the time. Tests look at it, and now and then change it.
struct member_world_state {
  using nanoseconds = std::chrono::nanoseconds;

  struct open_dial {
    std::size_t node;
    dial_id number;
    endpoint target;
  };

  struct link_end {
    std::size_t node = 0; ///< index of a life in `nodes`
    link_id link{};
    std::deque<member_message> arriving{};
    bool told_lost = false;
  };

  struct connection {
    link_end ends[2];
    bool broken = false;
  };

  /// One life of a node.
  struct node {
    std::unique_ptr<member_table> table;
    std::uint16_t port = 0;
    bool alive = true;
    std::map<incarnation_id, session_id> members{}; ///< as reported
    std::vector<departure> departures{};
    std::map<join_id, std::string> joins{}; ///< how they ended; empty: well
    std::set<join_id> open_joins{};
    std::set<link_id> links{}; ///< that the table has use for
    std::vector<join_refusal> refusals{};
    std::vector<std::string> unreachable{}; ///< as reported for the log
  };

  static incarnation_id incarnation_number(std::uint64_t number) {
    return {.high = number, .low = 1};
  }

  static endpoint at_port(std::uint16_t port) {
    return {"host", port};
  }

  std::vector<node> nodes;
  std::vector<endpoint> wrong_addresses; ///< that nodes which are started name before their own
  std::vector<open_dial> dials;
  std::vector<std::pair<nanoseconds, std::size_t>> dialed; ///< when, and by which node
  std::vector<connection> connections;
  std::multimap<nanoseconds, std::pair<std::size_t, timer_id>> timers;
  std::set<std::pair<std::size_t, timer_id>> running_timers; ///< neither over nor stopped
  std::set<std::pair<std::uint16_t, std::uint16_t>> cuts;
  nanoseconds now{0};
  std::uint64_t sent_messages = 0;
};

} // namespace mobula::test
