// Values in JSON: its form as documented, and text that is no such value.

#include "bytes.hpp"
#include "codec_types.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <optional>
#include <variant>

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr auto json = codec_id::cereal_json;

template <class T>
T read_json(std::string_view text) {
  return codec<T, json>::read(from_text(text));
}

} // namespace

TEST_CASE("JSON has the value under one name") {
  CHECK(to_text(encoded<json>(42)) == "{\n\"value\": 42\n}");
  CHECK(to_text(encoded<json>(std::vector<int>{1, 2})) == "{\n\"value\": [\n1,\n2\n]\n}");
}

TEST_CASE("JSON names the parts of standard types as documented") {
  auto json_of = [](const auto& value) {
    auto text = to_text(encoded<json>(value));
    std::erase_if(text, [](char character) { return character == '\n' || character == ' '; });
    return text.substr(9, text.size() - 10);
  };
  CHECK(json_of(std::map<std::string, int>{{"a", 1}}) == R"([{"key":"a","value":1}])");
  CHECK(json_of(std::pair{1, true}) == R"({"first":1,"second":true})");
  CHECK(json_of(std::tuple{1, 2}) == R"({"tuple_element0":1,"tuple_element1":2})");
  CHECK(json_of(std::optional<int>{}) == R"({"nullopt":true})");
  CHECK(json_of(std::optional<int>{1}) == R"({"nullopt":false,"data":1})");
  CHECK(json_of(std::variant<int, bool>{true}) == R"({"index":1,"data":true})");
  CHECK(json_of(std::make_unique<int>(5)) == R"({"ptr_wrapper":{"valid":1,"data":5}})");
  CHECK(json_of(std::make_shared<int>(5)) == R"({"ptr_wrapper":{"id":2147483649,"data":5}})");
  CHECK(json_of(described{7}) == R"({"value0":7})");
  CHECK(json_of(std::numeric_limits<double>::infinity()) == "Infinity");
}

TEST_CASE("JSON written by others is read") {
  CHECK(read_json<int>(R"({"value":42})") == 42);
  auto value = read_json<person>(R"( {"value": {"age": 36, "name": "Ada", "children": []}} )");
  CHECK(value == person{.name = "Ada", .age = 36});
}

TEST_CASE("values survive JSON") {
  auto survives = [](const auto& value) {
    return round_trip<json>(value) == value;
  };
  CHECK(survives(std::numeric_limits<std::int64_t>::min()));
  CHECK(survives(std::numeric_limits<std::uint64_t>::max()));
  CHECK(survives(0.1));
  CHECK(survives(std::numeric_limits<double>::max()));
  CHECK(survives(std::numeric_limits<double>::infinity()));
  CHECK(survives(true));
  CHECK(survives(colour::green));
  CHECK(survives(std::string{"quotes \" and \\ and \n and \u00e4"}));
  CHECK(survives(std::vector<std::string>{"a", ""}));
  CHECK(survives(std::map<std::string, int>{{"a", 1}}));
  CHECK(survives(std::optional<int>{}));
  CHECK(survives(std::variant<int, std::string>{"text"}));
  CHECK(survives(std::tuple<int, std::string>{1, "x"}));
  CHECK(survives(person{.name = "Ada", .age = 36, .children = {"Byron"}}));
}

TEST_CASE("a string with a NUL, which JSON archives cut, is refused when written") {
  CHECK_THROWS_AS(encoded<json>(std::string{"with\0NUL", 8}), codec_error);
  CHECK(round_trip<json>(std::string{"\\u0000"}) == "\\u0000");
}

TEST_CASE("text that is no JSON of the wanted type is refused") {
  for (auto* text :
       {"", " ", "{", "{}", "[]", "[1]", "null", "42", "{\"value\": }", "{\"other\": 1}",
        "{\"value\": \"text\"}", "{\"value\": 1.5}", "{\"value\": 99999999999}", "{\"value\": 1} 2",
        "{\"value\": [1]}", "{\"value\": {}}"})
    CHECK_THROWS_AS(read_json<int>(text), codec_error);
  CHECK_THROWS_AS(read_json<person>(R"({"value": [1, 2]})"), codec_error);
  CHECK_THROWS_AS((read_json<std::array<std::string, 2>>(R"({"value": ["a"]})")), codec_error);
}

TEST_CASE("JSON cut at any byte is refused") {
  auto bytes = encoded<json>(person{.name = "Ada", .age = 36, .children = {"Byron"}});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_THROWS_AS((codec<person, json>::read(std::span{bytes}.first(size))), codec_error);
}

TEST_CASE("JSON nested too deeply is refused when read and when written") {
  CHECK_THROWS_AS(read_json<int>(std::string(1'000'000, '[')), codec_error);
  CHECK(length_of(round_trip<json>(chain_of(100))) == 100);
  CHECK_THROWS_AS(encoded<json>(chain_of(1000)), codec_error);
}

TEST_CASE("JSON may nest 512 levels deep, wherever they begin, and not one more") {
  auto check = [](const std::string& text) {
    detail::check_json(from_text(text));
  };
  CHECK_NOTHROW(check(std::string(512, '[')));
  CHECK_THROWS_AS(check(std::string(513, '[')), codec_error);
  CHECK_NOTHROW(check("[[]]" + std::string(512, '{')));
  // One too many at the end of a value is for the parser to complain about.
  CHECK_NOTHROW(check("]]" + std::string(512, '[')));
}

TEST_CASE("random changes to JSON are never more than a wrong value") {
  auto original = encoded<json>(std::pair{person{.name = "Ada"}, std::optional<int>{1}});
  std::mt19937_64 engine{5};
  for (int i = 0; i < 100'000; ++i) {
    auto bytes = original;
    for (auto changes = 1 + engine() % 3; changes > 0; --changes)
      bytes[engine() % bytes.size()] = static_cast<std::byte>(engine() % 128);
    try {
      static_cast<void>(codec<std::pair<person, std::optional<int>>, json>::read(bytes));
    } catch (const codec_error&) {
      continue;
    }
  }
}

TEST_CASE("exceptions of a user's functions pass through JSON") {
  CHECK_THROWS_AS(encoded<json>(failing{}), user_error);
  CHECK_THROWS_AS(encoded<json>(std::vector<failing>(2)), user_error);
  CHECK_THROWS_AS(round_trip<json>(failing{.on_load = true}), user_error);
}

TEST_CASE("a user's save may encode another value within JSON") {
  reentrant value{.texts = {"a", "b"}};
  CHECK(round_trip<json>(value) == value);
}
