// When a leaving node is done: all who refer to its objects have answered, let go, or run out of
// time.

#include <doctest/doctest.h>

#include <vector>

#include <mobula/actors/protocol/references/drain_table.hpp>

using namespace mobula;

namespace {

constexpr incarnation_id one{.high = 1, .low = 1};
constexpr incarnation_id other{.high = 1, .low = 2};

/// A drain of two objects that both nodes refer to.
struct two_objects {
  drain_table table;

  two_objects() {
    for (const auto& node : {one, other})
      for (std::uint64_t sequence : {1, 2})
        CHECK(table.ask(node, sequence) == drain_table::asking::first_time);
  }

  void keep(const incarnation_id& node, std::vector<std::uint64_t> sequences) {
    table.kept(node, sequences);
  }

  void lose(const incarnation_id& node, std::vector<std::uint64_t> sequences) {
    table.lost(node, sequences);
  }
};

} // namespace

TEST_CASE("a drain of nothing is done") {
  drain_table table;
  CHECK(table.done());
  CHECK(table.result() == drain_result{});
}

TEST_CASE_FIXTURE(two_objects, "a drain is done when all have answered for all") {
  keep(one, {1, 2});
  keep(other, {1});
  CHECK_FALSE(table.done());
  lose(other, {2});
  CHECK(table.done());
  CHECK(table.result() == drain_result{.kept = 3, .lost = 1});
}

TEST_CASE_FIXTURE(two_objects, "who lets go, or is gone, has nothing to keep") {
  table.let_go(one, 1);
  keep(one, {2});
  table.node_left(other);
  CHECK(table.done());
  CHECK(table.result() == drain_result{.kept = 1, .lost = 0});
}

TEST_CASE_FIXTURE(two_objects, "nobody is asked twice") {
  keep(one, {1});
  CHECK(table.ask(one, 1) == drain_table::asking::again);
  CHECK(table.ask(one, 2) == drain_table::asking::again);
  keep(one, {2});
  keep(other, {1, 2});
  CHECK(table.done());
}

TEST_CASE_FIXTURE(two_objects, "answers that nobody asked for count for nothing") {
  keep(one, {1, 1, 3});
  lose({.high = 9, .low = 9}, {1});
  CHECK(table.result() == drain_result{.kept = 1, .lost = 0});
}

TEST_CASE_FIXTURE(two_objects, "what nobody answers for in time is lost") {
  keep(one, {1});
  CHECK_FALSE(table.stopped());
  table.stop();
  CHECK(table.stopped());
  CHECK(table.done());
  CHECK(table.result() == drain_result{.kept = 1, .lost = 3});
}

TEST_CASE("each reason to look at an object is given once") {
  drain_table table;
  table.look_at(1);
  table.look_at(2);
  CHECK(table.take_new() == std::vector<std::uint64_t>{1, 2});
  CHECK(table.take_new().empty());
}

TEST_CASE("an object without a value is looked at again only when that is asked for") {
  drain_table table;
  table.pending(1);
  table.pending(1);
  CHECK(table.take_new().empty());
  CHECK(table.take_pending() == std::set<std::uint64_t>{1});
  CHECK(table.take_pending().empty());
}

TEST_CASE("among a million objects a message costs those that it names") {
  drain_table table;
  for (std::uint64_t sequence = 0; sequence < 1'000'000; ++sequence)
    table.look_at(sequence);
  CHECK(table.take_new().size() == 1'000'000);
  std::size_t looks = 0;
  for (std::uint64_t message = 0; message < 1'000; ++message) {
    table.look_at(message);
    looks += table.take_new().size();
  }
  CHECK(looks == 1'000);
}
