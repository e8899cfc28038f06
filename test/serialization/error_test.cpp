// The bytes of an encoded error, against golden ones, damage and hostile lengths, and its text.

#include "mobula/serialization/error.hpp"

#include "bytes.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace mobula;
using namespace mobula::test;

namespace {

error_info sample() {
  return {.type = error_type::task_execution_exception,
          .message = "boom",
          .origin = {.task = "t", .node = "n1", .process = 258},
          .exception_type = "std::runtime_error",
          .stack_trace = {"f", "g"},
          .causes = {{.type = error_type::owner_died, .message = "gone"}}};
}

/// Bytes of `sample()`: a change of these breaks every reader outside of this repository.
constexpr auto sample_hex = "4d424552 01 000000"
                            "0300 0201000000000000"
                            "04000000 626f6f6d"
                            "01000000 74"
                            "02000000 6e31"
                            "12000000 7374643a3a72756e74696d655f6572726f72"
                            "02000000 01000000 66 01000000 67"
                            "01000000"
                            "0900 0000000000000000"
                            "04000000 676f6e65"
                            "00000000 00000000 00000000 00000000 00000000";

error_info nested_errors(std::size_t levels) {
  error_info result{.type = error_type::object_lost, .message = std::to_string(levels)};
  if (levels > 1)
    result.causes.push_back(nested_errors(levels - 1));
  return result;
}

std::size_t depth_of(const error_info& info) {
  return info.causes.empty() ? 1 : 1 + depth_of(info.causes.front());
}

/// An error all of whose texts have so many bytes.
error_info wordy_error(std::size_t text_bytes) {
  std::string text(text_bytes, 'a');
  return {.message = text,
          .origin = {.task = text, .node = text},
          .exception_type = text,
          .stack_trace = {text}};
}

/// Where the lengths of these texts stand in the encoded error.
std::vector<std::size_t> length_offsets(std::size_t text_bytes) {
  auto first = std::size_t{18};
  auto next = 4 + text_bytes;
  // Ahead of the frame stands the number of frames.
  return {first, first + next, first + 2 * next, first + 3 * next, first + 4 * next + 4};
}

/// Adds one to the number at the offset, and a byte behind it.
std::vector<std::byte> one_longer(std::vector<std::byte> bytes, std::size_t offset) {
  auto at = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
  *at = static_cast<std::byte>(std::to_integer<int>(*at) + 1);
  bytes.insert(at + 4, std::byte{'a'});
  return bytes;
}

} // namespace

// -- encoding -------------------------------------------------------------------------------------

TEST_CASE("an error is encoded as documented") {
  CHECK(to_hex(encode(sample())) == to_hex(from_hex(sample_hex)));
}

TEST_CASE("the documented bytes of an error are decoded") {
  auto info = decode_error_info(from_hex(sample_hex));
  REQUIRE(info);
  CHECK(*info == sample());
}

TEST_CASE("an error of each type survives its encoding") {
  for (std::uint16_t number = 0; number <= 254; ++number) {
    if (!error_type_from_number(number))
      continue;
    error_info info{.type = *error_type_from_number(number), .message = "m"};
    info.origin.process = std::numeric_limits<std::int64_t>::min();
    auto copy = decode_error_info(encode(info));
    REQUIRE(copy);
    CHECK(*copy == info);
  }
}

TEST_CASE("an error cut at any byte is refused") {
  auto bytes = encode(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(decode_error_info(std::span{bytes}.first(size)));
}

TEST_CASE("an error with a byte too many is refused") {
  auto bytes = encode(sample());
  bytes.push_back(std::byte{0});
  auto result = decode_error_info(bytes);
  REQUIRE_FALSE(result);
  CHECK(result.error().offset == bytes.size() - 1);
}

TEST_CASE("an error of an unknown version or type is refused") {
  auto bytes = encode(sample());
  auto other_version = bytes;
  other_version[4] = std::byte{2};
  CHECK(to_string(decode_error_info(other_version).error())
        == "unknown version of an encoded error at byte 4");
  auto retired_type = bytes;
  retired_type[8] = std::byte{2};
  CHECK(to_string(decode_error_info(retired_type).error()) == "unknown error type at byte 8");
}

TEST_CASE("a reserved byte of an encoded error has to be zero") {
  for (std::size_t offset : {5, 6, 7}) {
    auto bytes = encode(sample());
    bytes[offset] = std::byte{1};
    CHECK(to_string(decode_error_info(bytes).error())
          == "a reserved byte is not zero at byte " + std::to_string(offset));
  }
}

TEST_CASE("more frames than the following bytes can hold are refused where they are counted") {
  auto bytes = encode(sample());
  bytes[59] = std::byte{20};
  CHECK(to_string(decode_error_info(bytes).error())
        == "a count is larger than the bytes that follow can hold at byte 59");
}

TEST_CASE("a hostile length in an error allocates nothing and is refused") {
  auto bytes = encode(sample());
  for (auto offset : {18, 26, 31, 37, 59, 73})
    for (auto value : {std::byte{0x7f}, std::byte{0xff}}) {
      auto hostile = bytes;
      std::fill_n(hostile.begin() + offset, 4, value);
      CHECK_FALSE(decode_error_info(hostile));
    }
}

TEST_CASE("an error nested up to the limit survives, beyond it is cut") {
  auto whole = nested_errors(error_limits::depth);
  CHECK(*decode_error_info(encode(whole)) == whole);
  auto cut = decode_error_info(encode(nested_errors(error_limits::depth + 5)));
  REQUIRE(cut);
  CHECK(depth_of(*cut) == error_limits::depth);
}

TEST_CASE("an encoded error that nests beyond the limit is refused") {
  // The innermost record of an error at the limit ends in its number of causes.
  auto bytes = encode(nested_errors(error_limits::depth));
  auto cause = encode(error_info{});
  bytes[bytes.size() - 4] = std::byte{1};
  bytes.insert(bytes.end(), cause.begin() + 8, cause.end());
  CHECK_FALSE(decode_error_info(bytes));
}

TEST_CASE("a text that is too long is cut between two characters") {
  error_info info{.message = std::string(error_limits::text_bytes - 1, 'a') + "\u00e4"};
  auto copy = decode_error_info(encode(info));
  REQUIRE(copy);
  CHECK(copy->message == std::string(error_limits::text_bytes - 1, 'a'));
}

TEST_CASE("a text is cut in front of the character that the limit falls into") {
  for (std::string character : {"\u00e4", "\u20ac", "\U0001f41f"})
    for (std::size_t within = 1; within < character.size(); ++within) {
      std::string whole(error_limits::text_bytes - within, 'a');
      auto copy = decode_error_info(encode({.message = whole + character + "more"}));
      REQUIRE(copy);
      CHECK(copy->message == whole);
    }
}

TEST_CASE("a text that ends or begins a character exactly at the limit loses none") {
  for (std::string character : {"\u00e4", "\u20ac", "\U0001f41f"}) {
    auto whole = std::string(error_limits::text_bytes - character.size(), 'a') + character;
    CHECK(decode_error_info(encode({.message = whole}))->message == whole);
    CHECK(decode_error_info(encode({.message = whole + character}))->message == whole);
  }
}

TEST_CASE("a text that is no UTF-8 is cut within four bytes of the limit") {
  auto copy =
    decode_error_info(encode({.message = std::string(error_limits::text_bytes + 9, '\x80')}));
  REQUIRE(copy);
  CHECK(copy->message.size() == error_limits::text_bytes - 3);
}

TEST_CASE("a text of one-byte characters is cut exactly at the limit") {
  auto copy =
    decode_error_info(encode({.message = std::string(error_limits::text_bytes + 9, 'a')}));
  REQUIRE(copy);
  CHECK(copy->message.size() == error_limits::text_bytes);
}

TEST_CASE("each text of an error may be as long as the limit, and is cut beyond it") {
  auto longest = wordy_error(error_limits::text_bytes);
  CHECK(*decode_error_info(encode(longest)) == longest);
  CHECK(*decode_error_info(encode(wordy_error(error_limits::text_bytes + 1))) == longest);
}

TEST_CASE("an encoded error with a text beyond the limit is refused") {
  auto bytes = encode(wordy_error(error_limits::text_bytes));
  for (auto offset : length_offsets(error_limits::text_bytes)) {
    auto result = decode_error_info(one_longer(bytes, offset));
    REQUIRE_FALSE(result);
    CHECK(to_string(result.error())
          == "a text is longer than allowed at byte " + std::to_string(offset));
  }
}

TEST_CASE("an encoded error with more frames or causes than allowed is refused") {
  error_info info;
  info.stack_trace.assign(error_limits::frames, "");
  auto frames = one_longer(encode(info), 34);
  frames.insert(frames.end() - 4, 3, std::byte{0});
  CHECK(to_string(decode_error_info(frames).error())
        == "a count is larger than allowed at byte 34");
  info.stack_trace.clear();
  info.causes.assign(error_limits::causes, {});
  auto causes = one_longer(encode(info), 38);
  causes.insert(causes.end(), 100, std::byte{0});
  CHECK(to_string(decode_error_info(causes).error())
        == "a count is larger than allowed at byte 38");
}

TEST_CASE("too many frames and causes are cut") {
  error_info info;
  info.stack_trace.assign(error_limits::frames + 1, "frame");
  info.causes.assign(error_limits::causes + 1, {});
  auto copy = decode_error_info(encode(info));
  REQUIRE(copy);
  CHECK(copy->stack_trace.size() == error_limits::frames);
  CHECK(copy->causes.size() == error_limits::causes);
}

TEST_CASE("random bytes are no error") {
  std::mt19937_64 engine{1};
  for (int i = 0; i < 100'000; ++i) {
    auto bytes = random_bytes(engine, 200);
    REQUIRE_FALSE(decode_error_info(bytes));
    // The same behind a good head, which random bytes never have.
    auto head = from_hex("4d424552 01000000");
    bytes.insert(bytes.begin(), head.begin(), head.end());
    auto result = decode_error_info(bytes);
    REQUIRE((!result || encode(*result) == bytes));
  }
}

// -- text -----------------------------------------------------------------------------------------

TEST_CASE("an error is printed with its causes indented") {
  CHECK(to_string(sample())
        == "task_execution_exception: boom\n"
           "  raised in task t on node n1 in process 258\n"
           "  exception std::runtime_error\n"
           "    at f\n"
           "    at g\n"
           "  caused by\n"
           "    owner_died: gone");
}

TEST_CASE("each line of a message is indented") {
  error_info info{.type = error_type::object_lost,
                  .causes = {{.type = error_type::node_died, .message = "a\nb"}}};
  CHECK(to_string(info) == "object_lost\n  caused by\n    node_died: a\n    b");
}

TEST_CASE("an object error carries its description and prints it") {
  object_error error{sample()};
  CHECK(error.type() == error_type::task_execution_exception);
  CHECK(error.info() == sample());
  CHECK(error.what() == to_string(sample()));
}
