// For how long each address of a node is tried, and what of failures is told.

#include <doctest/doctest.h>

#include "mobula/store/port/address_attempts.hpp"

using namespace mobula;
using namespace std::chrono_literals;

TEST_CASE("an only address is waited for as long as there is time") {
  address_attempts attempts{1, 5s};
  CHECK(attempts.patience() == 5s);
  CHECK_FALSE(attempts.failed(connect_failure::refused));
  CHECK(attempts.worst() == connect_failure::refused);
}

TEST_CASE("each address takes half of the time that is left, the last one all of it") {
  address_attempts attempts{3, 4s};
  CHECK(attempts.patience() == 2s);
  CHECK(attempts.failed(connect_failure::silent));
  CHECK(attempts.current() == 1);
  CHECK(attempts.patience() == 1s);
  CHECK(attempts.failed(connect_failure::refused));
  CHECK(attempts.current() == 2);
  CHECK(attempts.patience() == 1s);
  CHECK_FALSE(attempts.failed(connect_failure::no_route));
  CHECK(attempts.current() == 2);
}

TEST_CASE("of several failures the one counts that the next attempt pays most for") {
  using enum connect_failure;
  for (auto first : {refused, no_route, another_node, silent})
    for (auto second : {refused, no_route, another_node, silent}) {
      address_attempts attempts{2, 1s};
      static_cast<void>(attempts.failed(first));
      static_cast<void>(attempts.failed(second));
      if (first == silent || second == silent)
        CHECK(attempts.worst() == silent);
      else if (first == another_node || second == another_node)
        CHECK(attempts.worst() == another_node);
      else
        CHECK((attempts.worst() == no_route) == (first == no_route || second == no_route));
    }
}
