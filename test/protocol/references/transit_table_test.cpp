// The sender's side of references across nodes: how transits end by the owner's word, by barriers,
// and when sessions end meanwhile.

#include <doctest/doctest.h>

#include "mobula/actors/protocol/references/transit_table.hpp"
#include "table_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// The table of node 1, with sessions to nodes 2 and 3.
class transit_shell : public table_shell {
public:
  transit_shell() {
    table.session_started(session_with(2));
    table.session_started(session_with(3));
  }

  ~transit_shell() {
    event(table, [&](auto& effects) { table.shut_down(effects); });
    CHECK(lent.empty());
    CHECK(table.empty());
  }

  void open(std::uint64_t number, object_id object = object_of(1, 7)) {
    opened_transit transit{transit_number{number}, object, lend(number)};
    event(table, [&](auto& effects) { table.opened({&transit, 1}, effects); });
    for (const auto& lease : told<start_lease>())
      mark = lease.mark;
  }

  /// The owner says that a transit of its object 7 has ended.
  void end(peer_session owner, std::uint64_t number) {
    event(table, [&](auto& effects) { table.ended(owner, ended_for(7, {number}), effects); });
  }

  void pass_lease() {
    event(table, [&](auto& effects) { table.lease_passed(mark, effects); });
    for (const auto& lease : told<start_lease>())
      mark = lease.mark;
    for (const auto& [to, barrier] : sent<pass_barrier>())
      number = barrier.number;
  }

  void answer(peer_session peer) {
    event(table, [&](auto& effects) { table.barrier_passed(peer, number, effects); });
    for (const auto& [to, barrier] : sent<pass_barrier>())
      number = barrier.number;
  }

  void end_session(peer_session peer, std::uint64_t grace) {
    table.session_ended(peer, grace_number{grace});
    table.check_invariants();
  }

  void end_grace(std::uint64_t grace) {
    event(table, [&](auto& effects) { table.grace_over(grace_number{grace}, effects); });
  }

  transit_table table{node_number(1)};
  lease_mark mark{};
  barrier_number number{};
};

} // namespace

TEST_CASE("a transit keeps its object until the owner ends it") {
  transit_shell shell;
  shell.open(10, object_of(2, 7));
  CHECK(shell.keeps(10));
  shell.end(session_with(2), 10);
  CHECK_FALSE(shell.keeps(10));
  CHECK(shell.table.stats().ended_by_owner == 1);
}

TEST_CASE("only the owner, in its current session, ends a transit") {
  transit_shell shell;
  shell.open(10, object_of(2, 7));
  shell.end(session_with(3), 10);
  shell.end(session_with(2, 9), 10);
  CHECK(shell.keeps(10));
}

TEST_CASE("a transit that is ended twice or was never opened changes nothing") {
  transit_shell shell;
  shell.open(10, object_of(2, 7));
  shell.end(session_with(2), 10);
  shell.end(session_with(2), 10);
  shell.end(session_with(2), 77);
  CHECK(shell.table.stats().ended_by_owner == 1);
}

TEST_CASE("a node ends transits of its own objects itself") {
  transit_shell shell;
  shell.open(10);
  shell.open(11, object_of(2, 7));
  shell.event(shell.table, [&](auto& out) { shell.table.ended_here(ended_for(7, {10, 11}), out); });
  CHECK_FALSE(shell.keeps(10));
  CHECK(shell.keeps(11));
}

TEST_CASE("a transit of another object does not end, whoever says so") {
  transit_shell shell;
  shell.open(10, object_of(1, 8));
  shell.open(11, object_of(2, 8));
  shell.event(shell.table, [&](auto& out) { shell.table.ended_here(ended_for(7, {10}), out); });
  shell.end(session_with(2), 11);
  CHECK(shell.keeps(10));
  CHECK(shell.keeps(11));
}

TEST_CASE("a transit that is named twice at once ends once") {
  transit_shell shell;
  shell.open(10);
  shell.event(shell.table, [&](auto& out) { shell.table.ended_here(ended_for(7, {10, 10}), out); });
  CHECK(shell.table.stats().ended_by_owner == 1);
}

TEST_CASE("a canceled transit lets go at once, whoever owns the object") {
  transit_shell shell;
  shell.open(10, object_of(3, 7));
  shell.event(shell.table, [&](auto& out) { shell.table.canceled(transits({10}), out); });
  CHECK_FALSE(shell.keeps(10));
  CHECK(shell.table.stats().canceled == 1);
}

TEST_CASE("one lease runs for any number of transits") {
  transit_shell shell;
  shell.open(10);
  CHECK(shell.told<start_lease>().size() == 1);
  shell.open(11);
  CHECK(shell.told<start_lease>().empty());
}

TEST_CASE("a transit older than the lease ends when all sessions have passed a barrier") {
  transit_shell shell;
  shell.open(10);
  shell.pass_lease();
  CHECK(shell.sent<pass_barrier>().size() == 2);
  shell.answer(session_with(2));
  CHECK(shell.keeps(10));
  shell.answer(session_with(3));
  CHECK_FALSE(shell.keeps(10));
  CHECK(shell.table.empty());
}

TEST_CASE("each session is sent one barrier, and counted") {
  transit_shell shell;
  shell.open(10);
  shell.pass_lease();
  CHECK(shell.table.stats().barriers_sent == 2);
}

TEST_CASE("the end of a session that is not the current one leaves the current one to be asked") {
  transit_shell shell;
  shell.end_session(session_with(3, 9), 5);
  shell.open(10);
  shell.pass_lease();
  CHECK(shell.sent<pass_barrier>().size() == 2);
}

TEST_CASE("a late answer to the barrier of an earlier round does not count for the next one") {
  transit_shell shell;
  shell.open(10);
  shell.open(11);
  shell.pass_lease();
  auto first = shell.number;
  shell.answer(session_with(2));
  shell.answer(session_with(3));
  shell.pass_lease();
  REQUIRE(shell.number != first);
  for (auto peer : {session_with(2), session_with(3)})
    shell.event(shell.table, [&](auto& out) { shell.table.barrier_passed(peer, first, out); });
  CHECK(shell.keeps(11));
}

TEST_CASE("a transit younger than the lease survives the round of older ones") {
  transit_shell shell;
  shell.open(10);
  shell.open(11);
  shell.pass_lease();
  CHECK(shell.told<start_lease>().size() == 1);
  shell.answer(session_with(2));
  shell.answer(session_with(3));
  CHECK_FALSE(shell.keeps(10));
  CHECK(shell.keeps(11));
}

TEST_CASE("transits whose lease passes during a round have the next one") {
  transit_shell shell;
  shell.open(10);
  shell.open(11);
  shell.pass_lease();
  shell.pass_lease();
  CHECK(shell.sent<pass_barrier>().empty());
  shell.answer(session_with(2));
  shell.answer(session_with(3));
  CHECK(shell.sent<pass_barrier>().size() == 2);
  CHECK(shell.keeps(11));
  shell.answer(session_with(2));
  shell.answer(session_with(3));
  CHECK_FALSE(shell.keeps(11));
}

TEST_CASE("no barrier is sent if all transits ended within the lease") {
  transit_shell shell;
  shell.open(10, object_of(2, 7));
  shell.end(session_with(2), 10);
  shell.pass_lease();
  CHECK(shell.out.empty());
  CHECK(shell.table.empty());
}

TEST_CASE("no lease runs for transits that have ended") {
  transit_shell shell;
  shell.open(10, object_of(2, 7));
  shell.open(11, object_of(2, 7));
  shell.end(session_with(2), 10);
  shell.end(session_with(2), 11);
  shell.pass_lease();
  CHECK(shell.out.empty());
  CHECK(shell.table.empty());
}

TEST_CASE("shutting down forgets leases, rounds and grace periods") {
  transit_shell shell;
  shell.open(10);
  shell.end_session(session_with(3), 5);
  shell.open(11);
  shell.pass_lease();
  CHECK_FALSE(shell.table.empty());
}

TEST_CASE("a session that ends during a round counts when its grace period is over") {
  transit_shell shell;
  shell.open(10);
  shell.pass_lease();
  shell.answer(session_with(2));
  shell.end_session(session_with(3), 5);
  CHECK(shell.keeps(10));
  shell.end_grace(5);
  CHECK_FALSE(shell.keeps(10));
}

TEST_CASE("a session that ended before the round is waited for as long as its grace period") {
  transit_shell shell;
  shell.open(10);
  shell.end_session(session_with(3), 5);
  shell.pass_lease();
  shell.answer(session_with(2));
  CHECK(shell.keeps(10));
  shell.end_grace(5);
  CHECK_FALSE(shell.keeps(10));
}

TEST_CASE("an answer from a session that is over does not count for the one that follows") {
  transit_shell shell;
  shell.end_session(session_with(3), 5);
  shell.table.session_started(session_with(3, 2));
  shell.end_grace(5);
  shell.open(10);
  shell.pass_lease();
  shell.answer(session_with(2));
  shell.answer(session_with(3, 1));
  CHECK(shell.keeps(10));
  shell.answer(session_with(3, 2));
  CHECK_FALSE(shell.keeps(10));
}

TEST_CASE("a session that begins during a round is not waited for") {
  transit_shell shell;
  shell.open(10);
  shell.pass_lease();
  shell.table.session_started(session_with(4));
  shell.answer(session_with(2));
  shell.answer(session_with(3));
  CHECK_FALSE(shell.keeps(10));
}

TEST_CASE("without any session a transit ends with its lease") {
  transit_shell shell;
  shell.end_session(session_with(2), 5);
  shell.end_session(session_with(3), 6);
  shell.end_grace(5);
  shell.end_grace(6);
  shell.open(10);
  shell.pass_lease();
  CHECK_FALSE(shell.keeps(10));
}

TEST_CASE("a lease that is not the running one changes nothing") {
  transit_shell shell;
  shell.open(10);
  shell.event(shell.table, [&](auto& out) { shell.table.lease_passed(lease_mark{99}, out); });
  CHECK(shell.out.empty());
  CHECK(shell.keeps(10));
}
