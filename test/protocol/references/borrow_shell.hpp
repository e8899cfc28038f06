#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "mobula/actors/protocol/references/borrow_table.hpp"
#include "table_shell.hpp"

namespace mobula::test {

/// The table of node 1, with sessions to nodes 2 and 3.
class borrow_shell : public table_shell {
public:
  explicit borrow_shell(borrow_limits limits = {}) : table(node_number(1), limits) {
    event(table, [&](auto& out) { table.session_started(session_with(2), out); });
    event(table, [&](auto& out) { table.session_started(session_with(3), out); });
  }

  ~borrow_shell() {
    event(table, [&](auto& effects) { table.shut_down(effects); });
    CHECK(lent.empty());
    CHECK(table.empty());
  }

  static arrived_reference arrival(std::uint64_t entry, object_id object, std::uint64_t transit) {
    return {entry_token{entry}, object, node_number(4), transit_number{transit}};
  }

  void arrive(std::uint64_t entry, object_id object, std::uint64_t transit = 50) {
    auto arrived = arrival(entry, object, transit);
    event(table, [&](auto& out) { table.traffic({&arrived, 1}, {}, out); });
  }

  void turn(const reference_traffic& rest) {
    event(table, [&](auto& out) { table.traffic({}, rest, out); });
  }

  void read(std::uint64_t outer, std::vector<nested_reference> inner) {
    turn({.read = {{lend(outer), std::move(inner)}}});
  }

  void drop(std::uint64_t entry, object_id object) {
    turn({.dropped = {{entry_token{entry}, object}}});
  }

  void confirm(peer_session owner, std::uint64_t batch, std::vector<std::uint64_t> unknown = {}) {
    references_confirmed answer{owner.session, batch_number{batch}, std::move(unknown)};
    event(table, [&](auto& out) { table.confirmed(owner.node, answer, out); });
  }

  void ask_barrier(peer_session from, std::uint64_t number) {
    pass_barrier barrier{from.session, barrier_number{number}};
    event(table, [&](auto& out) { table.barrier_asked(from.node, barrier, out); });
  }

  void end_session(peer_session peer, std::uint64_t grace) {
    event(table, [&](auto& out) { table.session_ended(peer, grace_number{grace}, out); });
  }

  void end_grace(std::uint64_t grace) {
    event(table, [&](auto& out) { table.grace_over(grace_number{grace}, out); });
  }

  borrow_table table;
};

} // namespace mobula::test
