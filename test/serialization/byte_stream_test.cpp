// Numbers and texts as all formats have them, and a reader that never goes beyond the end.

#include "mobula/serialization/byte_stream.hpp"

#include "bytes.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace mobula;
using namespace mobula::test;

TEST_CASE("numbers are written little-endian") {
  std::array<std::byte, 15> target;
  byte_writer writer{target};
  writer.u8(0x01);
  writer.u16(0x0302);
  writer.u32(0x07060504);
  writer.u64(0x0f0e0d0c0b0a0908);
  CHECK(to_hex(target) == "0102030405060708090a0b0c0d0e0f");
  CHECK(writer.remaining() == 0);
}

TEST_CASE("a reader gives back what a writer wrote") {
  std::array<std::byte, 16> target;
  byte_writer writer{target};
  writer.u64(0x8000000000000001);
  writer.text("four");
  byte_reader reader{target};
  CHECK(reader.u64() == 0x8000000000000001);
  CHECK(reader.text(4) == "four");
  reader.expect_end();
  CHECK(reader.ok());
}

TEST_CASE("reading over the end fails at the byte where the read began") {
  auto source = from_hex("01 02 03");
  byte_reader reader{source};
  CHECK(reader.u16() == 0x0201);
  CHECK(reader.u16() == 0);
  CHECK(reader.error().offset == 2);
}

TEST_CASE("the first failure of a reader sticks") {
  auto source = from_hex("01 02 03");
  byte_reader reader{source};
  reader.fail("first", 0);
  reader.fail("second", 1);
  CHECK(reader.u8() == 0);
  CHECK(reader.remaining() == 0);
  CHECK(to_string(reader.error()) == "first at byte 0");
}

TEST_CASE("a text longer than its limit is refused") {
  auto source = from_hex("03000000 616263");
  CHECK(byte_reader{source}.text(3) == "abc");
  byte_reader reader{source};
  CHECK(reader.text(2).empty());
  CHECK_FALSE(reader.ok());
}

TEST_CASE("a count that the following bytes cannot hold is refused") {
  auto source = from_hex("02000000 0000000000000000");
  CHECK(byte_reader{source}.count(10, 4) == 2);
  CHECK(byte_reader{source}.count(2, 4) == 2);
  CHECK(byte_reader{source}.count(1, 4) == 0);
  byte_reader reader{source};
  CHECK(reader.count(10, 5) == 0);
  CHECK(reader.error().offset == 0);
}

TEST_CASE("left over bytes are an error where they are expected to end") {
  auto source = from_hex("01 02");
  byte_reader reader{source};
  reader.u8();
  reader.expect_end();
  CHECK(reader.error() == format_error{.message = "bytes are left over", .offset = 1});
}

TEST_CASE("a decoded result holds either a value or an error") {
  decoded<int> value{7};
  decoded<int> error{format_error{.message = "bad", .offset = 3}};
  CHECK(*value == 7);
  CHECK_FALSE(error);
  CHECK(error.error().offset == 3);
}
