// What of one ask or look-up must not count in the next, limits met exactly, and the figures.

#include "push_shell.hpp"

using namespace mobula;
using namespace mobula::test;

TEST_CASE("a connection that ended is asked nothing over, although a chunk is under way") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1, 0, 100);
  shell.find(1, 100);
  shell.disconnect(1);
  shell.ask(1, 2, 1);
  CHECK(shell.refused.empty());
  CHECK(shell.table.stats().asks == 0);
  CHECK(shell.table.stats().connections == 1);
  shell.finish_send();
  CHECK(shell.table.stats().connections == 0);
}

TEST_CASE("a connection that ended is kept until its last chunk is out") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1);
  shell.ask(1, 2, 1);
  shell.find(1, 10);
  REQUIRE(shell.sends.size() == 2);
  shell.disconnect(1);
  shell.finish_send();
  CHECK(shell.table.stats().connections == 1);
  shell.finish_send();
  CHECK(shell.table.stats().connections == 0);
}

TEST_CASE("a connection that ends while it waits for its turn has none") {
  push_shell shell{push_shell::small({.max_sends = 1})};
  shell.connect(1, 1);
  shell.connect(2, 2);
  shell.ask(1, 1, 1);
  shell.find(1, 10);
  shell.ask(2, 2, 2);
  shell.find(2, 10);
  REQUIRE(shell.sending() == std::vector<std::uint64_t>{1});
  shell.disconnect(2);
  CHECK(shell.kept == std::set<std::uint64_t>{1});
  shell.finish_send();
  CHECK(shell.sends.empty());
  CHECK(shell.table.stats().connections == 1);
}

TEST_CASE("an ask that is canceled while it waits for its turn has none") {
  push_shell shell{push_shell::small({.sends_per_connection = 1})};
  shell.connect(1, 1);
  for (std::uint64_t ask : {1, 2, 3})
    shell.ask(1, ask, 1);
  shell.find(1, 10);
  shell.cancel(1, 2);
  shell.finish_send();
  CHECK(shell.sending() == std::vector<std::uint64_t>{3});
}

TEST_CASE("the last chunk of a canceled ask is not one of the next ask with its number") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1, 0, 100);
  shell.find(1, 100);
  shell.cancel(1, 1);
  shell.ask(1, 1, 1, 0, 20);
  REQUIRE(shell.sends.size() == 2);
  shell.finish_send();
  CHECK(shell.sends.size() == 1);
  shell.finish_send();
  CHECK(shell.sends.front().range == object_range{object_number(1), 10, 10});
}

TEST_CASE("an ask may end exactly where its object does") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1, 90, 10);
  shell.find(1, 100);
  shell.ask(1, 2, 1, 90, 10);
  CHECK(shell.refused.empty());
  shell.finish_all();
  CHECK(shell.sent_bytes(1, 2) == 10);
}

TEST_CASE("what was there where an object is no more does not count at its next place") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1, 0, 20);
  shell.find(1, 20, served_from_file{});
  shell.fail_send(send_failure::unreadable);
  shell.find_partly(1, 20, {});
  CHECK(shell.sends.empty());
  CHECK(shell.table.stats().parked == 1);
}

TEST_CASE("nothing more is sent from a place that turned out stale") {
  push_shell shell{push_shell::small({.sends_per_connection = 1})};
  shell.connect(1, 1);
  shell.ask(1, 1, 1);
  shell.ask(1, 2, 1);
  shell.find(1, 10, served_from_file{});
  shell.fail_send(send_failure::unreadable);
  CHECK(shell.sends.empty());
  shell.find(1, 10);
  shell.finish_all();
  CHECK(shell.sent_bytes(1, 1) == 10);
  CHECK(shell.sent_bytes(1, 2) == 10);
}

TEST_CASE("chunks in between do not make up for reads that failed") {
  push_shell shell{push_shell::small({.max_read_attempts = 2})};
  shell.connect(1, 1);
  shell.ask(1, 1, 1, 0, 30);
  shell.find(1, 30, served_from_file{});
  shell.fail_send(send_failure::unreadable);
  shell.find(1, 30, served_from_file{});
  shell.finish_send();
  shell.fail_send(send_failure::unreadable);
  CHECK(shell.refused.at(1) == refusal_reason::unreadable);
}

TEST_CASE("two chunks that cannot be read have their object looked for once") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1);
  shell.ask(1, 2, 1);
  shell.find(1, 10, served_from_file{});
  shell.fail_send(send_failure::unreadable);
  shell.fail_send(send_failure::unreadable);
  shell.find(1, 10);
  shell.finish_all();
  CHECK(shell.table.stats().failed_sends == 2);
  CHECK(shell.table.stats().sent_chunks == 2);
}

TEST_CASE("an ask whose object is looked for is not parked yet") {
  push_shell shell;
  shell.connect(1, 1);
  shell.ask(1, 1, 1);
  CHECK(shell.table.stats().parked == 0);
  shell.find_partly(1, 10, {});
  CHECK(shell.table.stats().parked == 1);
}

TEST_CASE("each refusal counts") {
  push_shell shell{push_shell::small({.asks_per_connection = 1})};
  shell.connect(1, 1);
  shell.ask(1, 1, 1);
  shell.ask(1, 2, 1);
  shell.miss(1);
  CHECK(shell.table.stats().refusals == 2);
}
