// The frames of the data port: golden bytes, damage, and limits.

#include <doctest/doctest.h>

#include <algorithm>

#include "../../serialization/bytes.hpp"
#include "mobula/serialization/checksum.hpp"
#include "mobula/serialization/metadata.hpp"
#include "mobula/store/transfer/transfer_frames.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr object_range some_range{.id = {.owner = {.high = 0x1111, .low = 0x2222}, .sequence = 3},
                                  .offset_bytes = 0x400000,
                                  .length_bytes = 0x1000};

struct golden {
  transfer_frame frame;
  std::string_view hex;
};

/// A change of these breaks nodes of other versions.
const std::vector<golden>& samples() {
  static const std::vector<golden> result{
    {hello_frame{
       .token = {{std::byte{0xaa}, std::byte{0xbb}}}, .sender = {1, 2}, .receiver = {3, 4}},
     "01 00 0100 4d424450 "
     "aabb000000000000 0000000000000000 0100000000000000 "
     "0200000000000000 0300000000000000 0400000000000000 0000000000000000 9448de83ca4e48aa"},
    {request_frame{ask_number{7}, some_range},
     "02 00 0000 00000000 "
     "0700000000000000 1111000000000000 2222000000000000 "
     "0300000000000000 0000400000000000 0010000000000000 0000000000000000 f8800cdce59cc145"},
    {chunk_frame{ask_number{7}, some_range, chunk_encoding::plain, 0x1000, 0x0807060504030201},
     "03 00 0000 00100000 "
     "0700000000000000 1111000000000000 2222000000000000 "
     "0300000000000000 0000400000000000 0010000000000000 0102030405060708 d0365d98e83f9470"},
    {chunk_frame{ask_number{7}, some_range, chunk_encoding::zstd, 0x800, 0x0807060504030201},
     "03 01 0000 00080000 "
     "0700000000000000 1111000000000000 2222000000000000 "
     "0300000000000000 0000400000000000 0010000000000000 0102030405060708 5cf96ea6c86bea4c"},
    {refusal_frame{ask_number{7}, refusal_reason::busy},
     "04 00 0200 00000000 "
     "0700000000000000 0000000000000000 0000000000000000 "
     "0000000000000000 0000000000000000 0000000000000000 0000000000000000 181e8987f60aeeff"},
    {cancel_frame{ask_number{7}},
     "05 00 0000 00000000 "
     "0700000000000000 0000000000000000 0000000000000000 "
     "0000000000000000 0000000000000000 0000000000000000 0000000000000000 0b3cce61c6483eab"}};
  return result;
}

/// Makes the checksum of a changed header right again, to reach what is behind it.
frame_header sealed(frame_header header) {
  auto seal = checksum_of(std::span{header}.first(frame_bytes - 8));
  for (std::size_t i = 0; i < 8; ++i)
    header[frame_bytes - 8 + i] = static_cast<std::byte>(seal >> (8 * i));
  return header;
}

std::string error_of(const transfer_frame& frame, std::size_t offset, std::string_view hex) {
  auto header = encode(frame);
  std::ranges::copy(from_hex(hex), header.begin() + static_cast<std::ptrdiff_t>(offset));
  return to_string(decode_frame(sealed(header)).error());
}

} // namespace

TEST_CASE("frames are encoded as documented") {
  for (const auto& sample : samples())
    CHECK(to_hex(encode(sample.frame)) == to_hex(from_hex(sample.hex)));
}

TEST_CASE("the documented bytes of frames are decoded") {
  for (const auto& sample : samples()) {
    frame_header header{};
    std::ranges::copy(from_hex(sample.hex), header.begin());
    auto frame = decode_frame(header);
    REQUIRE(frame);
    CHECK(*frame == sample.frame);
  }
}

TEST_CASE("a frame with any bit flipped is refused") {
  for (const auto& sample : samples()) {
    auto header = encode(sample.frame);
    for (std::size_t bit = 0; bit < 8 * frame_bytes; ++bit) {
      header[bit / 8] ^= std::byte{1} << (bit % 8);
      CHECK_FALSE(decode_frame(header));
      header[bit / 8] ^= std::byte{1} << (bit % 8);
    }
  }
}

TEST_CASE("a frame cut at any byte and filled with what follows it is refused") {
  for (const auto& sample : samples()) {
    auto header = encode(sample.frame);
    auto next = encode(cancel_frame{ask_number{9}});
    for (std::size_t size = 0; size < frame_bytes; ++size) {
      frame_header cut{};
      std::ranges::copy(std::span{header}.first(size), cut.begin());
      std::ranges::copy(std::span{next}.first(frame_bytes - size),
                        cut.begin() + static_cast<std::ptrdiff_t>(size));
      if (size > 0)
        CHECK_FALSE(decode_frame(cut));
    }
  }
}

TEST_CASE("an error in a frame is named with its place") {
  transfer_frame hello = hello_frame{};
  transfer_frame request = request_frame{ask_number{1}, some_range};
  transfer_frame chunk = chunk_frame{ask_number{1}, some_range, chunk_encoding::plain, 0x1000, 0};
  transfer_frame refusal = refusal_frame{ask_number{1}, refusal_reason::busy};
  CHECK(error_of(hello, 0, "00") == "unknown type of a frame at byte 0");
  CHECK(error_of(hello, 2, "02") == "another version of the data port at byte 2");
  CHECK(error_of(hello, 4, "00") == "not a greeting of the data port at byte 4");
  CHECK(error_of(hello, 1, "01") == "a reserved field is not zero at byte 1");
  CHECK(error_of(chunk, 1, "02") == "unknown encoding of a chunk at byte 1");
  CHECK(error_of(chunk, 4, "0110") == "a payload that does not fit its chunk at byte 4");
  CHECK(error_of(refusal, 2, "00") == "unknown reason of a refusal at byte 2");
  CHECK(error_of(refusal, 2, "06") == "unknown reason of a refusal at byte 2");
  CHECK(error_of(request, 32, "00")
        == "no range of an object, or one longer than allowed at byte 16");
  CHECK(error_of(request, 56, "01") == "a reserved field is not zero at byte 56");
}

TEST_CASE("a range must have bytes and end within any object") {
  transfer_frame request = request_frame{ask_number{1}, some_range};
  transfer_frame chunk = chunk_frame{ask_number{1}, some_range, chunk_encoding::plain, 0x1000, 0};
  auto refused = "no range of an object, or one longer than allowed at byte 16";
  CHECK(error_of(request, 48, "0000000000000000") == refused);
  CHECK(error_of(request, 40, "ffffffffffffffff") == refused);
  CHECK(error_of(request, 48, "ffffffffffffffff") == refused);
  CHECK(error_of(request, 40, "0000000000000040") == refused);
  CHECK(error_of(chunk, 48, "0100000100000000") == refused);
}

TEST_CASE("a compressed payload is shorter than what it holds") {
  transfer_frame chunk = chunk_frame{ask_number{1}, some_range, chunk_encoding::zstd, 0x800, 0};
  CHECK(error_of(chunk, 4, "00100000") == "a payload that does not fit its chunk at byte 4");
  CHECK(error_of(chunk, 4, "00000000") == "a payload that does not fit its chunk at byte 4");
}

TEST_CASE("a frame may state as much as its limits say") {
  auto range = some_range;
  range.length_bytes = frame_limits::chunk_bytes;
  range.offset_bytes = frame_limits::object_bytes - range.length_bytes;
  transfer_frame chunk = chunk_frame{ask_number{1}, range, chunk_encoding::plain,
                                     static_cast<std::uint32_t>(range.length_bytes), 0};
  CHECK(*decode_frame(encode(chunk)) == chunk);
  range.length_bytes = frame_limits::object_bytes;
  range.offset_bytes = 0;
  transfer_frame request = request_frame{ask_number{1}, range};
  CHECK(*decode_frame(encode(request)) == request);
}

TEST_CASE("tokens are the same only if every bit is") {
  transfer_token token;
  CHECK(same_token(token, {}));
  for (std::size_t bit = 0; bit < 8 * token.bytes.size(); ++bit) {
    auto other = token;
    other.bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    CHECK_FALSE(same_token(token, other));
  }
}

TEST_CASE("every reason of a refusal survives its frame") {
  using enum refusal_reason;
  for (auto reason : {not_here, busy, out_of_range, unreadable, shutting_down}) {
    transfer_frame refusal = refusal_frame{ask_number{7}, reason};
    auto copy = decode_frame(encode(refusal));
    REQUIRE(copy);
    CHECK(*copy == refusal);
  }
}

TEST_CASE("every reason of a refusal has words") {
  for (std::uint16_t number = 1; number <= 5; ++number)
    CHECK(to_string(refusal_reason{number}) != "unknown");
}
