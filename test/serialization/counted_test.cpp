#include "mobula/serialization/counted.hpp"

#include <limits>

#include <doctest/doctest.h>

#include "mobula/serialization/array_shape.hpp"
#include "mobula/serialization/error.hpp"

using namespace mobula;

TEST_CASE("a count has its noun in the singular only for one") {
  CHECK(counted(0, "byte") == "0 bytes");
  CHECK(counted(1, "byte") == "1 byte");
  CHECK(counted(2, "byte") == "2 bytes");
  CHECK(counted(std::numeric_limits<std::uint64_t>::max(), "byte") == "18446744073709551615 bytes");
}

TEST_CASE("words that go with a count change with it") {
  CHECK(counted(0, "value is", "values are") == "0 values are");
  CHECK(counted(1, "value is", "values are") == "1 value is");
  CHECK(counted(2, "copy", "copies") == "2 copies");
}

TEST_CASE("an array of one element is refused in the singular") {
  try {
    require_shape(array_shape{1, 1}, 3);
    FAIL("the shape was taken");
  } catch (const object_error& error) {
    CHECK(error.info().message.find("stands for 1 element,") != std::string::npos);
  }
}
