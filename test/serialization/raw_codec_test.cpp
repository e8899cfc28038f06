// Values that are their own bytes: which types are, and which bytes are refused.

#include "bytes.hpp"
#include "codec_types.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <limits>

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr auto raw = codec_id::raw;

} // namespace

TEST_CASE("what can be copied byte by byte is raw by default") {
  CHECK(default_codec<bool> == raw);
  CHECK(default_codec<double> == raw);
  CHECK(default_codec<colour> == raw);
  CHECK(default_codec<std::byte> == raw);
  CHECK(default_codec<point> == raw);
  CHECK(default_codec<std::string> == raw);
  CHECK(default_codec<std::vector<point>> == raw);
  CHECK(default_codec<std::array<float, 4>> == raw);
  CHECK(default_codec<std::vector<std::array<int, 2>>> == raw);
  CHECK(default_codec<array<double>> == raw);
  CHECK(default_codec<bytes> == raw);
}

TEST_CASE("what its author gave cereal functions is not raw") {
  CHECK_FALSE(raw_encodable<described>);
  CHECK_FALSE(raw_encodable<std::vector<described>>);
  CHECK_FALSE(raw_encodable<std::array<described, 2>>);
  CHECK_FALSE(raw_encodable<std::optional<int>>);
  CHECK_FALSE(raw_encodable<std::chrono::milliseconds>);
  CHECK_FALSE(raw_encodable<std::vector<bool>>);
}

TEST_CASE("what holds addresses is not raw") {
  CHECK_FALSE(raw_encodable<int*>);
  CHECK_FALSE(raw_encodable<int point::*>);
  CHECK_FALSE(raw_encodable<void (*)()>);
  CHECK_FALSE(raw_encodable<std::nullptr_t>);
  CHECK_FALSE(raw_encodable<int&>);
  CHECK_FALSE(raw_encodable<std::string_view>);
  CHECK_FALSE(raw_encodable<std::span<int>>);
  CHECK_FALSE(raw_encodable<std::reference_wrapper<int>>);
  CHECK_FALSE(raw_encodable<std::vector<int*>>);
  CHECK_FALSE(raw_encodable<std::array<int*, 2>>);
  CHECK_FALSE(raw_encodable<std::vector<bytes>>);
  CHECK_FALSE(raw_encodable<std::unique_ptr<int>>);
}

TEST_CASE("raw data are the little-endian bytes of the value") {
  CHECK(to_hex(encoded<raw>(std::uint32_t{0x01020304})) == "04030201");
  CHECK(to_hex(encoded<raw>(1.0)) == "000000000000f03f");
  CHECK(to_hex(encoded<raw>(true)) == "01");
  CHECK(to_hex(encoded<raw>(point{1, 2})) == "0100000002000000");
  CHECK(to_hex(encoded<raw>(std::string{"abc"})) == "616263");
  CHECK(to_hex(encoded<raw>(std::vector<std::uint16_t>{1, 2})) == "01000200");
}

TEST_CASE("raw values survive") {
  CHECK(round_trip<raw>(std::numeric_limits<std::int64_t>::min())
        == std::numeric_limits<std::int64_t>::min());
  CHECK(round_trip<raw>('x') == 'x');
  CHECK(round_trip<raw>(colour::green) == colour::green);
  CHECK(round_trip<raw>(point{3, -4}) == point{3, -4});
  CHECK(round_trip<raw>(std::array<int, 3>{1, 2, 3}) == std::array<int, 3>{1, 2, 3});
  CHECK(round_trip<raw>(std::string{"with\0NUL", 8}) == std::string{"with\0NUL", 8});
  CHECK(round_trip<raw>(std::string{}).empty());
  CHECK(round_trip<raw>(std::vector<point>{{1, 2}, {3, 4}}) == std::vector<point>{{1, 2}, {3, 4}});
  CHECK(round_trip<raw>(std::vector<double>{}).empty());
}

TEST_CASE("raw elements without a default constructor survive") {
  struct strict {
    explicit strict(int start) : number(start) {
      // nop
    }
    bool operator==(const strict&) const = default;
    int number;
  };
  CHECK(round_trip<raw>(strict{7}) == strict{7});
  CHECK(round_trip<raw>(std::vector{strict{1}, strict{2}}) == std::vector{strict{1}, strict{2}});
}

TEST_CASE("a vector and a value are read from any address") {
  auto source = from_hex("00 01000000 02000000");
  auto odd = std::span<const std::byte>{source}.subspan(1);
  CHECK(codec<std::vector<int>, raw>::read(odd) == std::vector{1, 2});
  CHECK(codec<point, raw>::read(odd) == point{1, 2});
  CHECK(codec<std::vector<int>, raw>::read({}).empty());
  CHECK(codec<std::string, raw>::read({}).empty());
}

TEST_CASE("raw data of another size are refused") {
  using int_codec = codec<std::int32_t, raw>;
  CHECK_THROWS_AS(int_codec::read(from_hex("010203")), codec_error);
  CHECK_THROWS_AS(int_codec::read(from_hex("0102030405")), codec_error);
  using vector_codec = codec<std::vector<std::int32_t>, raw>;
  CHECK_THROWS_AS(vector_codec::read(from_hex("0102030405")), codec_error);
}

TEST_CASE("a byte that is no bool is refused") {
  CHECK(codec<bool, raw>::read(from_hex("01")));
  CHECK_THROWS_AS((codec<bool, raw>::read(from_hex("02"))), codec_error);
  CHECK_THROWS_AS((codec<std::array<bool, 2>, raw>::read(from_hex("0102"))), codec_error);
}

TEST_CASE("an array is read in place and in shape") {
  alignas(64) std::array<std::int32_t, 6> elements{1, 2, 3, 4, 5, 6};
  auto source = std::as_bytes(std::span{elements});
  auto flat = codec<array<std::int32_t>, raw>::read(source);
  CHECK(flat.data() == elements.data());
  CHECK(flat.shape() == array_shape{6});
  auto matrix = codec<array<std::int32_t>, raw>::read(source, {2, 3});
  CHECK(matrix(1, 0) == 4);
}

TEST_CASE("array data that do not fit their shape or alignment are refused") {
  alignas(64) std::array<std::byte, 32> storage{};
  auto source = std::span<const std::byte>{storage};
  using array_codec = codec<array<std::int64_t>, raw>;
  CHECK_THROWS_AS(array_codec::read(source, {3}), codec_error);
  CHECK_THROWS_AS(array_codec::read(source.first(12)), codec_error);
  CHECK_THROWS_AS(array_codec::read(source.subspan(4, 8)), codec_error);
}

TEST_CASE("an array and bytes write what they view") {
  std::vector<std::uint16_t> elements{1, 2, 3, 4};
  CHECK(to_hex(encoded<raw>(array<std::uint16_t>{elements, {2, 2}})) == "0100020003000400");
  auto content = from_text("xyz");
  CHECK(encoded<raw>(bytes{content}) == content);
  CHECK(codec<bytes, raw>::read(content).data() == content.data());
}

TEST_CASE("only single elements are in place, only views refer to their source") {
  CHECK(codec<point>::in_place);
  CHECK(codec<std::array<int, 2>>::in_place);
  CHECK_FALSE(codec<bool>::in_place);
  CHECK_FALSE(codec<std::string>::in_place);
  CHECK_FALSE(codec<std::vector<int>>::in_place);
  CHECK(codec<array<int>>::refers_to_source);
  CHECK(codec<bytes>::refers_to_source);
  CHECK_FALSE(codec<std::vector<int>>::refers_to_source);
}
