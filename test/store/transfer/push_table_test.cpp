// What a node sends to those that ask: Ray's tests of its push manager and of what it reads for
// them (reference list D), against our rules.
//
// Where we differ, and why:
//
// | Ray                                | here                                                     |
// |------------------------------------|----------------------------------------------------------|
// | a push is of a whole object        | of the range that was asked for; the reader decides what |
// |                                    | is missing                                               |
// | a duplicate push sends all chunks  | a duplicate ask joins the first; what got lost is asked  |
// | again in the same stream           | for anew, under another number                           |
// | waits up to ten seconds for an     | refuses at once: the owner knows who has it              |
// | object that is not here            |                                                          |

#include "push_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// One connection of one node, and an object of a hundred bytes that has been found.
void open_object(push_shell& shell) {
  shell.connect(1, 1);
  shell.ask(1, 1, 1, 0, 100);
  shell.find(1, 100);
}

using asks = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("an ask is answered by chunks in order (SingleTransfer)") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1, 5, 25);
  CHECK(shell.finding.contains(1));
  shell.find(1, 100);
  CHECK(shell.sends.front().range == object_range{object_number(1), 5, 10});
  shell.finish_all();
  CHECK(shell.sent_bytes(1, 1) == 25);
  CHECK(shell.kept.empty());
  CHECK(shell.table.stats().asks == 0);
}

TEST_CASE("an ask has one chunk under way, and ends with its last one (PushState)") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1, 0, 30);
  shell.find(1, 30);
  for (int i = 0; i < 3; ++i) {
    CHECK(shell.sends.size() == 1);
    CHECK(shell.table.stats().asks == 1);
    shell.finish_send();
  }
  CHECK(shell.table.stats().asks == 0);
}

TEST_CASE("a duplicate ask joins the first (RetryDuplicates)") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1, 0, 30);
  shell.find(1, 30);
  shell.finish_send();
  shell.ask(1, 1, 1, 0, 30);
  shell.finish_all();
  CHECK(shell.sent_bytes(1, 1) == 30);
}

TEST_CASE("bytes that were sent are sent again when asked for anew (ResendWholeObject)") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1, 0, 30);
  shell.find(1, 30);
  shell.finish_send();
  shell.ask(1, 2, 1, 0, 30);
  shell.finish_all();
  CHECK(shell.sent_bytes(1, 1) == 30);
  CHECK(shell.sent_bytes(1, 2) == 30);
}

TEST_CASE("asks for one object share one look-up, whoever asks") {
  push_shell shell;
  shell.connect(1, 1);
  shell.connect(2, 2);
  shell.ask(1, 1, 1);
  shell.ask(2, 2, 1);
  CHECK(shell.finding.size() == 1);
  shell.find(1, 10);
  shell.finish_all();
  CHECK(shell.sent_bytes(1, 1) == 10);
  CHECK(shell.sent_bytes(2, 2) == 10);
}

// -- turns --------------------------------------------------------------------------

TEST_CASE("chunks under way are limited for each connection") {
  push_shell shell;
  shell.connect(1, 1);
  for (std::uint64_t ask = 1; ask <= 5; ++ask)
    shell.ask(1, ask, 1);
  shell.find(1, 10);
  CHECK(shell.sending() == asks{1, 2});
  shell.finish_send();
  CHECK(shell.sending() == asks{2, 3});
}

TEST_CASE("chunks under way are limited over all connections (MultipleTransfers)") {
  push_shell shell{push_shell::small({.max_sends = 3, .readers_per_object = 9})};
  for (std::uint64_t connection = 1; connection <= 4; ++connection) {
    shell.connect(connection, connection);
    shell.ask(connection, connection, 1);
  }
  shell.find(1, 10);
  CHECK(shell.sends.size() == 3);
  shell.finish_all();
  CHECK(shell.table.stats().sent_bytes == 40);
}

TEST_CASE("asks of a connection take turns (PushMultipleObject)") {
  push_shell shell{push_shell::small({.sends_per_connection = 1})};
  shell.connect(1, 1);
  for (std::uint64_t ask = 1; ask <= 3; ++ask) {
    shell.ask(1, ask, ask, 0, 20);
    shell.find(ask, 20);
  }
  asks order;
  while (!shell.sends.empty()) {
    order.push_back(shell.sending().front());
    shell.finish_send();
  }
  CHECK(order == asks{1, 2, 3, 1, 2, 3});
}

TEST_CASE("connections take turns, however many asks each has") {
  push_shell shell{push_shell::small({.max_sends = 1})};
  shell.connect(1, 1);
  shell.connect(2, 2);
  for (std::uint64_t ask : {10, 11, 12, 13})
    shell.ask(1, ask, 1);
  shell.find(1, 10);
  shell.ask(2, 20, 2);
  shell.find(2, 10);
  shell.finish_send();
  CHECK(shell.sending() == asks{11});
  shell.finish_send();
  CHECK(shell.sending() == asks{20});
}

TEST_CASE("asks beyond the limits are refused as busy") {
  push_shell shell{push_shell::small({.asks_per_connection = 2, .max_asks = 3})};
  shell.connect(1, 1);
  shell.connect(2, 1);
  for (std::uint64_t ask : {1, 2, 3})
    shell.ask(1, ask, 1);
  CHECK(shell.refused.at(3) == refusal_reason::busy);
  shell.ask(2, 4, 1);
  shell.ask(2, 5, 1);
  CHECK(shell.refused.at(5) == refusal_reason::busy);
}

// -- ends ---------------------------------------------------------------------------

TEST_CASE("a node's death drops its asks, on all of its connections (NodeRemoved)") {
  push_shell shell{push_shell::small({.sends_per_connection = 1})};
  open_object(shell);
  shell.connect(2, 1);
  shell.ask(2, 2, 1);
  shell.event([&](auto& out) { shell.table.node_lost(node_number(1), out); });
  CHECK(shell.table.stats().asks == 0);
  CHECK(shell.kept.contains(1));
  shell.fail_send(send_failure::connection_lost);
  shell.fail_send(send_failure::connection_lost);
  CHECK(shell.kept.empty());
  CHECK(shell.table.stats().connections == 0);
}

TEST_CASE("a connection's end leaves the asks of others") {
  push_shell shell;
  open_object(shell);
  shell.connect(2, 1);
  shell.ask(2, 2, 1);
  shell.disconnect(1);
  shell.finish_all();
  CHECK(shell.sent_bytes(2, 2) == 10);
}

TEST_CASE("a send that finds its connection lost ends the connection") {
  push_shell shell;
  open_object(shell);
  shell.fail_send(send_failure::connection_lost);
  CHECK(shell.table.stats().connections == 0);
  CHECK(shell.kept.empty());
}

TEST_CASE("a canceled ask gets no further chunk") {
  push_shell shell;
  open_object(shell);
  shell.cancel(1, 1);
  shell.finish_all();
  CHECK(shell.sent_bytes(1, 1) == 10);
  CHECK(shell.refused.empty());
  CHECK(shell.kept.empty());
}

TEST_CASE("a canceled ask whose number is used again does not end the new one") {
  push_shell shell;
  open_object(shell);
  shell.cancel(1, 1);
  shell.ask(1, 1, 1, 0, 20);
  shell.finish_all();
  CHECK(shell.table.stats().sent_bytes == 30);
  CHECK(shell.table.stats().asks == 0);
}

TEST_CASE("what is not here is refused") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1);
  shell.miss(1);
  CHECK(shell.refused.at(1) == refusal_reason::not_here);
  CHECK(shell.table.stats().objects == 0);
}

TEST_CASE("an ask beyond the object's end is refused, before and after it is found") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1, 95, 10);
  shell.ask(1, 2, 1, 0, 100);
  shell.find(1, 100);
  CHECK(shell.refused.at(1) == refusal_reason::out_of_range);
  shell.ask(1, 3, 1, 100, 1);
  CHECK(shell.refused.at(3) == refusal_reason::out_of_range);
}

TEST_CASE("when an object goes its asks are refused, and it is kept for the chunks under way") {
  push_shell shell;
  open_object(shell);
  shell.lose_object(1);
  CHECK(shell.refused.at(1) == refusal_reason::not_here);
  CHECK(shell.kept.contains(1));
  shell.ask(1, 2, 1);
  CHECK(shell.refused.at(2) == refusal_reason::not_here);
  shell.finish_send();
  CHECK(shell.kept.empty());
}

TEST_CASE("an object that goes while it is looked for is not served") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1);
  shell.lose_object(1);
  shell.find(1, 10);
  CHECK(shell.refused.at(1) == refusal_reason::not_here);
  CHECK(shell.kept.empty());
}

TEST_CASE("an object that is found when nobody asks any more is released") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1);
  shell.disconnect(1);
  shell.find(1, 10);
  CHECK(shell.kept.empty());
}

TEST_CASE("a node that shuts down refuses what is open and what comes") {
  push_shell shell;
  open_object(shell);
  shell.event([&](auto& out) { shell.table.shut_down(out); });
  CHECK(shell.refused.at(1) == refusal_reason::shutting_down);
  shell.ask(1, 2, 2);
  CHECK(shell.refused.at(2) == refusal_reason::shutting_down);
  shell.finish_all();
  CHECK(shell.kept.empty());
}

// -- places -------------------------------------------------------------------------

TEST_CASE("a spilled object is sent from its file (spilled_object_test)") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1);
  auto place = served_from_file{{spill_file_id{3}, spill_directory{0}, 4'096, 200}, 40};
  shell.find(1, 80, place);
  CHECK(shell.sends.front().place == served_place{place});
}

TEST_CASE("an object that is not where it was found is looked for again") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1, 0, 20);
  shell.find(1, 20, served_from_file{});
  shell.finish_send();
  shell.fail_send(send_failure::unreadable);
  CHECK(shell.finding.contains(1));
  shell.find(1, 20, served_from_memory{});
  CHECK(shell.sends.front().place == served_place{served_from_memory{}});
  shell.finish_all();
  CHECK(shell.sent_bytes(1, 1) == 20);
}

TEST_CASE("an object is looked for again only when nothing of it is under way") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1);
  shell.ask(1, 2, 1);
  shell.find(1, 20, served_from_file{});
  shell.fail_send(send_failure::unreadable);
  CHECK(shell.finding.empty());
  shell.finish_send();
  CHECK(shell.finding.contains(1));
}

TEST_CASE("an object that cannot be read again and again is refused") {
  push_shell shell{push_shell::small({.max_read_attempts = 3})};
  shell.connect(1, 1);
  shell.ask(1, 1, 1);
  for (int i = 0; i < 3; ++i) {
    shell.find(1, 10, served_from_file{});
    shell.fail_send(send_failure::unreadable);
  }
  CHECK(shell.refused.at(1) == refusal_reason::unreadable);
  CHECK(shell.table.stats().objects == 0);
}

// -- copies that are still arriving -------------------------------------------------

TEST_CASE("a copy that is still arriving serves what is there, and the rest when it comes") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1, 0, 20);
  byte_ranges available;
  available.add({0, 5});
  shell.find_partly(1, 20, available);
  shell.finish_send();
  CHECK(shell.sent_bytes(1, 1) == 5);
  CHECK(shell.table.stats().parked == 1);
  shell.arrive(1, {5, 20});
  shell.finish_all();
  CHECK(shell.sent_bytes(1, 1) == 20);
}

TEST_CASE("bytes that arrive while the copy is looked for count") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1);
  shell.arrive(1, {0, 10});
  shell.find_partly(1, 10, {});
  CHECK(shell.sends.size() == 1);
}

TEST_CASE("parked asks are refused when the copy is given up") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1);
  shell.find_partly(1, 10, {});
  shell.lose_object(1);
  CHECK(shell.refused.at(1) == refusal_reason::not_here);
  CHECK(shell.kept.empty());
}

// -- readers of one object ----------------------------------------------------------

TEST_CASE("only so many nodes read one object at a time") {
  push_shell shell;
  for (std::uint64_t node : {1, 2, 3}) {
    shell.connect(node, node);
    shell.ask(node, node, 1);
  }
  CHECK(shell.refused.at(3) == refusal_reason::busy);
  shell.ask(3, 4, 2);
  CHECK_FALSE(shell.refused.contains(4));
}

TEST_CASE("a reader's place goes on when it has no ask open") {
  push_shell shell{push_shell::small({.readers_per_object = 1})};
  shell.connect(1, 1);
  shell.connect(2, 2);
  shell.ask(1, 1, 1);
  shell.find(1, 10);
  shell.finish_all();
  shell.ask(2, 2, 1);
  shell.ask(1, 3, 1);
  CHECK_FALSE(shell.refused.contains(2));
  CHECK(shell.refused.at(3) == refusal_reason::busy);
}

TEST_CASE("several connections of a node are one reader") {
  push_shell shell{push_shell::small({.readers_per_object = 1})};
  shell.connect(1, 1);
  shell.connect(2, 1);
  shell.ask(1, 1, 1);
  shell.ask(2, 2, 1);
  CHECK(shell.refused.empty());
}
