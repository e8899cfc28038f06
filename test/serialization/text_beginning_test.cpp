// Where a text is cut that is too long: never within a character.

#include "mobula/serialization/text_beginning.hpp"

#include <doctest/doctest.h>

using mobula::beginning_of;

TEST_CASE("a text that fits is its own beginning") {
  CHECK(beginning_of("", 0) == "");
  CHECK(beginning_of("text", 4) == "text");
  CHECK(beginning_of("text", 5) == "text");
}

TEST_CASE("the beginning of a text ends between two characters") {
  CHECK(beginning_of("text", 3) == "tex");
  CHECK(beginning_of("a\u00e4b", 2) == "a");
  CHECK(beginning_of("a\u00e4b", 3) == "a\u00e4");
  for (std::size_t limit = 1; limit < 5; ++limit)
    CHECK(beginning_of("a\U0001f41f", limit) == "a");
  CHECK(beginning_of("\u00e4", 1) == "");
}

TEST_CASE("the beginning of what is no UTF-8 is nearly as long as it may be") {
  CHECK(beginning_of("\x80\x80\x80\x80\x80\x80", 5).size() == 2);
  CHECK(beginning_of("\x80\x80\x80\x80\x80\x80", 2).empty());
}
