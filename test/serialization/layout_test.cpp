// Fingerprints of structures: equal where memory is alike, different where it is not, the same for
// every compiler.

#include "mobula/serialization/layout.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace mobula;

namespace example {

enum class colour : std::int16_t { red };
enum class wide_colour : std::int32_t { red };
enum class unsigned_colour : std::uint16_t { red };

struct point {
  double x;
  double y;
};

struct small_point {
  float x;
  float y;
};

struct swapped {
  float b;
  std::int32_t a;
};

struct ordered {
  std::int32_t a;
  float b;
};

struct polygon {
  point corners[2];
  colour filling;
  char label[5];
  bool closed;
};

struct flat_polygon {
  double numbers[4];
  colour filling;
  char label[5];
  bool closed;
};

struct words {
  std::int64_t first;
  std::uint64_t second;
};

struct long_words {
  long long first;
  unsigned long long second;
};

struct many {
  int numbers[1000];
};

struct rare {
  long double number;
  wchar_t letter;
  char16_t half;
  unsigned char byte;
  int* address;
  int many::*member;
};

union either {
  int number;
  float fraction;
};

} // namespace example

namespace {

constexpr std::uint64_t number_of(layout_fingerprint layout) {
  return static_cast<std::uint64_t>(layout);
}

} // namespace

TEST_CASE("types whose names tell everything have no fingerprint") {
  CHECK(layout_of<int> == layout_fingerprint::none);
  CHECK(raw_layout<std::string> == layout_fingerprint::none);
  CHECK(raw_layout<bytes> == layout_fingerprint::none);
  CHECK(raw_layout<array<double>> == layout_fingerprint::none);
  CHECK(raw_layout<std::array<std::array<int, 2>, 3>> == layout_fingerprint::none);
}

TEST_CASE("structures that differ in the size, kind or order of members differ") {
  CHECK(layout_of<example::point> != layout_of<example::small_point>);
  CHECK(layout_of<example::ordered> != layout_of<example::swapped>);
  CHECK(layout_of<example::point> != layout_of<example::words>);
  CHECK(layout_of<example::many> != layout_fingerprint::none);
  CHECK(layout_of<example::either> != layout_fingerprint::none);
}

TEST_CASE("enumerations of one name differ in their sizes and signs") {
  CHECK(layout_of<example::colour> != layout_fingerprint::none);
  CHECK(layout_of<example::colour> != layout_of<example::wide_colour>);
  CHECK(layout_of<example::colour> != layout_of<example::unsigned_colour>);
  CHECK(raw_layout<std::vector<example::colour>> == layout_of<example::colour>);
}

TEST_CASE("what lies in memory alike has one fingerprint, however it is nested or named") {
  CHECK(layout_of<example::polygon> == layout_of<example::flat_polygon>);
  CHECK(layout_of<example::words> == layout_of<example::long_words>);
}

TEST_CASE("containers have the fingerprint of their elements") {
  CHECK(raw_layout<std::vector<example::point>> == layout_of<example::point>);
  CHECK(raw_layout<array<example::point>> == layout_of<example::point>);
  CHECK(layout_of<std::array<example::point, 3>> == layout_of<example::point>);
}

TEST_CASE("every compiler computes the same fingerprints") {
  CHECK(number_of(layout_of<example::point>) == 0x564d97f8b8f619d5);
  CHECK(number_of(layout_of<example::polygon>) == 0xe615b5f6c446a586);
  CHECK(number_of(layout_of<example::many>) == 0x89f4eb48577663f4);
  CHECK(number_of(layout_of<example::rare>) == 0xdebb3e207d2852b9);
  CHECK(number_of(layout_of<example::either>) == 0xc812e4bd40682be5);
}
