// What a node tells the owners of what it holds; what waits for their answers is in
// borrow_waits_test.cpp.

#include <doctest/doctest.h>

#include "borrow_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

const auto borrowed = reference_message{borrow_references{}}.index();
const auto freed = reference_message{free_objects{}}.index();
const auto returned = reference_message{return_references{}}.index();

/// Returns which messages were sent, in order; all effects have to be messages.
std::vector<std::size_t> kinds_of(const reference_effects& effects) {
  std::vector<std::size_t> result;
  for (const auto& effect : effects)
    result.push_back(std::get<send_to_peer>(effect).message.index());
  return result;
}

} // namespace

TEST_CASE("an arrival is told to the owner with the transit that brought it") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7), 50);
  auto batches = shell.sent<borrow_references>();
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].first == session_with(2));
  CHECK(batches[0].second.references
        == std::vector<borrowed_reference>{{7, node_number(4), transit_number{50}}});
}

TEST_CASE("the last reference returns as many as arrived") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7), 50);
  shell.arrive(10, object_of(2, 7), 51);
  shell.drop(10, object_of(2, 7));
  auto returns = shell.sent<return_references>();
  REQUIRE(returns.size() == 1);
  CHECK(returns[0].second.references == std::vector<returned_reference>{{7, 2}});
  CHECK(shell.table.stats().returned == 2);
}

TEST_CASE("a turn sends one batch to each owner, and returns after it") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  std::vector<arrived_reference> arrived{shell.arrival(11, object_of(2, 7), 51),
                                         shell.arrival(12, object_of(3, 7), 52),
                                         shell.arrival(13, object_of(2, 8), 53)};
  dropped_reference dropped{entry_token{10}, object_of(2, 7)};
  shell.event(shell.table,
              [&](auto& out) { shell.table.traffic(arrived, {.dropped = {dropped}}, out); });
  CHECK(shell.sent<borrow_references>().size() == 2);
  CHECK(std::holds_alternative<return_references>(std::get<send_to_peer>(shell.out[2]).message));
}

TEST_CASE("a batch beyond the limit is sent in parts, each confirmed by itself") {
  borrow_shell shell{{.max_batch_references = 2}};
  std::vector<arrived_reference> arrived;
  for (std::uint64_t i = 0; i < 5; ++i)
    arrived.push_back(shell.arrival(10 + i, object_of(2, 7 + i), 50 + i));
  shell.event(shell.table, [&](auto& out) { shell.table.traffic(arrived, {}, out); });
  CHECK(shell.sent<borrow_references>().size() == 3);
  for (std::uint64_t batch = 1; batch <= 3; ++batch)
    shell.confirm(session_with(2), batch);
  CHECK(shell.table.stats().batches_in_flight == 0);
}

TEST_CASE("returns beyond the limit are sent in parts") {
  borrow_shell shell{{.max_batch_references = 2}};
  std::vector<dropped_reference> dropped;
  for (std::uint64_t i = 0; i < 5; ++i) {
    shell.arrive(10 + i, object_of(2, 7 + i));
    dropped.push_back({entry_token{10 + i}, object_of(2, 7 + i)});
  }
  shell.event(shell.table, [&](auto& out) { shell.table.traffic({}, {.dropped = dropped}, out); });
  auto returns = shell.sent<return_references>();
  REQUIRE(returns.size() == 3);
  CHECK(returns[0].second.references.size() == 2);
  CHECK(returns[1].second.references.size() == 2);
}

TEST_CASE("of a batch only the entries of unknown objects fail") {
  borrow_shell shell;
  std::vector<arrived_reference> arrived{shell.arrival(10, object_of(2, 7), 50),
                                         shell.arrival(11, object_of(2, 8), 51)};
  shell.event(shell.table, [&](auto& out) { shell.table.traffic(arrived, {}, out); });
  shell.confirm(session_with(2), 1, {8});
  CHECK(shell.told<fail_references>().at(0).entries == std::vector{entry_token{11}});
  CHECK(shell.table.stats().object_deleted == 1);
}

TEST_CASE("an unknown object does not fail a younger reference to it with the same token") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.drop(10, object_of(2, 7));
  shell.arrive(10, object_of(2, 7));
  shell.confirm(session_with(2), 1, {7});
  CHECK(shell.out.empty());
}

TEST_CASE("an unknown object fails its entry, and nothing is returned for it") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.confirm(session_with(2), 1, {7});
  auto failed = shell.told<fail_references>();
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].entries == std::vector{entry_token{10}});
  CHECK(failed[0].reason == reference_failure::object_deleted);
  shell.drop(10, object_of(2, 7));
  CHECK(shell.out.empty());
}

TEST_CASE("an unknown object does not fail a younger entry with the same token") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.drop(10, object_of(2, 7));
  shell.arrive(10, object_of(2, 8));
  shell.confirm(session_with(2), 1, {7});
  CHECK(shell.out.empty());
}

TEST_CASE("the end of the owner's session fails what is borrowed from it") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.arrive(11, object_of(3, 7));
  shell.end_session(session_with(2), 1);
  auto failed = shell.told<fail_references>();
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].entries == std::vector{entry_token{10}});
  CHECK(failed[0].reason == reference_failure::owner_died);
}

TEST_CASE("references fail in the order of their objects, whatever their tokens are") {
  borrow_shell shell;
  std::vector<arrived_reference> arrived{shell.arrival(20, object_of(2, 7), 50),
                                         shell.arrival(10, object_of(2, 8), 51),
                                         shell.arrival(30, object_of(2, 6), 52)};
  shell.event(shell.table, [&](auto& out) { shell.table.traffic(arrived, {}, out); });
  shell.end_session(session_with(2), 1);
  CHECK(shell.told<fail_references>().at(0).entries
        == std::vector{entry_token{30}, entry_token{20}, entry_token{10}});
}

TEST_CASE("the end of another session than the current one changes nothing") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.end_session(session_with(2, 9), 1);
  CHECK(shell.out.empty());
  CHECK(shell.table.stats().borrows == 1);
}

TEST_CASE("an owner with a session is not given up as unreachable") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.event(shell.table, [&](auto& out) {
    shell.table.owner_unreachable(node_number(2), grace_number{1}, out);
  });
  CHECK(shell.out.empty());
  CHECK(shell.table.stats().borrows == 1);
}

TEST_CASE("a batch that was not confirmed is left until the grace period of its session is over") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.drop(10, object_of(2, 7));
  CHECK_FALSE(shell.table.empty());
  shell.end_session(session_with(2), 1);
  CHECK_FALSE(shell.table.empty());
  CHECK(shell.table.stats().batches_in_flight == 1);
  shell.end_grace(1);
  CHECK(shell.table.empty());
}

TEST_CASE("messages of an old session change nothing") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.end_session(session_with(2, 1), 1);
  shell.event(shell.table,
              [&](auto& out) { shell.table.session_started(session_with(2, 2), out); });
  shell.arrive(11, object_of(2, 7));
  shell.confirm(session_with(2, 1), 1, {7});
  CHECK(shell.out.empty());
  CHECK(shell.table.stats().batches_in_flight == 2);
  shell.ask_barrier(session_with(2, 1), 1);
  CHECK(shell.table.stats().barriers_waiting == 0);
}

TEST_CASE("without a session messages wait, in order, and its owner is asked for") {
  borrow_shell shell;
  shell.arrive(10, object_of(5, 7));
  CHECK(shell.told<connect_to_owner>().size() == 1);
  CHECK(shell.sent<borrow_references>().empty());
  shell.drop(10, object_of(5, 7));
  shell.event(shell.table,
              [&](auto& out) { shell.table.session_started(session_with(5, 3), out); });
  REQUIRE(shell.out.size() == 2);
  CHECK(shell.sent<borrow_references>().at(0).second.session == session_id{3});
  CHECK(shell.sent<return_references>().at(0).second.session == session_id{3});
}

TEST_CASE("what is freed is told between its borrow and its return") {
  borrow_shell shell;
  auto arrived = borrow_shell::arrival(10, object_of(2, 7), 50);
  reference_traffic rest{.freed = {object_of(2, 7)},
                         .dropped = {{entry_token{10}, object_of(2, 7)}}};
  shell.event(shell.table, [&](auto& out) { shell.table.traffic({&arrived, 1}, rest, out); });
  CHECK(kinds_of(shell.out) == std::vector<std::size_t>{borrowed, freed, returned});
  CHECK(shell.sent<free_objects>().at(0).second.sequences == std::vector<std::uint64_t>{7});
}

TEST_CASE("what is freed before there is a session waits with its borrow and its return") {
  borrow_shell shell;
  shell.arrive(10, object_of(5, 7));
  shell.turn({.freed = {object_of(5, 7)}, .dropped = {{entry_token{10}, object_of(5, 7)}}});
  CHECK(shell.out.empty());
  shell.event(shell.table,
              [&](auto& out) { shell.table.session_started(session_with(5, 3), out); });
  CHECK(kinds_of(shell.out) == std::vector<std::size_t>{borrowed, freed, returned});
  CHECK(shell.sent<free_objects>().at(0).second.session == session_id{3});
}

TEST_CASE("nobody is told of what is freed when its owner is gone") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.end_session(session_with(2), 1);
  shell.turn({.freed = {object_of(2, 7)}});
  CHECK(shell.out.empty());
}

TEST_CASE("many objects that are freed at once go in several messages, each owner's to itself") {
  borrow_shell shell{{.max_batch_references = 2}};
  shell.turn({});
  for (std::uint64_t each = 1; each <= 3; ++each)
    shell.arrive(10 + each, object_of(2, each));
  shell.arrive(20, object_of(3, 9));
  shell.turn({.freed = {object_of(2, 1), object_of(3, 9), object_of(2, 2), object_of(2, 3)}});
  auto sent = shell.sent<free_objects>();
  REQUIRE(sent.size() == 3);
  CHECK(sent[0].second.sequences == std::vector<std::uint64_t>{1, 2});
  CHECK(sent[1].second.sequences == std::vector<std::uint64_t>{3});
  CHECK(sent[2].first == session_with(3));
}

TEST_CASE("references to an owner that cannot be reached fail") {
  borrow_shell shell;
  shell.arrive(10, object_of(5, 7));
  shell.event(shell.table, [&](auto& out) {
    shell.table.owner_unreachable(node_number(5), grace_number{1}, out);
  });
  CHECK(shell.told<fail_references>().at(0).reason == reference_failure::owner_died);
  shell.end_grace(1);
  CHECK(shell.table.empty());
}

TEST_CASE("only the oldest batch in flight can be confirmed") {
  borrow_shell shell;
  shell.arrive(10, object_of(2, 7));
  shell.arrive(11, object_of(2, 8));
  shell.confirm(session_with(2), 2, {8});
  CHECK(shell.out.empty());
  CHECK(shell.table.stats().batches_in_flight == 2);
}
