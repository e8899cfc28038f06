// Values in MessagePack: its bytes as specified, and what damaged or hostile ones come to.

#include "bytes.hpp"
#include "codec_types.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <optional>
#include <unordered_map>
#include <variant>

namespace example {

enum class direction { left, right };

/// Adapted from outside, as one does with types of others.
struct adapted {
  int number = 0;
};

} // namespace example

MSGPACK_ADD_ENUM(example::direction)

namespace msgpack {
MSGPACK_API_VERSION_NAMESPACE(MSGPACK_DEFAULT_API_NS) {
  namespace adaptor {

  template <>
  struct pack<example::adapted> {
    template <class Stream>
    packer<Stream>& operator()(packer<Stream>& packer, const example::adapted& value) const {
      return packer.pack(value.number);
    }
  };

  template <>
  struct convert<example::adapted> {
    const msgpack::object& operator()(const msgpack::object& object,
                                      example::adapted& value) const {
      value.number = object.as<int>();
      return object;
    }
  };

  } // namespace adaptor
}
} // namespace msgpack

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr auto pack = codec_id::message_pack;

template <class T>
T read_pack(std::string_view hex) {
  return codec<T, pack>::read(from_hex(hex));
}

} // namespace

TEST_CASE("types that msgpack-cxx knows or that define themselves are encodable") {
  CHECK(message_pack_encodable<int>);
  CHECK(message_pack_encodable<std::map<std::string, std::vector<double>>>);
  CHECK(message_pack_encodable<person>);
  CHECK(message_pack_encodable<std::optional<person>>);
  CHECK(message_pack_encodable<example::direction>);
  CHECK(message_pack_encodable<example::adapted>);
  CHECK_FALSE(message_pack_encodable<opaque>);
  CHECK_FALSE(message_pack_encodable<colour>);
  CHECK_FALSE(message_pack_encodable<std::vector<opaque>>);
  CHECK_FALSE(message_pack_encodable<std::variant<int, bool>>);
  CHECK_FALSE(message_pack_encodable<std::string_view>);
  CHECK_FALSE(message_pack_encodable<int*>);
}

TEST_CASE("MessagePack is as its specification says") {
  CHECK(to_hex(encoded<pack>(1)) == "01");
  CHECK(to_hex(encoded<pack>(-1)) == "ff");
  CHECK(to_hex(encoded<pack>(std::string{"abc"})) == "a3616263");
  CHECK(to_hex(encoded<pack>(std::vector<int>{1, 2})) == "920102");
  CHECK(to_hex(encoded<pack>(std::map<std::string, bool>{{"a", true}})) == "81a161c3");
  CHECK(to_hex(encoded<pack>(std::optional<int>{})) == "c0");
  CHECK(to_hex(encoded<pack>(person{.name = "A", .age = 300, .children = {}})) == "93a141cd012c90");
}

TEST_CASE("values survive MessagePack") {
  auto survives = [](const auto& value) {
    return round_trip<pack>(value) == value;
  };
  CHECK(survives(std::numeric_limits<std::int64_t>::min()));
  CHECK(survives(std::numeric_limits<std::uint64_t>::max()));
  CHECK(survives(0.1));
  CHECK(survives(1.5F));
  CHECK(survives(true));
  CHECK(survives(std::string(100'000, 'x')));
  CHECK(survives(std::string{"with\0NUL", 8}));
  CHECK(survives(std::vector<std::byte>(300, std::byte{7})));
  CHECK(survives(std::vector<bool>{true, false}));
  CHECK(survives(std::vector<int>(70'000, 1)));
  CHECK(survives(std::map<std::string, int>{{"a", 1}}));
  CHECK(survives(std::unordered_map<int, std::string>{{1, "one"}}));
  CHECK(survives(std::optional<int>{3}));
  CHECK(survives(std::tuple<int, std::string>{1, "x"}));
  CHECK(survives(std::pair<int, std::string>{1, "x"}));
  CHECK(survives(std::array<int, 3>{1, 2, 3}));
  CHECK(survives(person{.name = "Ada", .age = 36, .children = {"Byron"}}));
  CHECK(survives(example::direction::right));
  CHECK(round_trip<pack>(example::adapted{5}).number == 5);
  CHECK(*round_trip<pack>(std::make_unique<int>(7)) == 7);
}

TEST_CASE("each form of a number, text and container is walked over") {
  // One array of 24 values, one for each marker that is not a container.
  auto all =
    "dc0018 c0 c2 c3 c40161 c5000161 c60000000161 c7010561 c800010561 c9000000010561"
    "ca00000000 cb0000000000000000 cc01 cd0001 ce00000001 cf0000000000000001"
    "d001 d10001 d200000001 d30000000000000001 d40561 d5056161 d90161 da000161 db0000000161";
  CHECK_NOTHROW(detail::check_message_pack(from_hex(all)));
  auto bytes = from_hex(all);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_THROWS_AS(detail::check_message_pack(std::span{bytes}.first(size)), codec_error);
  for (auto* container : {"90", "80", "9101", "810102", "dd0000000101", "de00010102",
                          "df000000010102", "d6 05 61616161", "d7 05 6161616161616161",
                          "d8 05 61616161616161616161616161616161", "ff", "7f"})
    CHECK_NOTHROW(detail::check_message_pack(from_hex(container)));
}

TEST_CASE("bytes that are no MessagePack of the wanted type are refused") {
  for (auto* hex : {"", "c1", "a161", "c0", "92", "90", "0101", "cf0000000100000000"})
    CHECK_THROWS_AS(read_pack<int>(hex), codec_error);
  CHECK_THROWS_AS(read_pack<std::string>("01"), codec_error);
  CHECK_THROWS_AS(read_pack<std::vector<int>>("91a161"), codec_error);
  CHECK_THROWS_AS((read_pack<std::map<int, int>>("9101")), codec_error);
  CHECK_THROWS_AS((read_pack<std::array<int, 1>>("920102")), codec_error);
}

TEST_CASE("a hostile length in MessagePack allocates nothing and is refused") {
  for (auto* hex : {"ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff", "c9ffffffff05",
                    "dcffff", "ddffffffff ddffffffff ddffffffff"}) {
    CHECK_THROWS_AS(read_pack<std::vector<int>>(hex), codec_error);
    CHECK_THROWS_AS(read_pack<std::string>(hex), codec_error);
  }
}

TEST_CASE("MessagePack nested too deeply is refused when read and when written") {
  std::vector<std::byte> deep(1'000'000, std::byte{0x91});
  CHECK_THROWS_AS((codec<chain, pack>::read(deep)), codec_error);
  CHECK(length_of(round_trip<pack>(chain_of(400))) == 400);
  CHECK_THROWS_AS(encoded<pack>(chain_of(1000)), codec_error);
}

TEST_CASE("MessagePack may nest 511 containers around a value, and not one more") {
  std::vector<std::byte> bytes(511, std::byte{0x91});
  bytes.push_back(std::byte{1});
  CHECK_NOTHROW(detail::check_message_pack(bytes));
  bytes.insert(bytes.begin(), std::byte{0x91});
  CHECK_THROWS_AS(detail::check_message_pack(bytes), codec_error);
}

TEST_CASE("MessagePack cut at any byte is refused") {
  auto bytes = encoded<pack>(person{.name = "Ada", .age = 300, .children = {"Byron"}});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_THROWS_AS((codec<person, pack>::read(std::span{bytes}.first(size))), codec_error);
}

TEST_CASE("random bytes are never more than a wrong value to MessagePack") {
  using value = std::tuple<person, std::vector<std::string>, std::map<int, std::optional<bool>>>;
  auto original = encoded<pack>(value{person{.name = "Ada"}, {"a"}, {{1, true}}});
  std::mt19937_64 engine{6};
  for (int i = 0; i < 100'000; ++i) {
    auto bytes = i % 2 == 0 ? random_bytes(engine, 50) : original;
    if (!bytes.empty())
      bytes[engine() % bytes.size()] = static_cast<std::byte>(engine());
    try {
      static_cast<void>(codec<value, pack>::read(bytes));
    } catch (const codec_error&) {
      continue;
    }
  }
}

TEST_CASE("exceptions of a user's functions pass through MessagePack") {
  CHECK_THROWS_AS(encoded<pack>(failing{}), user_error);
  CHECK_THROWS_AS(round_trip<pack>(failing{.on_load = true}), user_error);
}
