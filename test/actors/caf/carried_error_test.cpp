// Errors inside of messages to other nodes.

#include <doctest/doctest.h>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/exit_reason.hpp>

#include "mobula/actors/caf/caf_error.hpp"

using namespace mobula;

namespace {

template <class T>
std::vector<char> written(T value) {
  std::vector<char> result;
  caf::binary_serializer sink{nullptr, result};
  REQUIRE(!sink(value));
  return result;
}

/// Returns what is read of it; nothing if that fails.
std::optional<error_info> read(const std::vector<char>& bytes) {
  error_info result;
  caf::binary_deserializer source{nullptr, bytes};
  if (source(result))
    return std::nullopt;
  return result;
}

error_info nested(std::size_t levels) {
  error_info result{.message = "innermost"};
  for (std::size_t level = 1; level < levels; ++level)
    result = {.message = "outer", .causes = {std::move(result)}};
  return result;
}

std::size_t levels_of(const error_info& error) {
  return 1 + (error.causes.empty() ? 0 : levels_of(error.causes.front()));
}

} // namespace

TEST_CASE("an error crosses in a message with all that it says") {
  error_info error{.type = error_type::out_of_disk_error,
                   .message = "a text",
                   .origin = {.task = "t", .node = "n", .process = 7},
                   .exception_type = "std::runtime_error",
                   .stack_trace = {"one", "two"},
                   .causes = {nested(3)}};
  CHECK(read(written(error)) == error);
}

TEST_CASE("an error that crosses in a message nests no deeper than an encoded one") {
  auto arrived = read(written(nested(100)));
  REQUIRE(arrived);
  CHECK(levels_of(*arrived) == error_limits::depth);
}

TEST_CASE("a message whose error is none cannot be read") {
  CHECK_FALSE(read(written(std::string{"garbage"})));
  CHECK_FALSE(read({}));
}

TEST_CASE("an error of CAF's own is told in words, with its name") {
  auto ended = to_error_info(caf::make_error(caf::sec::request_receiver_down));
  CHECK(ended.type == error_type::actor_died);
  CHECK(ended.message.starts_with("the actor that was asked has ended (CAF's "));
  CHECK(ended.message.find("request_receiver_down") != std::string::npos);
  auto lost = to_error_info(caf::make_error(caf::exit_reason::remote_link_unreachable));
  CHECK(lost.message.starts_with("the connection to the actor's process was lost (CAF's "));
  auto late = to_error_info(caf::make_error(caf::sec::request_timeout));
  CHECK(late.type == error_type::get_timed_out);
  CHECK(late.message.starts_with("no answer came before the time limit"));
}

TEST_CASE("an error of CAF's that has no words here keeps its name") {
  CHECK(
    to_error_info(caf::make_error(caf::sec::bad_function_call)).message.find("bad_function_call")
    != std::string::npos);
}
