// Answers that come late: what happened meanwhile, and what is on its way when the rest is chosen.

#include "shard_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr store_config plain{.capacity_bytes = 100, .spill_threshold = 1.0, .low_water = 1.0};

/// A store whose shards answer when the test says so.
struct late_shell : shard_shell {
  explicit late_shell(store_config config = plain) : shard_shell(config, answers::late) {
  }

  /// Returns the open question about space, or none.
  std::optional<try_reclaim> reclaim(std::size_t index) const {
    auto* question = std::get_if<try_reclaim>(&questions.at(index));
    return question == nullptr ? std::nullopt : std::optional{*question};
  }
};

} // namespace

// -- pins -----------------------------------------------------------------------

TEST_CASE_FIXTURE(late_shell, "the last reader's report may overtake the answer about space") {
  put(1, 100, copy_kind::secondary);
  REQUIRE(pin(1));
  create(2, 50);
  REQUIRE(words.at(object_number(1)).try_reclaim() == reclaim_result::pinned);
  questions.clear();
  unpin(1);
  event([&](auto& out) {
    table.reclaim_refused(object_number(1), reclaim_obstacle::pinned, use_stamp{}, out);
  });
  REQUIRE(questions.size() == 1);
  answer(0);
  CHECK(was_granted(2));
}

TEST_CASE_FIXTURE(late_shell,
                  "an object that is released while its readers are asked for is doomed") {
  put(1, 100, copy_kind::secondary);
  REQUIRE(pin(1));
  create(2, 50);
  release(1);
  answer(0);
  REQUIRE(questions.size() == 1);
  CHECK(reclaim(0)->reason == reclaim_reason::release);
  answer(0);
  CHECK_FALSE(pin(1));
  CHECK(table.stats().doomed == object_tally{1, 100});
}

TEST_CASE_FIXTURE(late_shell, "a copy that was found pinned may still be spared once") {
  put(1, 50, copy_kind::secondary);
  put(2, 50, copy_kind::secondary);
  pin(1);
  pin(2);
  create(3, 50);
  answer(0);
  answer(0);
  touch(1);
  unpin(1);
  unpin(2);
  REQUIRE(questions.size() == 1);
  while (!questions.empty())
    answer(0);
  CHECK(freed_order() == std::vector<std::uint64_t>{2});
}

// -- on the way -----------------------------------------------------------------

TEST_CASE_FIXTURE(late_shell, "what was released counts as space on its way") {
  put(1, 50, copy_kind::secondary);
  put(2, 50, copy_kind::secondary);
  release(1);
  create(3, 50);
  CHECK(questions.size() == 1);
  answer(0);
  CHECK(was_granted(3));
  CHECK(in_memory(2));
}

TEST_CASE_FIXTURE(late_shell, "a released object that was not yet let go is no stall") {
  put(1, 100);
  release(1);
  create(2, 50);
  CHECK_FALSE(stall);
}

TEST_CASE("what is being written counts as space on its way") {
  shard_shell shell;
  shell.put(1, 50);
  shell.put(2, 50);
  shell.create(3, 30);
  shell.create(4, 20);
  CHECK(shell.spills.size() == 1);
}

TEST_CASE_FIXTURE(late_shell, "credit that is recalled counts as space on its way") {
  put(1, 50);
  lend(50);
  create(2, 50);
  CHECK(open_recalls == 1);
  CHECK(questions.empty());
  CHECK_FALSE(stall);
  answer_recall();
  CHECK(was_granted(2));
}

TEST_CASE("credit that a creator has taken is no space on its way") {
  shard_shell shell;
  shell.put(1, 50);
  shell.lend(50);
  shell.take_credit(50);
  shell.create(2, 50);
  CHECK(shell.recalls == 1);
  CHECK(shell.spill_order() == std::vector<std::uint64_t>{1});
}

TEST_CASE_FIXTURE(late_shell, "nothing is lent while a recall is on its way") {
  lend(50);
  create(1, 60);
  cancel(1);
  REQUIRE(open_recalls == 1);
  CHECK(table.lendable_bytes() == 0);
  answer_recall();
  CHECK(table.lendable_bytes() == 100);
}

TEST_CASE_FIXTURE(spilled_fixture, "a read under way is no stall") {
  release(2);
  request(50, 1);
  REQUIRE(restores.size() == 1);
  create(3, 60);
  CHECK_FALSE(stall);
}

TEST_CASE("credit that lies idle is recalled although none was left for the last who asked") {
  shard_shell shell;
  shell.put(1, 60);
  shell.lend(40);
  shell.lend(40);
  shell.create(2, 30);
  CHECK(shell.recalls == 1);
  CHECK(shell.was_granted(2));
}

TEST_CASE("shutting down recalls no credit that creators have taken") {
  shard_shell shell;
  shell.lend(100);
  shell.take_credit(100);
  shell.create(1, 50);
  REQUIRE(shell.recalls == 1);
  shell.shut_down();
  CHECK(shell.recalls == 1);
  shell.take_back(100);
  CHECK(shell.drained);
}

TEST_CASE("a store that has shut down lends nothing, and is drained once") {
  shard_shell shell;
  shell.put(1, 10);
  shell.pin(1);
  shell.shut_down();
  shell.lend(50);
  CHECK(shell.idle_credit == 0);
  shell.unpin(1);
  REQUIRE(shell.drained);
  shell.lend(50);
  CHECK(shell.idle_credit == 0);
}

// -- spells ---------------------------------------------------------------------

TEST_CASE("a spell of pressure ends when it has freed a whole store") {
  late_shell shell{{.capacity_bytes = 100, .spill_threshold = 0.5, .low_water = 0.5}};
  shell.put(1, 40, copy_kind::secondary);
  shell.pin(1);
  shell.put(2, 40, copy_kind::secondary);
  shell.answer(0);
  shell.touch(2);
  shell.answer(0);
  REQUIRE_FALSE(shell.reclaim(0)->known_use);
  shell.pin(2);
  shell.answer(0);
  for (std::uint64_t number = 10; number < 20; ++number) {
    shell.create(number, 10);
    shell.abort(number);
  }
  shell.unpin(2);
  CHECK(shell.reclaim(0)->known_use);
  // The next spell has only begun.
  shell.touch(2);
  shell.answer(0);
  CHECK_FALSE(shell.reclaim(0)->known_use);
}

TEST_CASE_FIXTURE(spilled_fixture, "a copy that was restored is as unused as a new one") {
  release(2);
  request(50, 1);
  finish_restore();
  touch(1);
  create(3, 60);
  REQUIRE(was_granted(3));
  abort(3);
  request(51, 1);
  finish_restore();
  put(4, 40, copy_kind::secondary);
  create(5, 40);
  CHECK(in_memory(4));
  CHECK_FALSE(in_memory(1));
}

// -- the disk -------------------------------------------------------------------

TEST_CASE("a write that succeeds after one that failed has objects written again") {
  shard_shell shell;
  shell.put(1, 50);
  shell.put(2, 50);
  shell.create(3, 100);
  REQUIRE(shell.spills.size() == 2);
  shell.fail_spill(spill_error::io_error);
  CHECK(shell.spills.size() == 1);
  shell.finish_spill();
  CHECK(shell.spill_order() == std::vector<std::uint64_t>{1});
}

TEST_CASE("a write that was canceled says nothing about the disk") {
  shard_shell shell;
  shell.put(1, 50);
  shell.put(2, 50);
  shell.create(3, 40);
  REQUIRE(shell.spill_order() == std::vector<std::uint64_t>{1});
  shell.release(1);
  shell.fail_spill(spill_error::canceled);
  REQUIRE(shell.was_granted(3));
  shell.create(4, 40);
  CHECK(shell.spill_order() == std::vector<std::uint64_t>{2});
  CHECK(shell.table.stats().spill_failures == 0);
}

TEST_CASE("what was written makes space before what was used since") {
  shard_shell shell;
  shell.put(1, 50);
  shell.put(2, 50, copy_kind::secondary);
  shell.pin(2);
  shell.create(3, 50);
  REQUIRE(shell.spill_order() == std::vector<std::uint64_t>{1});
  shell.unpin(2);
  shell.finish_spill();
  CHECK(shell.was_granted(3));
  CHECK(shell.in_memory(2));
}
