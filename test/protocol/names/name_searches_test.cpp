// Which lookups news of a name, or of a publisher, concern.

#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "mobula/actors/protocol/names/name_searches.hpp"

using namespace mobula;

namespace {

constexpr incarnation_id alice{.high = 1, .low = 1};
constexpr incarnation_id bob{.high = 1, .low = 2};

constexpr search_number number(std::uint64_t value) {
  return search_number{value};
}

using numbers = std::vector<search_number>;

} // namespace

TEST_CASE("news about a name concern those who wait for it, and no others") {
  name_searches searches;
  for (std::uint64_t other = 10; other < 1'000; ++other)
    searches.add(number(other), "name " + std::to_string(other));
  searches.add(number(2), "wanted");
  searches.add(number(1), "wanted");
  CHECK(searches.waiting_for("wanted") == numbers{number(1), number(2)});
  CHECK(searches.waiting_for("unknown").empty());
  searches.check_invariants();
}

TEST_CASE("who has asked a publisher waits for it alone, until it is lost") {
  name_searches searches;
  searches.add(number(1), "wanted");
  searches.ask(number(1), alice);
  CHECK(searches.asked(number(1)) == alice);
  CHECK(searches.waiting_for("wanted").empty());
  CHECK(searches.asked_of(alice) == numbers{number(1)});
  searches.ask_nobody(number(1));
  CHECK(searches.waiting_for("wanted") == numbers{number(1)});
  CHECK(searches.asked_of(alice).empty());
  searches.check_invariants();
}

TEST_CASE("who asks another publisher waits for the first one no longer") {
  name_searches searches;
  searches.add(number(1), "wanted");
  searches.ask(number(1), alice);
  searches.ask(number(1), bob);
  CHECK(searches.asked(number(1)) == bob);
  CHECK(searches.asked_of(alice).empty());
  CHECK(searches.asked_of(bob) == numbers{number(1)});
  searches.check_invariants();
}

TEST_CASE("the end of one search leaves the others that wait for the same") {
  name_searches searches;
  for (std::uint64_t each : {1, 2, 3})
    searches.add(number(each), "wanted");
  searches.remove(number(2));
  CHECK(searches.waiting_for("wanted") == numbers{number(1), number(3)});
  searches.check_invariants();
}

TEST_CASE("nobody waits any more when all searches are over") {
  name_searches searches;
  searches.add(number(1), "wanted");
  searches.add(number(2), "wanted");
  searches.ask(number(2), alice);
  searches.clear();
  CHECK(searches.waiting_for("wanted").empty());
  CHECK(searches.asked_of(alice).empty());
  CHECK(searches.size() == 0);
}

TEST_CASE("a search that is over is found nowhere") {
  name_searches searches;
  searches.add(number(1), "wanted");
  searches.add(number(2), "wanted");
  searches.ask(number(2), alice);
  searches.remove(number(1));
  searches.remove(number(2));
  searches.remove(number(2));
  CHECK(searches.waiting_for("wanted").empty());
  CHECK(searches.asked_of(alice).empty());
  CHECK(searches.size() == 0);
  searches.check_invariants();
}
