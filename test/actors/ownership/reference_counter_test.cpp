// The order in which a turn's changes are told to the owner.

#include "mobula/actors/ownership/reference_counter.hpp"

#include <doctest/doctest.h>

#include <mobula/testing.hpp>

using namespace mobula;

namespace {

constexpr object_record first{.sequence = 16, .size_bytes = 1, .place = object_place::pending};
constexpr object_record second{.sequence = 32, .size_bytes = 2, .place = object_place::stored};

reference_changes changes_of(std::vector<object_record> added, std::vector<object_record> sealed) {
  reference_changes result;
  result.added = std::move(added);
  result.sealed = std::move(sealed);
  return result;
}

} // namespace

TEST_CASE("a turn in which nothing happened tells nothing") {
  reference_relay relay;
  CHECK(relay.changes_taken({}).empty());
}

TEST_CASE("a turn tells additions before seals, in one message each") {
  reference_relay relay;
  auto messages = relay.changes_taken(changes_of({first, second}, {first}));
  REQUIRE(messages.size() == 2);
  CHECK(std::get<add_references>(messages[0]).references.size() == 2);
  CHECK(std::get<seal_objects>(messages[1]).objects.front().sequence == 16);
  CHECK(relay.references() == 2);
}

TEST_CASE("a turn tells removals last, and they lower the count") {
  testing::simulation sim;
  auto& node = sim.add_node();
  auto ref = node.put(1);
  sim.run();
  reference_changes changes;
  // The entry's last handle goes while nobody runs the node's own counter.
  auto& stripe = node.core().local_stripe();
  ref = {};
  stripe.take(changes);
  REQUIRE(changes.removed.size() == 1);
  changes.added.push_back(first);
  reference_relay relay;
  auto messages = relay.changes_taken(std::move(changes));
  REQUIRE(messages.size() == 2);
  CHECK(std::get<remove_references>(messages[1]).tokens->size() == 1);
  CHECK(relay.references() == 0);
}
