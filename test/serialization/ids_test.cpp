// Ids as bytes and as text, both ways.

#include "mobula/serialization/ids.hpp"

#include <doctest/doctest.h>

using namespace mobula;

namespace {

constexpr object_id sample{.owner = {.high = 0x0123456789abcdef, .low = 0xfedcba9876543210},
                           .sequence = 42};

} // namespace

TEST_CASE("an object id survives its fixed encoding") {
  CHECK(object_id::decode(sample.encode()) == sample);
}

TEST_CASE("the fixed encoding of an object id is little-endian") {
  auto bytes = sample.encode();
  CHECK(bytes[0] == std::byte{0xef});
  CHECK(bytes[8] == std::byte{0x10});
  CHECK(bytes[16] == std::byte{42});
}

TEST_CASE("an object id survives its text form") {
  auto text = to_string(sample);
  CHECK(text == "0123456789abcdeffedcba9876543210-42");
  CHECK(parse_object_id(text) == sample);
}

TEST_CASE("text that is no object id is refused") {
  for (auto* text :
       {"", "-", "0123456789abcdeffedcba9876543210", "0123456789abcdeffedcba9876543210-",
        "0123456789abcdeffedcba9876543210-4x", "0123456789abcdeffedcba987654321g-4"})
    CHECK_FALSE(parse_object_id(text).has_value());
}
