// How long owners are searched for that this node has no session with.

#include "mobula/actors/protocol/membership/owner_search.hpp"

#include <doctest/doctest.h>

using namespace mobula;

namespace {

constexpr incarnation_id one{.high = 1, .low = 1};
constexpr incarnation_id other{.high = 1, .low = 2};

bool everybody(const incarnation_id&) {
  return true;
}

bool nobody(const incarnation_id&) {
  return false;
}

} // namespace

TEST_CASE("an owner for whom nobody vouches for a whole round is given up") {
  owner_search search;
  CHECK(search.begin(one));
  CHECK(search.round_over(nobody).empty());
  CHECK(search.round_over(nobody) == std::vector{one});
  CHECK(search.idle());
}

TEST_CASE("an owner that is vouched for and never reached is given up after the last round") {
  owner_search search;
  CHECK(search.begin(one));
  for (std::uint32_t round = 1; round < owner_search::max_rounds; ++round)
    CHECK(search.round_over(everybody).empty());
  CHECK(search.round_over(everybody) == std::vector{one});
}

TEST_CASE("an owner that is found is not given up") {
  owner_search search;
  CHECK(search.begin(one));
  CHECK(search.round_over(everybody).empty());
  search.found(one);
  CHECK(search.round_over(nobody).empty());
  CHECK(search.idle());
}

TEST_CASE("rounds are needed until the last owner is found") {
  owner_search search;
  CHECK(search.begin(one));
  CHECK_FALSE(search.begin(other));
  search.found(one);
  CHECK_FALSE(search.idle());
  CHECK_FALSE(search.begin(one));
  search.found(one);
  search.found(other);
  CHECK(search.idle());
}

TEST_CASE("a search that begins within a round joins it, and has a whole one of its own") {
  owner_search search;
  CHECK(search.begin(one));
  CHECK(search.round_over(nobody).empty());
  CHECK_FALSE(search.begin(other));
  CHECK(search.round_over(nobody) == std::vector{one});
  CHECK_FALSE(search.idle());
  CHECK(search.round_over(nobody) == std::vector{other});
}

TEST_CASE("a search that is begun again while it runs does not start anew") {
  owner_search search;
  CHECK(search.begin(one));
  CHECK(search.round_over(nobody).empty());
  CHECK_FALSE(search.begin(one));
  CHECK(search.round_over(nobody) == std::vector{one});
}

TEST_CASE("an owner that was given up can be sought again") {
  owner_search search;
  CHECK(search.begin(one));
  CHECK(search.round_over(nobody).empty());
  CHECK(search.round_over(nobody).size() == 1);
  CHECK(search.begin(one));
}
