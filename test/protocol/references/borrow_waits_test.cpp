// Barriers and values that wait until owners have confirmed.

#include <doctest/doctest.h>

#include <variant>

#include "borrow_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr std::uint64_t outer = 900;

} // namespace

TEST_CASE("a barrier is answered at once if every owner has confirmed") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.confirm(session_with(2), 1);
  shell.ask_barrier(session_with(3), 9);
  auto passed = shell.sent<barrier_passed>();
  REQUIRE(passed.size() == 1);
  CHECK(passed[0].first == session_with(3));
  CHECK(passed[0].second.number == barrier_number{9});
  CHECK(shell.table.stats().barriers_waiting == 0);
}

TEST_CASE("a barrier waits for what was sent before it, and for nothing later") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.arrive(11, object_of(3, 7));
  shell.ask_barrier(session_with(3), 9);
  shell.arrive(12, object_of(2, 8));
  shell.confirm(session_with(2), 1);
  CHECK(shell.sent<barrier_passed>().empty());
  shell.confirm(session_with(3), 1);
  CHECK(shell.sent<barrier_passed>().size() == 1);
}

TEST_CASE("a barrier waits for the youngest of several batches to one owner") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.arrive(11, object_of(2, 8));
  shell.ask_barrier(session_with(3), 9);
  shell.confirm(session_with(2), 1);
  CHECK(shell.sent<barrier_passed>().empty());
  shell.confirm(session_with(2), 2);
  CHECK(shell.sent<barrier_passed>().size() == 1);
}

TEST_CASE("a node's next barrier replaces the one that still waits") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.ask_barrier(session_with(3), 8);
  shell.ask_barrier(session_with(3), 9);
  CHECK(shell.table.stats().barriers_waiting == 1);
  shell.confirm(session_with(2), 1);
  REQUIRE(shell.sent<barrier_passed>().size() == 1);
  CHECK(shell.sent<barrier_passed>().front().second.number == barrier_number{9});
}

TEST_CASE("a barrier waits for the grace period of an owner that had not confirmed") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.end_session(session_with(2), 1);
  shell.ask_barrier(session_with(3), 9);
  CHECK(shell.sent<barrier_passed>().empty());
  shell.end_grace(1);
  CHECK(shell.sent<barrier_passed>().size() == 1);
}

TEST_CASE("a barrier is not answered in a session that is over") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.ask_barrier(session_with(3), 9);
  shell.end_session(session_with(3), 1);
  shell.confirm(session_with(2), 1);
  CHECK(shell.sent<barrier_passed>().empty());
  CHECK(shell.table.stats().barriers_waiting == 0);
}

TEST_CASE("a value's holder is kept until the owners of what is in it have confirmed") {
  borrow_shell shell;
  shell.read(outer, {{entry_token{10}, object_of(2, 7)}, {entry_token{11}, object_of(3, 7)}});
  shell.confirm(session_with(2), 1);
  CHECK(shell.keeps(outer));
  shell.confirm(session_with(3), 1);
  CHECK_FALSE(shell.keeps(outer));
}

TEST_CASE("a value's holder is not kept for references whose owner knows already") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.confirm(session_with(2), 1);
  shell.read(outer, {{entry_token{10}, object_of(2, 7)}});
  CHECK_FALSE(shell.keeps(outer));
  CHECK(shell.sent<borrow_references>().empty());
}

TEST_CASE("a value's holder waits for an unconfirmed borrow that is there already") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.read(outer, {{entry_token{10}, object_of(2, 7)}});
  CHECK(shell.keeps(outer));
  shell.confirm(session_with(2), 1);
  CHECK_FALSE(shell.keeps(outer));
}

TEST_CASE("a value's holder waits for the batch that tells of what is in it, and for no other") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.arrive(11, object_of(2, 8));
  shell.read(outer, {{entry_token{10}, object_of(2, 7)}});
  shell.read(outer + 1, {{entry_token{11}, object_of(2, 8)}});
  shell.confirm(session_with(2), 1);
  CHECK_FALSE(shell.keeps(outer));
  CHECK(shell.keeps(outer + 1));
  shell.read(outer + 2, {{entry_token{10}, object_of(2, 7)}});
  CHECK_FALSE(shell.keeps(outer + 2));
  shell.confirm(session_with(2), 2);
  CHECK_FALSE(shell.keeps(outer + 1));
}

TEST_CASE("a reference found in a value is told without a transit or a sender") {
  borrow_shell shell;
  shell.read(outer, {{entry_token{10}, object_of(2, 7)}});
  CHECK(shell.sent<borrow_references>().at(0).second.references
        == std::vector<borrowed_reference>{{7, {}, transit_number::none}});
}

TEST_CASE("a lost session ends the waits of all of its batches, not of the youngest alone") {
  borrow_shell shell;
  shell.read(outer, {{entry_token{10}, object_of(2, 7)}});
  shell.arrive(11, object_of(2, 8));
  shell.end_session(session_with(2), 1);
  CHECK(shell.keeps(outer));
  shell.end_grace(1);
  CHECK_FALSE(shell.keeps(outer));
}

TEST_CASE("a value read twice before any confirmation keeps its holder twice") {
  borrow_shell shell;
  shell.read(outer, {{entry_token{10}, object_of(2, 7)}});
  shell.read(outer + 1, {{entry_token{10}, object_of(2, 7)}});
  shell.confirm(session_with(2), 1);
  CHECK(shell.lent.empty());
}

TEST_CASE("a value's holder is kept through the grace period of an inner owner that is lost") {
  borrow_shell shell;
  shell.read(outer, {{entry_token{10}, object_of(2, 7)}});
  shell.end_session(session_with(2), 1);
  CHECK(shell.keeps(outer));
  shell.end_grace(1);
  CHECK_FALSE(shell.keeps(outer));
}

TEST_CASE("an unknown object fails before what waited for its owner's answer goes on") {
  borrow_shell shell;
  shell.read(outer, {{entry_token{10}, object_of(2, 7)}});
  shell.confirm(session_with(2), 1, {7});
  REQUIRE(shell.out.size() == 2);
  CHECK(std::holds_alternative<fail_references>(shell.out[0]));
  CHECK(std::holds_alternative<drop_handles>(shell.out[1]));
}

TEST_CASE("shutting down gives back the holders of all values that wait") {
  borrow_shell shell;
  shell.read(outer, {{entry_token{10}, object_of(2, 7)}});
  shell.read(outer + 1, {{entry_token{11}, object_of(3, 7)}});
  CHECK(shell.lent.size() == 2);
}
