// Numbers and names of errors: Ray's where there are such, and our own.

#include "mobula/serialization/error_type.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace mobula;

TEST_CASE("errors that Ray knows have Ray's numbers") {
  CHECK(static_cast<int>(error_type::worker_died) == 0);
  CHECK(static_cast<int>(error_type::task_execution_exception) == 3);
  CHECK(static_cast<int>(error_type::object_lost) == 8);
  CHECK(static_cast<int>(error_type::owner_died) == 9);
  CHECK(static_cast<int>(error_type::object_fetch_timed_out) == 14);
  CHECK(static_cast<int>(error_type::out_of_disk_error) == 20);
  CHECK(static_cast<int>(error_type::object_unreconstructable_lineage_disabled) == 32);
  CHECK(static_cast<int>(error_type::streaming_generator_replay_inconsistent) == 34);
}

TEST_CASE("every number from 0 to 34 but the retired one is an error") {
  for (std::uint16_t number = 0; number <= 34; ++number)
    CHECK(error_type_from_number(number).has_value() == (number != 2));
}

TEST_CASE("our own errors are numbered from 100 to 112") {
  for (std::uint16_t number = 35; number < 300; ++number)
    CHECK(error_type_from_number(number).has_value() == (number >= 100 && number <= 112));
}

TEST_CASE("no error has a number above 254, which an 8-bit code could not carry") {
  for (std::uint32_t number = 255; number <= 0xFFFF; ++number)
    REQUIRE_FALSE(error_type_from_number(static_cast<std::uint16_t>(number)).has_value());
}

TEST_CASE("every error has a name of its own, from which it can be parsed back") {
  std::set<std::string> names;
  for (std::uint16_t number = 0; number <= 254; ++number) {
    auto type = error_type_from_number(number);
    if (!type)
      continue;
    CHECK(static_cast<std::uint16_t>(*type) == number);
    CHECK(parse_error_type(to_string(*type)) == type);
    names.emplace(to_string(*type));
  }
  CHECK(names.size() == 47);
}

TEST_CASE("what is no error has no name and no number") {
  CHECK(to_string(static_cast<error_type>(2)) == "unknown");
  CHECK_FALSE(parse_error_type("unknown").has_value());
  CHECK_FALSE(parse_error_type("").has_value());
}
