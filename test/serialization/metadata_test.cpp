// The bytes of metadata, against golden ones, every flipped bit and later versions.

#include "mobula/serialization/metadata.hpp"

#include "mobula/serialization/checksum.hpp"
#include "mobula/serialization/codec_error.hpp"
#include "mobula/serialization/error.hpp"

#include "bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace mobula;
using namespace mobula::test;

namespace {

metadata small_sample() {
  return {.codec = codec_id::raw,
          .type_name = "int32",
          .error = std::nullopt,
          .size_bytes = 4,
          .checksum = 0x0807060504030201,
          .shape = {},
          .nested = {}};
}

metadata full_sample() {
  return {.codec = codec_id::cereal_json,
          .type_name = "my.type",
          .error = error_type::owner_died,
          .size_bytes = 0x1122334455667788,
          .checksum = 0x99aabbccddeeff00,
          .shape = {2, 3},
          .nested = {{.owner = {.high = 1, .low = 2}, .sequence = 3},
                     {.owner = {.high = 4, .low = 5}, .sequence = 6}}};
}

/// Bytes of the samples: a change of these breaks every reader outside of this repository.
constexpr auto small_hex = "4d424d44 01 00 01 00 35000000 ffff 0000"
                           "0400000000000000 0102030405060708 00000000 05000000"
                           "696e743332"
                           "ed2bdc69f2306f03";

constexpr auto full_hex = "4d424d44 01 00 03 02 77000000 0900 0000"
                          "8877665544332211 00ffeeddccbbaa99 02000000 07000000"
                          "0200000000000000 0300000000000000"
                          "0100000000000000 0200000000000000 0300000000000000"
                          "0400000000000000 0500000000000000 0600000000000000"
                          "6d792e74797065"
                          "e4529fb4d099cd45";

/// Makes the checksum of changed bytes right again, to reach what is behind it.
std::vector<std::byte> sealed(std::vector<std::byte> bytes) {
  auto content = std::span{bytes}.first(bytes.size() - 8);
  auto seal = checksum_of(content);
  for (std::size_t i = 0; i < 8; ++i)
    bytes[content.size() + i] = static_cast<std::byte>(seal >> (8 * i));
  return bytes;
}

/// The full sample with other bytes at some offset, sealed.
std::vector<std::byte> patched(std::size_t offset, std::string_view hex) {
  auto bytes = encode(full_sample());
  std::ranges::copy(from_hex(hex), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  return sealed(std::move(bytes));
}

} // namespace

TEST_CASE("metadata are encoded as documented") {
  CHECK(to_hex(encode(small_sample())) == to_hex(from_hex(small_hex)));
  CHECK(to_hex(encode(full_sample())) == to_hex(from_hex(full_hex)));
}

TEST_CASE("the documented bytes of metadata are decoded") {
  auto small = decode_metadata(from_hex(small_hex));
  auto full = decode_metadata(from_hex(full_hex));
  REQUIRE(small);
  REQUIRE(full);
  CHECK(*small == small_sample());
  CHECK(*full == full_sample());
}

TEST_CASE("metadata are encoded in place") {
  auto meta = full_sample();
  std::vector<std::byte> target(encoded_size(meta));
  encode(meta, target);
  CHECK(target == encode(meta));
}

TEST_CASE("metadata with any bit flipped are refused") {
  for (const auto& meta : {small_sample(), full_sample()}) {
    auto bytes = encode(meta);
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      bytes[bit / 8] ^= std::byte{1} << (bit % 8);
      CHECK_FALSE(decode_metadata(bytes));
      bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    }
  }
}

TEST_CASE("metadata cut at any byte are refused, even with a good checksum") {
  auto bytes = encode(full_sample());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(decode_metadata(cut));
    if (size >= 8)
      CHECK_FALSE(decode_metadata(sealed(cut)));
  }
}

TEST_CASE("bytes after metadata are refused") {
  auto bytes = encode(full_sample());
  bytes.push_back(std::byte{0});
  CHECK_FALSE(decode_metadata(bytes));
  CHECK_FALSE(decode_metadata(sealed(bytes)));
}

TEST_CASE("an error in metadata is named with its place") {
  auto error_at = [](std::size_t offset, std::string_view hex) {
    return to_string(decode_metadata(patched(offset, hex)).error());
  };
  CHECK(error_at(0, "00") == "not an object's metadata at byte 0");
  CHECK(error_at(4, "00") == "unknown version of metadata at byte 4");
  CHECK(error_at(4, "02") == "unknown version of metadata at byte 4");
  CHECK(error_at(6, "05") == "unknown codec at byte 6");
  CHECK(error_at(7, "09") == "more dimensions than allowed at byte 7");
  CHECK(error_at(8, "76") == "the header length is not the number of bytes at byte 8");
  CHECK(error_at(8, "78") == "the header length is not the number of bytes at byte 8");
  CHECK(error_at(12, "0200") == "unknown error type at byte 12");
  CHECK(error_at(12, "fe00") == "unknown error type at byte 12");
  CHECK(error_at(14, "01") == "a reserved field is not zero at byte 14");
  CHECK(error_at(32, "ffffff00")
        == "a count is larger than the bytes that follow can hold at byte 32");
  CHECK(error_at(36, "01000100") == "the type name is longer than allowed at byte 36");
  CHECK(error_at(40, "ffffffffffffffff")
        == "a shape with more elements than any memory holds at byte 40");
}

TEST_CASE("the layout of raw structures makes metadata version 1.1") {
  auto meta = small_sample();
  meta.layout = layout_fingerprint{0x1122334455667788};
  auto bytes = encode(meta);
  CHECK(bytes[5] == std::byte{1});
  CHECK(bytes.size() == encode(small_sample()).size() + 8);
  CHECK(bytes[bytes.size() - 16] == std::byte{0x88});
  CHECK(*decode_metadata(bytes) == meta);
}

TEST_CASE("a reader skips what a later minor version appends, but nothing of its own version") {
  auto meta = full_sample();
  meta.layout = layout_fingerprint{7};
  auto bytes = encode(meta);
  bytes.insert(bytes.end() - 8, 5, std::byte{0xab});
  bytes[8] = static_cast<std::byte>(bytes.size());
  CHECK_FALSE(decode_metadata(sealed(bytes)));
  bytes[5] = std::byte{2};
  auto later = decode_metadata(sealed(bytes));
  REQUIRE(later);
  CHECK(*later == meta);
}

TEST_CASE("metadata that state as little as they can survive") {
  metadata meta;
  auto bytes = encode(meta);
  CHECK(bytes.size() == 48);
  CHECK(*decode_metadata(bytes) == meta);
}

TEST_CASE("metadata that end within their numbers are refused for that") {
  for (std::size_t size : {0, 10, 47})
    CHECK(to_string(decode_metadata(std::vector<std::byte>(size)).error())
          == "the bytes end too early at byte " + std::to_string(size));
}

TEST_CASE("more references than allowed are refused before there are bytes for them") {
  auto error_of = [](std::string_view count) {
    return to_string(decode_metadata(patched(32, count)).error());
  };
  CHECK(error_of("00000001") == "a count is larger than the bytes that follow can hold at byte 32");
  CHECK(error_of("01000001") == "a count is larger than allowed at byte 32");
}

TEST_CASE("a shape that nothing has is not encoded") {
  auto meta = full_sample();
  meta.shape = {std::uint64_t{1} << 32, std::uint64_t{1} << 32};
  CHECK_THROWS_AS(static_cast<void>(encode(meta)), codec_error);
}

TEST_CASE("metadata up to the limits survive, beyond them are not encoded") {
  auto meta = full_sample();
  meta.type_name.assign(metadata_limits::type_name_bytes, 'x');
  meta.shape.assign(metadata_limits::dimensions, 2);
  CHECK(*decode_metadata(encode(meta)) == meta);
  meta.type_name.push_back('x');
  CHECK_THROWS_AS(static_cast<void>(encode(meta)), codec_error);
  meta.type_name.clear();
  meta.shape.push_back(2);
  CHECK_THROWS_AS(static_cast<void>(encode(meta)), codec_error);
}

TEST_CASE("random bytes are no metadata") {
  std::mt19937_64 engine{2};
  for (int i = 0; i < 100'000; ++i)
    REQUIRE_FALSE(decode_metadata(random_bytes(engine, 200)));
}

TEST_CASE("sealed metadata with random changes decode to what encodes to the same bytes") {
  std::mt19937_64 engine{3};
  auto original = encode(full_sample());
  for (int i = 0; i < 100'000; ++i) {
    auto bytes = original;
    for (auto changes = 1 + engine() % 4; changes > 0; --changes)
      bytes[engine() % bytes.size()] = static_cast<std::byte>(engine());
    bytes = sealed(std::move(bytes));
    auto result = decode_metadata(bytes);
    if (result && bytes[5] == std::byte{0})
      REQUIRE(encode(*result) == bytes);
  }
}

TEST_CASE("a value whose bytes are those of an encoded error stays a value") {
  auto data = encode(error_info{.type = error_type::object_lost, .message = "lost"});
  metadata meta{.codec = codec_id::raw,
                .type_name = "string",
                .size_bytes = data.size(),
                .checksum = checksum_of(data)};
  auto copy = decode_metadata(encode(meta));
  REQUIRE(copy);
  CHECK_FALSE(copy->error.has_value());
  meta.error = error_type::object_lost;
  CHECK(decode_metadata(encode(meta))->error == error_type::object_lost);
}

TEST_CASE("each codec has a number and a name") {
  CHECK(to_string(codec_id::raw) == "raw");
  CHECK(to_string(codec_id::message_pack) == "message_pack");
  for (int number = 0; number < 256; ++number)
    CHECK(codec_id_from_number(static_cast<std::uint8_t>(number)).has_value()
          == (number >= 1 && number <= 4));
}
