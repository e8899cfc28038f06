// Which word is meant by one that was typed wrongly.

#include <doctest/doctest.h>

#include <mobula/runtime/nearest_word.hpp>

using namespace mobula;
using namespace mobula::internal;

namespace {

const std::vector<std::string> commands{"status", "memory", "objects"};

} // namespace

TEST_CASE("letters that are changed, added, left out or exchanged are one typing error each") {
  CHECK(typing_errors("memory", "memory") == 0);
  CHECK(typing_errors("menory", "memory") == 1);
  CHECK(typing_errors("memmory", "memory") == 1);
  CHECK(typing_errors("memry", "memory") == 1);
  CHECK(typing_errors("memroy", "memory") == 1);
  CHECK(typing_errors("", "memory") == 6);
  CHECK(typing_errors("memory", "") == 6);
  CHECK(typing_errors("kitten", "sitting") == 3);
}

TEST_CASE("of the words that are like the typed one, the one with the fewest errors is meant") {
  CHECK(nearest_word("memroy", commands) == "memory");
  CHECK(nearest_word("object", commands) == "objects");
  CHECK(nearest_word("stat", commands) == "status");
  CHECK(nearest_word("--sortby", {"--sort-by", "--group-by"}) == "--sort-by");
}

TEST_CASE("a word that begins like a known one is like it, however much is missing") {
  CHECK(nearest_word("me", commands) == "memory");
}

TEST_CASE("a word that is like none is not guessed at") {
  CHECK(!nearest_word("nonsense", commands));
  CHECK(!nearest_word("", commands));
  CHECK(!nearest_word("m", commands));
  CHECK(!nearest_word("memory", {}));
  CHECK(did_you_mean("nonsense", commands).empty());
}

TEST_CASE("an error text ends in a question, if there is one to ask") {
  CHECK(did_you_mean("memroy", commands) == "; did you mean \"memory\"?");
}
