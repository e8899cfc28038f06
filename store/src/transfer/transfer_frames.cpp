// Encodes and decodes the frames of the data port. All are of one size and end in a checksum;
// whatever a field may not hold is refused, since the bytes may be a stranger's.

#include "mobula/store/transfer/transfer_frames.hpp"

#include <algorithm>

#include "mobula/serialization/byte_stream.hpp"
#include "mobula/serialization/checksum.hpp"
#include "mobula/serialization/metadata.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

constexpr std::string_view magic = "MBDP";
constexpr std::uint16_t version = 1;
constexpr std::size_t checksum_offset = frame_bytes - 8;

enum class kind : std::uint8_t { hello = 1, request = 2, chunk = 3, refusal = 4, cancel = 5 };

bool allowed(const object_range& range, std::uint64_t max_bytes) noexcept {
  return !range.id.empty() && range.length_bytes > 0 && range.length_bytes <= max_bytes
         && range.offset_bytes <= frame_limits::object_bytes - range.length_bytes;
}

bool allowed(const chunk_frame& chunk) noexcept {
  auto length = chunk.range.length_bytes;
  return allowed(chunk.range, frame_limits::chunk_bytes) && chunk.wire_bytes > 0
         && (chunk.encoding == chunk_encoding::plain ? chunk.wire_bytes == length
                                                     : chunk.wire_bytes < length);
}

// -- encoding -----------------------------------------------------------------------

void write_start(byte_writer& writer, kind type, std::uint8_t flags, std::uint16_t detail,
                 std::uint32_t wire_bytes) {
  writer.u8(static_cast<std::uint8_t>(type));
  writer.u8(flags);
  writer.u16(detail);
  writer.u32(wire_bytes);
}

void write(byte_writer& writer, const incarnation_id& id) {
  writer.u64(id.high);
  writer.u64(id.low);
}

void write(byte_writer& writer, const object_range& range) {
  writer.raw(range.id.encode());
  writer.u64(range.offset_bytes);
  writer.u64(range.length_bytes);
}

void write(byte_writer& writer, const hello_frame& hello) {
  writer.u8(static_cast<std::uint8_t>(kind::hello));
  writer.u8(0);
  writer.u16(version);
  writer.raw(magic);
  writer.raw(hello.token.bytes);
  write(writer, hello.sender);
  write(writer, hello.receiver);
}

void write(byte_writer& writer, const request_frame& request) {
  MOBULA_ASSERT(allowed(request.range, frame_limits::object_bytes));
  write_start(writer, kind::request, 0, 0, 0);
  writer.u64(static_cast<std::uint64_t>(request.ask));
  write(writer, request.range);
}

void write(byte_writer& writer, const chunk_frame& chunk) {
  MOBULA_ASSERT(allowed(chunk));
  write_start(writer, kind::chunk, static_cast<std::uint8_t>(chunk.encoding), 0, chunk.wire_bytes);
  writer.u64(static_cast<std::uint64_t>(chunk.ask));
  write(writer, chunk.range);
  writer.u64(chunk.checksum);
}

void write(byte_writer& writer, const refusal_frame& refusal) {
  write_start(writer, kind::refusal, 0, static_cast<std::uint16_t>(refusal.reason), 0);
  writer.u64(static_cast<std::uint64_t>(refusal.ask));
}

void write(byte_writer& writer, const cancel_frame& cancel) {
  write_start(writer, kind::cancel, 0, 0, 0);
  writer.u64(static_cast<std::uint64_t>(cancel.ask));
}

// -- decoding -----------------------------------------------------------------------

/// What stands before the fields that depend on the type.
struct frame_start {
  kind type{};
  std::uint8_t flags = 0;
  std::uint16_t detail = 0;
};

incarnation_id read_incarnation(byte_reader& reader) {
  auto high = reader.u64();
  return {.high = high, .low = reader.u64()};
}

object_range read_range(byte_reader& reader, std::uint64_t max_bytes) {
  auto start = reader.offset();
  object_range range;
  range.id.owner = read_incarnation(reader);
  range.id.sequence = reader.u64();
  range.offset_bytes = reader.u64();
  range.length_bytes = reader.u64();
  if (!allowed(range, max_bytes))
    reader.fail("no range of an object, or one longer than allowed", start);
  return range;
}

void expect_zero(byte_reader& reader, std::uint64_t value, std::size_t offset) {
  if (value != 0)
    reader.fail("a reserved field is not zero", offset);
}

transfer_frame read_hello(byte_reader& reader, const frame_start& start) {
  if (start.detail != version)
    reader.fail("another version of the data port", 2);
  if (!std::ranges::equal(reader.raw(magic.size()), std::as_bytes(std::span{magic})))
    reader.fail("not a greeting of the data port", 4);
  expect_zero(reader, start.flags, 1);
  hello_frame hello;
  // After a failure there are no bytes to copy.
  std::ranges::copy(reader.raw(hello.token.bytes.size()), hello.token.bytes.begin());
  hello.sender = read_incarnation(reader);
  hello.receiver = read_incarnation(reader);
  return hello;
}

transfer_frame read_chunk(byte_reader& reader, const frame_start& start) {
  chunk_frame chunk;
  if (start.flags > static_cast<std::uint8_t>(chunk_encoding::zstd))
    reader.fail("unknown encoding of a chunk", 1);
  expect_zero(reader, start.detail, 2);
  chunk.encoding = start.flags == 0 ? chunk_encoding::plain : chunk_encoding::zstd;
  chunk.wire_bytes = reader.u32();
  chunk.ask = ask_number{reader.u64()};
  chunk.range = read_range(reader, frame_limits::chunk_bytes);
  chunk.checksum = reader.u64();
  if (!allowed(chunk))
    reader.fail("a payload that does not fit its chunk", 4);
  return chunk;
}

transfer_frame read_request(byte_reader& reader, const frame_start& start) {
  expect_zero(reader, start.flags, 1);
  expect_zero(reader, start.detail, 2);
  expect_zero(reader, reader.u32(), 4);
  request_frame request;
  request.ask = ask_number{reader.u64()};
  request.range = read_range(reader, frame_limits::object_bytes);
  return request;
}

transfer_frame read_refusal(byte_reader& reader, const frame_start& start) {
  if (start.detail < static_cast<std::uint16_t>(refusal_reason::not_here)
      || start.detail > static_cast<std::uint16_t>(refusal_reason::shutting_down))
    reader.fail("unknown reason of a refusal", 2);
  expect_zero(reader, start.flags, 1);
  expect_zero(reader, reader.u32(), 4);
  auto ask = ask_number{reader.u64()};
  return refusal_frame{.ask = ask, .reason = refusal_reason{start.detail}};
}

transfer_frame read_cancel(byte_reader& reader, const frame_start& start) {
  expect_zero(reader, start.flags, 1);
  expect_zero(reader, start.detail, 2);
  expect_zero(reader, reader.u32(), 4);
  return cancel_frame{ask_number{reader.u64()}};
}

transfer_frame read_frame(byte_reader& reader) {
  frame_start start;
  start.type = kind{reader.u8()};
  start.flags = reader.u8();
  start.detail = reader.u16();
  switch (start.type) {
    case kind::hello:
      return read_hello(reader, start);
    case kind::request:
      return read_request(reader, start);
    case kind::chunk:
      return read_chunk(reader, start);
    case kind::refusal:
      return read_refusal(reader, start);
    case kind::cancel:
      return read_cancel(reader, start);
  }
  reader.fail("unknown type of a frame", 0);
  return cancel_frame{};
}

} // namespace

bool same_token(const transfer_token& left, const transfer_token& right) noexcept {
  std::byte difference{0};
  for (std::size_t i = 0; i < left.bytes.size(); ++i)
    difference |= left.bytes[i] ^ right.bytes[i];
  return difference == std::byte{0};
}

std::string_view to_string(refusal_reason reason) noexcept {
  switch (reason) {
    case refusal_reason::not_here:
      return "has no copy";
    case refusal_reason::busy:
      return "serves as many as it takes";
    case refusal_reason::out_of_range:
      return "has a shorter copy";
    case refusal_reason::unreadable:
      return "cannot read its copy from disk";
    case refusal_reason::shutting_down:
      return "shuts down";
  }
  return "unknown";
}

frame_header encode(const transfer_frame& frame) {
  frame_header header{};
  byte_writer writer{header};
  std::visit([&](const auto& content) { write(writer, content); }, frame);
  MOBULA_ASSERT(writer.offset() <= checksum_offset);
  auto content = std::span{header}.first(checksum_offset);
  byte_writer{std::span{header}.last(8)}.u64(checksum_of(content));
  return header;
}

decoded<transfer_frame> decode_frame(std::span<const std::byte, frame_bytes> bytes) {
  auto content = bytes.first<checksum_offset>();
  byte_reader reader{content};
  if (byte_reader{bytes.last<8>()}.u64() != checksum_of(content))
    reader.fail("the header's checksum does not match", checksum_offset);
  auto frame = read_frame(reader);
  auto unused = reader.offset();
  while (reader.remaining() > 0)
    expect_zero(reader, reader.u8(), unused);
  if (!reader.ok())
    return reader.error();
  return frame;
}

} // namespace mobula
