// What an error says of the exception that it was made from, with all that was nested in it.

#include "mobula/serialization/error.hpp"

#include <doctest/doctest.h>

#include <exception>
#include <stdexcept>

using namespace mobula;

namespace {

constexpr auto failed = error_type::task_execution_exception;

struct my_exception : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Describes what `thrower` throws, caught as its static base.
template <class Thrower>
error_info describe(Thrower thrower, std::string message = {}) {
  try {
    thrower();
  } catch (...) {
    return describe_current_exception(failed, std::move(message));
  }
  return {};
}

void throw_nested(int levels) {
  try {
    if (levels == 0)
      throw my_exception("innermost");
    throw_nested(levels - 1);
  } catch (...) {
    std::throw_with_nested(std::logic_error("level " + std::to_string(levels)));
  }
}

std::size_t depth_of(const error_info& info) {
  return info.causes.empty() ? 1 : 1 + depth_of(info.causes.front());
}

} // namespace

TEST_CASE("the description of an exception names its dynamic type and its text") {
  auto info = describe([] { throw my_exception("no luck"); });
  CHECK(info.type == failed);
  CHECK(info.message == "no luck");
  CHECK(info.exception_type.ends_with("my_exception"));
  CHECK(info.causes.empty());
}

TEST_CASE("the caller's message goes before that of the exception") {
  CHECK(describe([] { throw my_exception("no luck"); }, "task f").message == "task f: no luck");
}

TEST_CASE("the caller says where the error happened") {
  error_origin origin{.task = "f", .node = "n", .process = 7};
  try {
    throw my_exception("");
  } catch (...) {
    CHECK(describe_current_exception(failed, "", origin).origin == origin);
  }
}

TEST_CASE("nested exceptions become causes, from the outermost to the innermost") {
  auto info = describe([] { throw_nested(1); });
  CHECK(info.message == "level 1");
  REQUIRE(info.causes.size() == 1);
  CHECK(info.causes[0].message == "level 0");
  REQUIRE(info.causes[0].causes.size() == 1);
  CHECK(info.causes[0].causes[0].message == "innermost");
  CHECK(info.causes[0].causes[0].exception_type.ends_with("my_exception"));
}

TEST_CASE("an endless chain of nested exceptions is cut") {
  CHECK(depth_of(describe([] { throw_nested(100); })) == error_limits::depth);
}

TEST_CASE("the error of an argument is the cause of the task's error") {
  error_info argument{.type = error_type::owner_died, .message = "gone"};
  auto info = describe([&] { throw object_error(argument); });
  CHECK(info.type == failed);
  CHECK(info.message == "failed with owner_died: gone");
  REQUIRE(info.causes.size() == 1);
  CHECK(info.causes[0] == argument);
}

TEST_CASE("a message names what failed first, and no more of it than fits into a line or two") {
  error_info info{.type = error_type::owner_died, .message = "the first"};
  for (int round = 0; round < 100; ++round)
    info = describe([&] { throw object_error(info); });
  CHECK(info.message == "failed with owner_died: the first");
  error_info endless{.type = error_type::owner_died, .message = std::string(1'000'000, 'x')};
  auto cut = describe([&] { throw object_error(endless); });
  CHECK(cut.message.size() < 500);
  CHECK(cut.message.ends_with("x…"));
  CHECK(cut.causes.at(0) == endless);
  CHECK(describe([] { throw object_error{{.type = error_type::owner_died}}; }).message
        == "failed with owner_died");
}

TEST_CASE("errors that follow from each other end in the first one, however many there are") {
  error_info info{.type = error_type::owner_died, .message = "the first"};
  for (int round = 0; round < 100; ++round) {
    info = describe([&] { throw object_error(info); });
    REQUIRE(depth_of(info) <= error_limits::depth);
  }
  CHECK(depth_of(info) == error_limits::depth);
  const auto* last = &info;
  while (!last->causes.empty())
    last = &last->causes.front();
  CHECK(last->message == "the first");
}

TEST_CASE("an error that follows from one within exceptions is cut as well") {
  error_info info{.type = error_type::owner_died, .message = "the first"};
  for (int round = 0; round < 100; ++round)
    info = describe([&] {
      try {
        throw object_error(info);
      } catch (...) {
        std::throw_with_nested(my_exception("outer"));
      }
    });
  CHECK(depth_of(info) == error_limits::depth);
}

TEST_CASE("an object error within an ordinary exception is found") {
  auto info = describe([] {
    try {
      throw object_error(error_info{.type = error_type::object_lost});
    } catch (...) {
      std::throw_with_nested(my_exception("outer"));
    }
  });
  REQUIRE(info.causes.size() == 1);
  REQUIRE(info.causes[0].causes.size() == 1);
  CHECK(info.causes[0].causes[0].type == error_type::object_lost);
}

TEST_CASE("an object error and the exception nested in it are both causes") {
  auto info = describe([] {
    try {
      throw my_exception("inner");
    } catch (...) {
      std::throw_with_nested(object_error(error_info{.type = error_type::object_lost}));
    }
  });
  REQUIRE(info.causes.size() == 2);
  CHECK(info.causes[0].type == error_type::object_lost);
  CHECK(info.causes[1].message == "inner");
}

TEST_CASE("nested exceptions have the type that the caller gave the outer one") {
  try {
    throw_nested(0);
  } catch (...) {
    auto info = describe_current_exception(error_type::encode_failed);
    REQUIRE(info.causes.size() == 1);
    CHECK(info.causes[0].type == error_type::encode_failed);
  }
}

TEST_CASE("what is thrown need not be a standard exception") {
  CHECK(describe([] { throw 42; }).exception_type == "int");
  CHECK(describe([] { throw 42; }).message
        == "an exception that is not derived from std::exception");
  CHECK(describe([] { throw "text"; }).message == "text");
  CHECK(describe([] { throw static_cast<const char*>(nullptr); }).message.empty());
  CHECK(describe([] { throw std::string{"more text"}; }).message == "more text");
}

TEST_CASE("the description of an exception has the stack of its handler") {
  CHECK_FALSE(describe([] { throw my_exception(""); }).stack_trace.empty());
}
