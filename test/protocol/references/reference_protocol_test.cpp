// What concerns more than one of a node's tables, one event after the other. Whole clusters are in
// simulation_test.cpp and hazard_test.cpp.

#include <doctest/doctest.h>

#include "mobula/actors/protocol/references/reference_protocol.hpp"
#include "table_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// The tables of node 1, with sessions to nodes 2 and 3.
class protocol_shell : public table_shell {
public:
  protocol_shell() {
    begin_session(session_with(2));
    begin_session(session_with(3));
  }

  ~protocol_shell() {
    run([&](auto& effects) { tables.shut_down(effects); });
    CHECK(lent.empty());
  }

  template <class Event>
  void run(Event&& what) {
    event(tables, what);
    for (const auto& grace : told<start_grace>())
      graces.push_back(grace.number);
  }

  void begin_session(peer_session peer) {
    run([&](auto& effects) { tables.session_started(peer, effects); });
  }

  void end_session(peer_session peer) {
    run([&](auto& effects) { tables.session_ended(peer, effects); });
  }

  void end_grace(std::size_t index) {
    run([&](auto& effects) { tables.grace_over(graces.at(index), effects); });
  }

  /// A reference is serialized; the handle has the number of the transit.
  void open(std::uint64_t transit, object_id object) {
    reference_traffic changes;
    changes.opened = {{transit_number{transit}, object, lend(transit)}};
    run([&](auto& effects) { tables.traffic(changes, effects); });
  }

  void arrive(object_id object, std::uint64_t sender, std::uint64_t transit) {
    reference_traffic changes;
    changes.arrived = {{entry_token{90}, object, node_number(sender), transit_number{transit}}};
    run([&](auto& effects) { tables.traffic(changes, effects); });
  }

  /// `from` borrows this node's object, which a transit of `sender` brought.
  void borrow(peer_session from, std::uint64_t sequence, std::uint64_t sender,
              std::uint64_t transit) {
    borrow_references batch{
      .session = from.session,
      .batch = batch_number{1},
      .references = {{sequence, node_number(sender), transit_number{transit}}}};
    auto found = lend(sequence);
    run([&](auto& effects) { tables.receive(from.node, batch, {&found, 1}, effects); });
  }

  reference_protocol tables{node_number(1)};
  std::vector<grace_number> graces; ///< begun, in order
};

} // namespace

// -- transits -------------------------------------------------------------------------------------

TEST_CASE("a borrower that a transit of this node brought ends that transit") {
  protocol_shell shell;
  shell.open(50, object_of(1, 7));
  shell.borrow(session_with(2), 7, 1, 50);
  CHECK_FALSE(shell.keeps(50));
  CHECK(shell.keeps(7));
}

TEST_CASE("another node's transit of the same number ends none of this node's") {
  protocol_shell shell;
  shell.open(50, object_of(1, 7));
  shell.borrow(session_with(2), 7, 3, 50);
  CHECK(shell.keeps(50));
  REQUIRE(shell.sent<transits_ended>().size() == 1);
  CHECK(shell.sent<transits_ended>().front().first == session_with(3));
}

TEST_CASE("a borrower that names a transit of another object ends none") {
  protocol_shell shell;
  shell.open(50, object_of(1, 7));
  shell.borrow(session_with(2), 8, 1, 50);
  CHECK(shell.keeps(50));
  CHECK(shell.keeps(8));
}

TEST_CASE("a sender is told of what object the owner heard a transit to be") {
  protocol_shell shell;
  shell.open(50, object_of(2, 7));
  shell.borrow(session_with(2), 8, 3, 50);
  REQUIRE(shell.sent<transits_ended>().size() == 1);
  auto word = shell.sent<transits_ended>().front().second;
  CHECK(word.transits == ended_for(8, {50}));
  shell.run([&](auto& effects) { shell.tables.receive(node_number(2), word, effects); });
  CHECK(shell.keeps(50));
}

TEST_CASE("a borrower of a session that is over ends no transit") {
  protocol_shell shell;
  shell.open(50, object_of(1, 7));
  shell.borrow(session_with(2, 9), 7, 1, 50);
  CHECK(shell.keeps(50));
  CHECK_FALSE(shell.keeps(7));
  CHECK(shell.sent<references_confirmed>().empty());
}

TEST_CASE("this node's object that it sent to itself ends the transit when it comes home") {
  protocol_shell shell;
  shell.open(50, object_of(1, 7));
  shell.arrive(object_of(1, 7), 1, 50);
  CHECK_FALSE(shell.keeps(50));
}

TEST_CASE("this node's object that another sent home ends no transit of this node") {
  protocol_shell shell;
  shell.open(50, object_of(1, 7));
  shell.arrive(object_of(1, 7), 3, 50);
  CHECK(shell.keeps(50));
  CHECK(shell.sent<transits_ended>().size() == 1);
}

TEST_CASE("another's object that this node sent to itself waits for its owner's word") {
  protocol_shell shell;
  shell.open(50, object_of(2, 7));
  shell.arrive(object_of(2, 7), 1, 50);
  CHECK(shell.keeps(50));
  transits_ended word{session_id{1}, ended_for(7, {50})};
  shell.run([&](auto& effects) { shell.tables.receive(node_number(2), word, effects); });
  CHECK_FALSE(shell.keeps(50));
}

TEST_CASE("another's object ends no transit of this node's object of the same sequence") {
  protocol_shell shell;
  shell.open(50, object_of(1, 7));
  shell.arrive(object_of(2, 7), 1, 50);
  CHECK(shell.keeps(50));
}

TEST_CASE("a reference that is serialized and canceled in one turn is let go") {
  protocol_shell shell;
  reference_traffic changes;
  changes.opened = {{transit_number{50}, object_of(2, 7), shell.lend(50)}};
  changes.canceled = {transit_number{50}};
  shell.run([&](auto& effects) { shell.tables.traffic(changes, effects); });
  CHECK_FALSE(shell.keeps(50));
}

TEST_CASE("a turn in which an object was freed and nothing else happened is told") {
  protocol_shell shell;
  shell.arrive(object_of(2, 7), 3, 50);
  reference_traffic changes;
  changes.freed = {object_of(2, 7)};
  shell.run([&](auto& effects) { shell.tables.traffic(changes, effects); });
  CHECK(shell.sent<free_objects>().size() == 1);
}

// -- sessions -------------------------------------------------------------------------------------

TEST_CASE("a session that begins over an older one ends that, with a grace period") {
  protocol_shell shell;
  shell.borrow(session_with(2), 7, 3, 50);
  shell.arrive(object_of(2, 8), 3, 51);
  shell.begin_session(session_with(2, 2));
  CHECK(shell.told<fail_references>().size() == 1);
  REQUIRE(shell.graces.size() == 1);
  CHECK(shell.tables.exports().stats().ghosts == 1);
  shell.end_grace(0);
  CHECK_FALSE(shell.keeps(7));
  CHECK(shell.tables.empty());
}

TEST_CASE("the end of a session that is not the current one changes nothing") {
  protocol_shell shell;
  shell.borrow(session_with(2), 7, 3, 50);
  shell.end_session(session_with(2, 9));
  shell.end_session(session_with(8));
  CHECK(shell.out.empty());
  CHECK(shell.graces.empty());
  CHECK(shell.tables.exports().borrows(node_number(2), 7));
}

TEST_CASE("each session that ends has a grace period of its own") {
  protocol_shell shell;
  shell.borrow(session_with(2), 7, 3, 50);
  shell.borrow(session_with(3), 8, 2, 51);
  shell.end_session(session_with(2));
  shell.end_session(session_with(3));
  shell.end_grace(1);
  CHECK(shell.keeps(7));
  CHECK_FALSE(shell.keeps(8));
  shell.end_grace(0);
  CHECK_FALSE(shell.keeps(7));
}

TEST_CASE("the end of a grace period is told to all tables") {
  protocol_shell shell;
  shell.open(50, object_of(2, 7));
  shell.arrive(object_of(3, 7), 2, 51);
  shell.borrow(session_with(2), 8, 3, 52);
  shell.end_session(session_with(2));
  shell.end_session(session_with(3));
  shell.end_grace(0);
  shell.end_grace(1);
  CHECK_FALSE(shell.keeps(8));
  CHECK(shell.tables.borrows().empty());
  shell.run([&](auto& effects) { shell.tables.lease_passed(lease_mark{1}, effects); });
  CHECK_FALSE(shell.keeps(50));
}

TEST_CASE("an owner that has a session is not unreachable") {
  protocol_shell shell;
  shell.arrive(object_of(2, 7), 3, 50);
  shell.run([&](auto& effects) { shell.tables.owner_unreachable(node_number(2), effects); });
  CHECK(shell.out.empty());
  shell.arrive(object_of(9, 7), 3, 51);
  shell.run([&](auto& effects) { shell.tables.owner_unreachable(node_number(9), effects); });
  CHECK(shell.told<fail_references>().size() == 1);
  CHECK(shell.graces.size() == 1);
}

TEST_CASE("an owner that nothing was borrowed from starts no timer when it is unreachable") {
  protocol_shell shell;
  auto give_up = [&](std::uint64_t owner) {
    shell.run([&](auto& effects) { shell.tables.owner_unreachable(node_number(owner), effects); });
  };
  give_up(9);
  CHECK(shell.out.empty());
  shell.arrive(object_of(9, 7), 3, 50);
  give_up(9);
  CHECK(shell.told<start_grace>().size() == 1);
  give_up(9);
  CHECK(shell.out.empty());
}
