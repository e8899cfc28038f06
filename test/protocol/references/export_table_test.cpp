// The owner's side of references across nodes, one event after the other: how long an object is
// held, for whom, and who is told.

#include <doctest/doctest.h>

#include "mobula/actors/protocol/references/export_table.hpp"
#include "table_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// The table of node 1, with sessions to nodes 2 and 3. Handles have the number of their object.
class export_shell : public table_shell {
public:
  export_shell() {
    table.session_started(session_with(2));
    table.session_started(session_with(3));
  }

  ~export_shell() {
    event(table, [&](auto& effects) { table.shut_down(effects); });
    CHECK(lent.empty());
    CHECK(table.empty());
  }

  /// `from` borrows objects that are alive, each brought by a transit of `sender`.
  void borrow(peer_session from, std::vector<std::uint64_t> sequences, std::uint64_t sender = 1) {
    borrow_references batch{.session = from.session, .batch = batch_number{1}, .references = {}};
    std::vector<kept_handle> found;
    for (auto sequence : sequences) {
      batch.references.push_back({sequence, node_number(sender), transit_number{sequence + 100}});
      found.push_back(table.holds(sequence) || lent.contains(kept_handle{sequence})
                        ? kept_handle::none
                        : lend(sequence));
    }
    event(table, [&](auto& effects) { table.borrowed(from.node, batch, found, effects); });
  }

  void borrow_dead(peer_session from, std::uint64_t sequence) {
    borrow_references batch{.session = from.session,
                            .batch = batch_number{1},
                            .references = {{sequence, node_number(3), transit_number{5}}}};
    auto found = kept_handle::none;
    event(table, [&](auto& effects) { table.borrowed(from.node, batch, {&found, 1}, effects); });
  }

  void give_back(peer_session from, std::uint64_t sequence, std::uint32_t count = 1) {
    return_references batch{.session = from.session, .references = {{sequence, count}}};
    event(table, [&](auto& effects) { table.returned(from.node, batch, effects); });
  }

  void end_grace(std::uint64_t grace) {
    event(table, [&](auto& effects) { table.grace_over(grace_number{grace}, effects); });
  }

  export_table table{node_number(1)};
};

} // namespace

TEST_CASE("a borrowed object is held until it is returned") {
  export_shell shell;
  shell.borrow(session_with(2), {7});
  CHECK(shell.keeps(7));
  CHECK(shell.table.borrows(node_number(2), 7));
  CHECK_FALSE(shell.table.borrows(node_number(3), 7));
  shell.give_back(session_with(2), 7);
  CHECK_FALSE(shell.keeps(7));
  CHECK_FALSE(shell.table.borrows(node_number(2), 7));
  CHECK(shell.table.empty());
}

TEST_CASE("a batch is confirmed to its sender") {
  export_shell shell;
  shell.borrow(session_with(2), {7, 8});
  auto confirmed = shell.sent<references_confirmed>();
  REQUIRE(confirmed.size() == 1);
  CHECK(confirmed[0].first == session_with(2));
  CHECK(confirmed[0].second.unknown.empty());
}

TEST_CASE("the senders of a batch are told in one message each, after its confirmation") {
  export_shell shell;
  shell.borrow(session_with(2), {7, 8}, 3);
  auto ended = shell.sent<transits_ended>();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].first == session_with(3));
  CHECK(ended[0].second.session == session_id{1});
  CHECK(ended[0].second.transits
        == std::vector<ended_transit>{{7, transit_number{107}}, {8, transit_number{108}}});
}

TEST_CASE("transits of the owner itself need no message") {
  export_shell shell;
  shell.borrow(session_with(2), {7}, 1);
  CHECK(shell.sent<transits_ended>().empty());
}

TEST_CASE("a sender without a session is not told") {
  export_shell shell;
  shell.borrow(session_with(2), {7}, 9);
  CHECK(shell.sent<transits_ended>().empty());
}

TEST_CASE("an object is held until all who borrowed it have returned it") {
  export_shell shell;
  shell.borrow(session_with(2), {7});
  shell.borrow(session_with(3), {7});
  shell.give_back(session_with(2), 7);
  CHECK(shell.keeps(7));
  shell.give_back(session_with(3), 7);
  CHECK_FALSE(shell.keeps(7));
}

TEST_CASE("a late return does not take away what was borrowed anew") {
  export_shell shell;
  shell.borrow(session_with(2), {7});
  shell.borrow(session_with(2), {7});
  shell.give_back(session_with(2), 7);
  CHECK(shell.keeps(7));
  shell.give_back(session_with(2), 7);
  CHECK_FALSE(shell.keeps(7));
}

TEST_CASE("the same object many times in one batch counts as often") {
  export_shell shell;
  shell.borrow(session_with(2), {7, 7, 7});
  CHECK(shell.table.borrowers_of(7)
        == std::vector<std::pair<incarnation_id, std::uint32_t>>{{node_number(2), 3}});
  shell.give_back(session_with(2), 7, 3);
  CHECK_FALSE(shell.keeps(7));
}

TEST_CASE("an object that does not exist any more is unknown, and its transit ends") {
  export_shell shell;
  shell.borrow_dead(session_with(2), 7);
  CHECK(shell.sent<references_confirmed>().at(0).second.unknown == std::vector<std::uint64_t>{7});
  CHECK(shell.sent<transits_ended>().at(0).first == session_with(3));
  CHECK(shell.table.empty());
}

TEST_CASE("the return of an object that was unknown changes nothing") {
  export_shell shell;
  shell.borrow_dead(session_with(2), 7);
  shell.give_back(session_with(2), 7);
  CHECK(shell.table.empty());
  CHECK(shell.table.stats().strange == 0);
}

TEST_CASE("more returns than borrows let go once and are counted as strange") {
  export_shell shell;
  shell.borrow(session_with(2), {7});
  shell.give_back(session_with(2), 7, 5);
  CHECK_FALSE(shell.keeps(7));
  CHECK(shell.table.stats().strange == 1);
  CHECK(shell.table.stats().returned == 1);
}

TEST_CASE("what a dead borrower held is kept for the grace period") {
  export_shell shell;
  shell.borrow(session_with(2), {7});
  shell.table.session_ended(session_with(2), grace_number{1});
  CHECK(shell.keeps(7));
  CHECK(shell.table.stats().ghosts == 1);
  shell.end_grace(1);
  CHECK_FALSE(shell.keeps(7));
}

TEST_CASE("who was lost with a reference is known until the grace period is over") {
  export_shell shell;
  shell.borrow(session_with(2), {7, 7, 8});
  CHECK(shell.table.lost_holders_of(7).empty());
  shell.table.session_ended(session_with(2), grace_number{1});
  auto lost = shell.table.lost_holders_of(7);
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].node == session_with(2).node);
  CHECK(lost[0].grace == grace_number{1});
  CHECK(lost[0].count == 2);
  CHECK(shell.table.borrowers_of(7).empty());
  shell.end_grace(1);
  CHECK(shell.table.lost_holders_of(7).empty());
}

TEST_CASE("shutting down forgets what dead borrowers held") {
  export_shell shell;
  shell.borrow(session_with(2), {7});
  shell.table.session_ended(session_with(2), grace_number{1});
  CHECK_FALSE(shell.table.empty());
}

TEST_CASE("a session that held nothing leaves nothing when it ends") {
  export_shell shell;
  shell.borrow(session_with(2), {7});
  shell.give_back(session_with(2), 7);
  shell.table.session_ended(session_with(2), grace_number{1});
  CHECK(shell.table.empty());
}

TEST_CASE("what is borrowed, returned and unknown is counted") {
  export_shell shell;
  shell.borrow(session_with(2), {7, 7, 8});
  shell.borrow_dead(session_with(2), 9);
  shell.give_back(session_with(2), 7, 2);
  auto stats = shell.table.stats();
  CHECK(stats.borrowed == 3);
  CHECK(stats.returned == 2);
  CHECK(stats.unknown == 1);
  CHECK(stats.strange == 0);
}

TEST_CASE("a return of fewer than were borrowed leaves the rest borrowed") {
  export_shell shell;
  shell.borrow(session_with(2), {7, 7, 7});
  shell.give_back(session_with(2), 7, 2);
  CHECK(shell.keeps(7));
  shell.give_back(session_with(2), 7);
  CHECK_FALSE(shell.keeps(7));
}

TEST_CASE("a reference that no transit brought ends none") {
  export_shell shell;
  borrow_references batch{.session = session_id{1},
                          .batch = batch_number{1},
                          .references = {{7, node_number(3), transit_number::none}}};
  auto found = shell.lend(7);
  shell.event(shell.table, [&](auto& out) {
    shell.table.borrowed(node_number(2), batch, {&found, 1}, out);
  });
  CHECK(shell.sent<transits_ended>().empty());
}

TEST_CASE("a receiver of a dead borrower finds the object within the grace period") {
  export_shell shell;
  shell.borrow(session_with(2), {7});
  shell.table.session_ended(session_with(2), grace_number{1});
  shell.borrow(session_with(3), {7}, 2);
  CHECK(shell.sent<references_confirmed>().at(0).second.unknown.empty());
  shell.end_grace(1);
  CHECK(shell.keeps(7));
}

TEST_CASE("a new session starts from nothing while the old one's ghost lives on") {
  export_shell shell;
  shell.borrow(session_with(2, 1), {7});
  shell.table.session_ended(session_with(2, 1), grace_number{1});
  shell.table.session_started(session_with(2, 2));
  shell.give_back(session_with(2, 2), 7);
  CHECK(shell.keeps(7));
  shell.borrow(session_with(2, 2), {7});
  shell.end_grace(1);
  CHECK(shell.keeps(7));
  shell.give_back(session_with(2, 2), 7);
  CHECK_FALSE(shell.keeps(7));
}

TEST_CASE("late messages of an old session change nothing and give handles back") {
  export_shell shell;
  shell.table.session_ended(session_with(2, 1), grace_number{1});
  shell.table.session_started(session_with(2, 2));
  shell.borrow(session_with(2, 1), {7});
  CHECK_FALSE(shell.keeps(7));
  CHECK(shell.sent<references_confirmed>().empty());
  shell.borrow(session_with(2, 2), {8});
  shell.give_back(session_with(2, 1), 8);
  CHECK(shell.keeps(8));
}

TEST_CASE("references that come home end their transits, in one message to each sender") {
  export_shell shell;
  std::vector<arrived_reference> arrived;
  for (std::uint64_t i = 0; i < 6; ++i)
    arrived.push_back(
      {entry_token::none, object_of(1, 7), node_number(1 + i % 3), transit_number{i}});
  shell.event(shell.table, [&](auto& out) { shell.table.came_home(arrived, out); });
  auto ended = shell.sent<transits_ended>();
  REQUIRE(ended.size() == 2);
  CHECK(ended[0].second.transits == ended_for(7, {1, 4}));
  CHECK(ended[1].second.transits == ended_for(7, {2, 5}));
  CHECK(shell.table.stats().came_home == 6);
}

TEST_CASE("the ends of very many transits are told in several messages") {
  export_shell shell;
  std::vector<arrived_reference> arrived;
  for (std::uint64_t number = 1; number <= 70'000; ++number)
    arrived.push_back({{}, object_of(1, number), node_number(2), transit_number{number}});
  shell.event(shell.table, [&](auto& out) { shell.table.came_home(arrived, out); });
  auto told = shell.sent<transits_ended>();
  REQUIRE(told.size() == 2);
  CHECK(told[0].second.transits.size() + told[1].second.transits.size() == 70'000);
  CHECK(told[1].second.transits.back() == ended_transit{70'000, transit_number{70'000}});
}
