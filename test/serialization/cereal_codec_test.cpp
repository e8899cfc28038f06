// Values in cereal's portable binary form: what can be encoded, its bytes as documented, and what
// damaged or hostile ones come to.

#include "bytes.hpp"
#include "codec_types.hpp"

#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/polymorphic.hpp>

#include <doctest/doctest.h>

#include <bitset>
#include <deque>
#include <limits>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <unordered_map>
#include <variant>

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr auto binary = codec_id::cereal_binary;

struct nothing {
  template <class Archive>
  void serialize(Archive&) {
    // nop
  }
};

struct animal {
  virtual ~animal() = default;
  [[nodiscard]] virtual std::string sound() const = 0;
};

struct dog final : animal {
  int barks = 1;

  [[nodiscard]] std::string sound() const override {
    return "bark " + std::to_string(barks);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(barks);
  }
};

/// What cereal's own archives make of a value.
template <class T>
std::string by_cereal(const T& value) {
  std::ostringstream stream;
  cereal::PortableBinaryOutputArchive{stream}(value);
  return stream.str();
}

template <class T>
T read_binary(std::string_view hex) {
  return codec<T, binary>::read(from_hex(hex));
}

} // namespace

CEREAL_REGISTER_TYPE(dog)
CEREAL_REGISTER_POLYMORPHIC_RELATION(animal, dog)

TEST_CASE("what is not raw is written by cereal by default") {
  CHECK(default_codec<person> == binary);
  CHECK(default_codec<described> == binary);
  CHECK(default_codec<std::vector<std::string>> == binary);
  CHECK(default_codec<std::vector<bool>> == binary);
  CHECK(default_codec<std::map<std::string, int>> == binary);
  CHECK(default_codec<std::optional<int>> == binary);
  CHECK(default_codec<std::unique_ptr<person>> == binary);
}

TEST_CASE("a type is encodable only if its parts are") {
  CHECK_FALSE(encodable<opaque>);
  CHECK_FALSE(encodable<std::vector<opaque>>);
  CHECK_FALSE(encodable<std::map<int, std::vector<opaque>>>);
  CHECK_FALSE(encodable<std::variant<int, opaque>>);
  CHECK_FALSE(encodable<std::shared_ptr<opaque>>);
  CHECK_FALSE(encodable<std::tuple<int*>>);
  CHECK(encodable<std::tuple<int, person>>);
  CHECK(encodable<std::shared_ptr<animal>>);
}

TEST_CASE("standard types survive cereal's binary form") {
  auto survives = [](const auto& value) {
    return round_trip<binary>(value) == value;
  };
  CHECK(survives(42));
  CHECK(survives(true));
  CHECK(survives(colour::green));
  CHECK(survives(std::string{"with\0NUL", 8}));
  CHECK(survives(std::vector<double>{1.5, -2.5}));
  CHECK(survives(std::vector<bool>{true, false, true}));
  CHECK(survives(std::vector<std::string>{"a", "", "c"}));
  CHECK(survives(std::array<std::string, 2>{"a", "b"}));
  CHECK(survives(std::deque<int>{1, 2}));
  CHECK(survives(std::list<std::string>{"x"}));
  CHECK(survives(std::set<int>{3, 1, 2}));
  CHECK(survives(std::map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}}));
  CHECK(survives(std::unordered_map<int, std::string>{{1, "one"}, {2, "two"}}));
  CHECK(survives(std::optional<std::string>{}));
  CHECK(survives(std::optional<std::string>{"set"}));
  CHECK(survives(std::variant<int, std::string>{"text"}));
  CHECK(survives(std::pair<int, std::string>{1, "one"}));
  CHECK(survives(std::tuple<int, bool, std::string>{1, true, "x"}));
  CHECK(survives(std::bitset<70>{12345}));
}

TEST_CASE("a user's type survives cereal's binary form") {
  person value{.name = "Ada", .age = 36, .children = {"Byron", "Anne", "Ralph"}};
  CHECK(round_trip<binary>(value) == value);
  CHECK(round_trip<binary>(std::map<std::string, person>{{"a", value}}).at("a") == value);
}

TEST_CASE("smart pointers survive, with what they share") {
  CHECK(*round_trip<binary>(std::make_unique<int>(7)) == 7);
  CHECK(round_trip<binary>(std::unique_ptr<int>{}) == nullptr);
  auto shared = std::make_shared<std::string>("once");
  auto copies = round_trip<binary>(std::vector{shared, shared, std::shared_ptr<std::string>{}});
  CHECK(*copies[0] == "once");
  CHECK(copies[0] == copies[1]);
  CHECK(copies[2] == nullptr);
}

TEST_CASE("a registered polymorphic type survives behind a pointer to its base") {
  auto rex = std::make_shared<dog>();
  rex->barks = 3;
  CHECK(round_trip<binary>(std::shared_ptr<animal>{rex})->sound() == "bark 3");
}

TEST_CASE("the bytes are those of cereal's portable binary archive") {
  person value{.name = "Ada", .age = 36, .children = {"Byron"}};
  CHECK(to_text(encoded<binary>(value)) == by_cereal(value));
  std::map<std::string, std::optional<std::vector<double>>> nested{{"a", {{1.5, 2.5}}}, {"b", {}}};
  CHECK(to_text(encoded<binary>(nested)) == by_cereal(nested));
  auto shared = std::make_shared<int>(1);
  std::vector pointers{shared, shared};
  CHECK(to_text(encoded<binary>(pointers)) == by_cereal(pointers));
  std::shared_ptr<animal> rex = std::make_shared<dog>();
  CHECK(to_text(encoded<binary>(rex)) == by_cereal(rex));
}

TEST_CASE("cereal's binary form is as documented") {
  CHECK(to_hex(encoded<binary>(std::uint32_t{1})) == "0101000000");
  CHECK(to_hex(encoded<binary>(std::string{"abc"})) == "010300000000000000616263");
  CHECK(to_hex(encoded<binary>(std::optional<std::uint8_t>{5})) == "010005");
  CHECK(to_hex(encoded<binary>(std::variant<bool, std::uint8_t>{std::uint8_t{9}}))
        == "010100000009");
}

TEST_CASE("numbers written on a big-endian machine are read") {
  CHECK(read_binary<std::uint32_t>("00 00000001") == 1);
  CHECK(read_binary<std::vector<std::uint16_t>>("00 0000000000000002 0001 0002")
        == std::vector<std::uint16_t>{1, 2});
  CHECK(read_binary<std::string>("00 0000000000000002 6162") == "ab");
}

TEST_CASE("a value in cereal's binary form cut at any byte is refused") {
  auto bytes = encoded<binary>(person{.name = "Ada", .age = 36, .children = {"Byron", "Anne"}});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_THROWS_AS((codec<person, binary>::read(std::span{bytes}.first(size))), codec_error);
}

TEST_CASE("bytes after a value in cereal's binary form are refused") {
  CHECK_THROWS_AS(read_binary<std::uint8_t>("01 05 00"), codec_error);
}

TEST_CASE("bytes that would be undefined behaviour in cereal are refused") {
  CHECK_THROWS_AS(read_binary<bool>("01 02"), codec_error);
  CHECK_THROWS_AS(read_binary<std::vector<bool>>("01 0100000000000000 02"), codec_error);
  CHECK_THROWS_AS(read_binary<std::optional<int>>("01 07"), codec_error);
  CHECK_THROWS_AS(read_binary<std::uint8_t>("02 05"), codec_error);
  CHECK_THROWS_AS((read_binary<std::variant<int, bool>>("01 ffffffff 00000000")), codec_error);
  CHECK_THROWS_AS((read_binary<std::variant<int, bool>>("01 02000000 00000000")), codec_error);
}

TEST_CASE("a shared pointer that refers to one of another type is refused") {
  using two = std::pair<std::shared_ptr<std::uint64_t>, std::shared_ptr<std::string>>;
  CHECK(*read_binary<two>("01 01000080 0500000000000000 02000080 0100000000000000 61").second
        == "a");
  CHECK_THROWS_AS(read_binary<two>("01 01000080 0500000000000000 01000000"), codec_error);
  CHECK_THROWS_AS(read_binary<two>("01 07000000 00000000"), codec_error);
}

TEST_CASE("a hostile count allocates nothing and is refused") {
  for (auto* count :
       {"ffffffffffffffff", "ffffffffffffff7f", "0000000001000000", "0000020000000000"}) {
    auto hex = std::string{"01"} + count;
    CHECK_THROWS_AS(read_binary<std::string>(hex), codec_error);
    CHECK_THROWS_AS(read_binary<std::vector<double>>(hex), codec_error);
    CHECK_THROWS_AS(read_binary<std::vector<std::string>>(hex), codec_error);
    CHECK_THROWS_AS(read_binary<std::vector<bool>>(hex), codec_error);
    CHECK_THROWS_AS((read_binary<std::unordered_map<int, int>>(hex)), codec_error);
    CHECK_THROWS_AS(read_binary<std::list<std::string>>(hex), codec_error);
    CHECK_THROWS_AS(read_binary<std::vector<nothing>>(hex), codec_error);
  }
}

TEST_CASE("elements without any bytes survive in reasonable number") {
  CHECK(round_trip<binary>(std::vector<nothing>(1000)).size() == 1000);
  std::vector<std::vector<nothing>> many(64, std::vector<nothing>(1000));
  CHECK(round_trip<binary>(many).size() == 64);
}

TEST_CASE("deep values survive, too deep ones are refused when written") {
  CHECK(length_of(round_trip<binary>(chain_of(500))) == 500);
  CHECK_THROWS_AS(encoded<binary>(chain_of(5000)), codec_error);
}

TEST_CASE("deep hostile bytes cannot exhaust the stack") {
  // Each byte says that the pointer is set and one more chain follows.
  std::vector<std::byte> bytes(1'000'000, std::byte{1});
  CHECK_THROWS_AS((codec<chain, binary>::read(bytes)), codec_error);
}

TEST_CASE("random bytes are never more than a wrong value to cereal's binary form") {
  using value = std::tuple<person, std::optional<std::vector<std::string>>,
                           std::variant<int, std::map<int, bool>>, std::shared_ptr<person>>;
  std::mt19937_64 engine{4};
  std::size_t refused = 0;
  for (int i = 0; i < 100'000; ++i) {
    auto bytes = random_bytes(engine, 100);
    // Small numbers get further than random ones.
    for (auto& byte : bytes)
      byte = engine() % 4 != 0 ? static_cast<std::byte>(engine() % 3) : byte;
    try {
      static_cast<void>(codec<value, binary>::read(bytes));
    } catch (const codec_error&) {
      ++refused;
    }
  }
  CHECK(refused > 90'000);
}

TEST_CASE("containers in a container do not claim the same bytes again and again") {
  constexpr std::uint64_t inner = 2'000;
  std::vector<std::byte> hostile{std::byte{1}};
  auto append = [&](std::uint64_t count) {
    auto bytes = std::bit_cast<std::array<std::byte, 8>>(count);
    hostile.insert(hostile.end(), bytes.begin(), bytes.end());
  };
  append(inner);
  for (auto left = inner; left > 0; --left)
    append(8 * (left - 1));
  CHECK_THROWS_AS((codec<std::vector<std::vector<nothing>>, binary>::read(hostile)), codec_error);
}

TEST_CASE("a damaged value is refused or read, but nothing else") {
  auto original = encoded<binary>(person{.name = "Ada", .age = 36, .children = {"Byron", "Anne"}});
  for (std::size_t bit = 0; bit < 8 * original.size(); ++bit) {
    auto bytes = original;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    try {
      static_cast<void>(codec<person, binary>::read(bytes));
    } catch (const codec_error&) {
      continue;
    }
  }
}

TEST_CASE("exceptions of a user's functions pass through cereal's binary form") {
  CHECK_THROWS_AS(encoded<binary>(failing{}), user_error);
  CHECK_THROWS_AS(round_trip<binary>(failing{.on_load = true}), user_error);
}

TEST_CASE("a user's save may encode another value with any codec") {
  std::vector<reentrant> values{{.texts = {"a", "b"}}, {.texts = {}}};
  CHECK(round_trip<binary>(values) == values);
}
