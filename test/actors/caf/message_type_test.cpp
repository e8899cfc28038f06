// What types say of themselves to be in messages: their fields cross in order, those that would
// arrive as others are refused, and what is not valid is not received.

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/deep_to_string.hpp>
#include <doctest/doctest.h>

#include "mobula/actors/caf/message_registry.hpp"
#include "mobula/actors/caf/message_type.hpp"

using namespace mobula;

namespace elsewhere {

struct nothing {};
MOBULA_MESSAGE(elsewhere::nothing)

struct point {
  int x = 0;
  int y = 0;
};
MOBULA_MESSAGE(elsewhere::point, x, y)

struct even {
  int number = 0;
};

bool is_even(const even& value) {
  return value.number % 2 == 0;
}

MOBULA_CHECKED_MESSAGE(elsewhere::even, is_even, number)

} // namespace elsewhere

namespace {

struct twenty_fields {
  int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s;
  elsewhere::point t;
};
MOBULA_MESSAGE(twenty_fields, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t)

struct inexact_in_a_type_of_its_own {
  double value = 0;
};

/// Has no name of its own.
struct point_in_space : elsewhere::point {
  int z = 0;
};

template <class T>
concept named_message = requires {
  mobula_name_of_message(static_cast<const T* const*>(nullptr));
};

template <class T>
std::vector<char> written(T value) {
  std::vector<char> bytes;
  caf::binary_serializer sink{nullptr, bytes};
  REQUIRE(!sink(value));
  return bytes;
}

template <class T>
caf::error read(const std::vector<char>& bytes, T& value) {
  caf::binary_deserializer source{nullptr, bytes};
  return source(value);
}

// -- which types are refused ----------------------------------------------------------------------

static_assert(has_inexact_numbers<float>);
static_assert(has_inexact_numbers<double>);
static_assert(has_inexact_numbers<long double>);
static_assert(has_inexact_numbers<const double>);
static_assert(has_inexact_numbers<double[3]>);
static_assert(has_inexact_numbers<std::array<float, 2>>);
static_assert(has_inexact_numbers<std::optional<double>>);
static_assert(has_inexact_numbers<std::vector<std::vector<double>>>);
static_assert(has_inexact_numbers<std::set<double>>);
static_assert(has_inexact_numbers<std::pair<int, float>>);
static_assert(has_inexact_numbers<std::tuple<int, std::optional<double>>>);
static_assert(has_inexact_numbers<std::map<std::string, double>>);
static_assert(has_inexact_numbers<std::unordered_map<int, std::vector<float>>>);
static_assert(!has_inexact_numbers<int>);
static_assert(!has_inexact_numbers<std::string>);
static_assert(!has_inexact_numbers<std::vector<std::string>>);
static_assert(!has_inexact_numbers<std::map<int, std::optional<int>>>);
// Answers for itself, where its own fields are named.
static_assert(!has_inexact_numbers<inexact_in_a_type_of_its_own>);

static_assert(named_message<elsewhere::point>);
static_assert(!named_message<point_in_space>);

static_assert(decltype(internal::types_of_fields(0))::arrive_as_they_are);
static_assert(!decltype(internal::types_of_fields(0, 1, 1.5))::arrive_as_they_are);

} // namespace

TEST_CASE("the fields of a message are written side by side, and nothing else") {
  CHECK(written(elsewhere::nothing{}).empty());
  CHECK(written(elsewhere::point{1, 2}) == std::vector<char>{0, 0, 0, 1, 0, 0, 0, 2});
}

TEST_CASE("a message has as many fields as it likes, some of types with fields of their own") {
  twenty_fields sent{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, {20, 21}};
  twenty_fields received{};
  REQUIRE(!read(written(sent), received));
  CHECK(received.a == 1);
  CHECK(received.p == 16);
  CHECK(received.s == 19);
  CHECK(received.t.x == 20);
  CHECK(received.t.y == 21);
}

TEST_CASE("a message is printed with the name that was written") {
  CHECK(caf::deep_to_string(elsewhere::point{1, 2}) == "elsewhere::point(1, 2)");
  CHECK(caf::deep_to_string(elsewhere::nothing{}) == "elsewhere::nothing()");
}

TEST_CASE("what is not valid is not received") {
  elsewhere::even received;
  CHECK(!read(written(elsewhere::even{4}), received));
  CHECK(received.number == 4);
  CHECK(read(written(elsewhere::even{3}), received) == caf::sec::invalid_argument);
  CHECK(read({0, 0}, received) == caf::sec::end_of_stream);
}

TEST_CASE("types are known by the names that were written") {
  caf::actor_system_config config;
  add_messages<elsewhere::point, twenty_fields>(config);
  add_message<std::vector<elsewhere::nothing>>(config, "several");
  CHECK(config.value_factories_by_name.count("elsewhere::point") == 1);
  CHECK(config.value_factories_by_name.count("twenty_fields") == 1);
  CHECK(config.value_factories_by_name.count("several") == 1);
}
