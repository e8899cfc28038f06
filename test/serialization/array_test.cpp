// Shapes and arrays: which shapes there are, and how elements are found.

#include "mobula/serialization/array.hpp"
#include "mobula/serialization/error.hpp"

#include "bytes.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

using namespace mobula;
using namespace mobula::test;

namespace {

std::vector<int> ascending(std::size_t count) {
  std::vector<int> result(count);
  std::iota(result.begin(), result.end(), 0);
  return result;
}

constexpr auto huge = std::uint64_t{1} << 32;

} // namespace

TEST_CASE("a shape knows its extents and their product") {
  array_shape shape{2, 3, 4};
  CHECK(shape.dimensions() == 3);
  CHECK(shape[1] == 3);
  CHECK(shape.elements() == 24);
  CHECK(array_shape{}.dimensions() == 0);
  CHECK(array_shape{}.elements() == 0);
  CHECK(array_shape{5, 0}.elements() == 0);
}

TEST_CASE("a shape has at most eight dimensions") {
  CHECK(array_shape{1, 1, 1, 1, 1, 1, 1, 1}.dimensions() == 8);
  CHECK_THROWS_AS((array_shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), object_error);
  const std::vector<std::uint64_t> eight(8, 1), nine(9, 1);
  CHECK(array_shape::valid(eight));
  CHECK_FALSE(array_shape::valid(nine));
}

TEST_CASE("a shape whose strides would overflow is refused") {
  CHECK_THROWS_AS((array_shape{huge, huge}), object_error);
  CHECK_THROWS_AS((array_shape{std::numeric_limits<std::uint64_t>::max()}), object_error);
  CHECK(array_shape{huge, huge / 4}.elements() == std::uint64_t{1} << 62);
}

TEST_CASE("a shape is refused for the product of all its extents, wherever the large ones stand") {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max() / 2;
  CHECK_THROWS_AS((array_shape{huge, 1, huge}), object_error);
  CHECK_THROWS_AS((array_shape{most, 2}), object_error);
  CHECK_THROWS_AS((array_shape{2, 1, most}), object_error);
}

TEST_CASE("who is refused a shape is told its numbers") {
  CHECK_THROWS_WITH((array_shape{1, 1, 1, 1, 1, 1, 1, 1, 1}),
                    doctest::Contains("a shape of 9 dimensions has more than 8"));
  CHECK_THROWS_WITH((array_shape{huge, huge}),
                    doctest::Contains("4294967296 x 4294967296 has more elements than the "
                                      "9223372036854775807 that can be counted"));
  CHECK_THROWS_WITH(require_shape({2, 2}, 6),
                    doctest::Contains("2 x 2 of an array stands for 4 elements, but it has 6"));
}

TEST_CASE("a shape may have 2^63 - 1 elements, and not one more") {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max() / 2;
  CHECK(array_shape{most}.elements() == most);
  CHECK(array_shape{1, most, 1}.elements() == most);
  CHECK_THROWS_AS((array_shape{most + 1}), object_error);
  // 2^63 - 1 is 7 times this.
  CHECK(array_shape{7, most / 7}.elements() == most);
  CHECK_THROWS_AS((array_shape{7, most / 7 + 1}), object_error);
}

TEST_CASE("a shape without elements may be as large as one with them") {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max() / 2;
  CHECK(array_shape{0}.elements() == 0);
  CHECK(array_shape{0, most}.elements() == 0);
  CHECK(array_shape{most, 0}.elements() == 0);
  CHECK_THROWS_AS((array_shape{0, most + 1}), object_error);
}

TEST_CASE("a shape without elements may not hide an overflow either") {
  CHECK_THROWS_AS((array_shape{huge, huge, 0}), object_error);
  CHECK_THROWS_AS((array_shape{0, huge, huge}), object_error);
}

TEST_CASE("shapes are equal when their extents are") {
  CHECK(array_shape{2, 3} == array_shape{2, 3});
  CHECK(array_shape{2, 3} != array_shape{3, 2});
  CHECK(array_shape{6} != array_shape{6, 1});
}

TEST_CASE("an array views the elements it was made of") {
  auto elements = ascending(6);
  array<int> values{elements};
  CHECK(values.data() == elements.data());
  CHECK(values.size() == 6);
  CHECK(values.size_bytes() == 6 * sizeof(int));
  CHECK(values[5] == 5);
  CHECK(std::accumulate(values.begin(), values.end(), 0) == 15);
}

TEST_CASE("the last index of an array varies fastest") {
  auto elements = ascending(24);
  array<int> values{elements, {2, 3, 4}};
  CHECK(values(0, 0, 3) == 3);
  CHECK(values(0, 1, 0) == 4);
  CHECK(values(1, 0, 0) == 12);
  CHECK(values(1, 2, 3) == 23);
}

TEST_CASE("an array refuses a shape that does not match its elements") {
  auto elements = ascending(6);
  CHECK_THROWS_AS((array<int>{elements, {2, 2}}), object_error);
  CHECK_THROWS_AS((array<int>{elements, {2, 4}}), object_error);
  CHECK_THROWS_AS((array<int>{elements, array_shape{}}), object_error);
  CHECK_THROWS_AS((array<int>{std::span<const int>{}, array_shape{}}), object_error);
}

TEST_CASE("an empty array has one dimension and no elements") {
  array<double> values;
  CHECK(values.empty());
  CHECK(values.shape() == array_shape{0});
  CHECK(values.begin() == values.end());
}

TEST_CASE("arrays are equal when shapes and elements are") {
  auto elements = ascending(6);
  auto copy = elements;
  CHECK(array<int>{elements, {2, 3}} == array<int>{copy, {2, 3}});
  CHECK(array<int>{elements, {2, 3}} != array<int>{copy, {3, 2}});
  copy.back() = 7;
  CHECK(array<int>{elements} != array<int>{copy});
}

TEST_CASE("bytes view memory and compare by content") {
  auto content = from_text("abc");
  auto copy = content;
  CHECK(bytes{content}.data() == content.data());
  CHECK(bytes{content}.size() == 3);
  CHECK(bytes{content}[1] == std::byte{'b'});
  CHECK(bytes{content} == bytes{copy});
  CHECK(bytes{}.empty());
}
