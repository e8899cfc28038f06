// The encoding of `metadata`: numbers at fixed offsets, then the variable parts (those with 8-byte
// elements first, so that they stay aligned), then a checksum over everything before it.

#include "mobula/serialization/metadata.hpp"

#include "mobula/serialization/array_shape.hpp"
#include "mobula/serialization/byte_stream.hpp"
#include "mobula/serialization/checksum.hpp"
#include "mobula/serialization/codec_error.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <string_view>

namespace mobula {

namespace {

constexpr std::string_view metadata_magic = "MBMD";

/// A reader refuses another major version. A later minor version may append fields ahead of the
/// checksum, which an older reader skips.
constexpr std::uint8_t major_version = 1;
constexpr std::uint8_t minor_version = 1;

constexpr std::uint16_t no_error = 0xFFFF;
constexpr std::size_t fixed_bytes = 40;
constexpr std::size_t dimension_bytes = 8;
constexpr std::size_t layout_bytes = 8;
constexpr std::size_t checksum_bytes = 8;

/// A header length is 32 bits wide; every header within the limits fits.
static_assert(fixed_bytes + metadata_limits::dimensions * dimension_bytes
                + metadata_limits::nested * object_id::encoded_size
                + metadata_limits::type_name_bytes + layout_bytes + checksum_bytes
              <= std::numeric_limits<std::uint32_t>::max());

void check_limits(const metadata& meta) {
  if (meta.type_name.size() > metadata_limits::type_name_bytes)
    throw codec_error("the type name of an object is longer than 64 KiB");
  if (meta.nested.size() > metadata_limits::nested)
    throw codec_error("an object holds more than 2^24 references");
  if (!array_shape::valid(meta.shape))
    throw codec_error("the shape of an object has too many dimensions or elements");
}

/// What version 1.0 can say is written as that.
std::uint8_t version_for(layout_fingerprint layout) {
  return layout == layout_fingerprint::none ? 0 : minor_version;
}

void write_fields(byte_writer& writer, const metadata& meta) {
  writer.raw(metadata_magic);
  writer.u8(major_version);
  writer.u8(version_for(meta.layout));
  writer.u8(static_cast<std::uint8_t>(meta.codec));
  writer.u8(static_cast<std::uint8_t>(meta.shape.size()));
  writer.u32(static_cast<std::uint32_t>(encoded_size(meta)));
  writer.u16(meta.error ? static_cast<std::uint16_t>(*meta.error) : no_error);
  writer.u16(0);
  writer.u64(meta.size_bytes);
  writer.u64(meta.checksum);
  writer.u32(static_cast<std::uint32_t>(meta.nested.size()));
  writer.u32(static_cast<std::uint32_t>(meta.type_name.size()));
  for (auto extent : meta.shape)
    writer.u64(extent);
  for (const auto& id : meta.nested)
    writer.raw(id.encode());
  writer.raw(meta.type_name);
  if (version_for(meta.layout) > 0)
    writer.u64(static_cast<std::uint64_t>(meta.layout));
}

// -- decoding -------------------------------------------------------------------------------------

struct header_lengths {
  std::uint8_t minor_version = 0;
  std::size_t dimensions = 0;
  std::size_t nested = 0;
  std::size_t type_name_bytes = 0;
};

/// Reads the part that tells whether the rest can be read at all.
void read_start(byte_reader& reader, header_lengths& lengths, metadata& meta) {
  if (!std::ranges::equal(reader.raw(metadata_magic.size()),
                          std::as_bytes(std::span{metadata_magic})))
    reader.fail("not an object's metadata", 0);
  if (reader.u8() != major_version)
    reader.fail("unknown version of metadata", 4);
  lengths.minor_version = reader.u8();
  auto codec = codec_id_from_number(reader.u8());
  if (!codec)
    reader.fail("unknown codec", 6);
  meta.codec = codec.value_or(codec_id::raw);
  lengths.dimensions = reader.u8();
  if (lengths.dimensions > metadata_limits::dimensions)
    reader.fail("more dimensions than allowed", 7);
}

void read_fixed_fields(byte_reader& reader, header_lengths& lengths, metadata& meta) {
  if (auto number = reader.u16(); number != no_error) {
    meta.error = error_type_from_number(number);
    if (!meta.error)
      reader.fail("unknown error type", 12);
  }
  if (reader.u16() != 0)
    reader.fail("a reserved field is not zero", 14);
  meta.size_bytes = reader.u64();
  meta.checksum = reader.u64();
  lengths.nested = reader.count(metadata_limits::nested, object_id::encoded_size);
  lengths.type_name_bytes = reader.u32();
  if (lengths.type_name_bytes > metadata_limits::type_name_bytes)
    reader.fail("the type name is longer than allowed", 36);
}

object_id read_id(byte_reader& reader) {
  std::array<std::byte, object_id::encoded_size> bytes{};
  std::ranges::copy(reader.raw(bytes.size()), bytes.begin());
  return object_id::decode(bytes);
}

void read_variable_fields(byte_reader& reader, const header_lengths& lengths, metadata& meta) {
  auto shape_offset = reader.offset();
  for (std::size_t i = 0; i < lengths.dimensions && reader.ok(); ++i)
    meta.shape.push_back(reader.u64());
  if (!array_shape::valid(meta.shape))
    reader.fail("a shape with more elements than any memory holds", shape_offset);
  if (reader.ok())
    meta.nested.reserve(lengths.nested);
  for (std::size_t i = 0; i < lengths.nested && reader.ok(); ++i)
    meta.nested.push_back(read_id(reader));
  auto name = reader.raw(lengths.type_name_bytes);
  meta.type_name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  if (lengths.minor_version > 0)
    meta.layout = layout_fingerprint{reader.u64()};
  if (lengths.minor_version <= minor_version)
    reader.expect_end();
}

} // namespace

std::size_t encoded_metadata_size(std::size_t dimensions, std::size_t nested,
                                  std::size_t type_name_bytes, layout_fingerprint layout) noexcept {
  return fixed_bytes + dimensions * dimension_bytes + nested * object_id::encoded_size
         + type_name_bytes + (version_for(layout) > 0 ? layout_bytes : 0) + checksum_bytes;
}

std::size_t encoded_size(const metadata& meta) noexcept {
  return encoded_metadata_size(meta.shape.size(), meta.nested.size(), meta.type_name.size(),
                               meta.layout);
}

std::vector<std::byte> encode(const metadata& meta) {
  check_limits(meta);
  std::vector<std::byte> result(encoded_size(meta));
  encode(meta, result);
  return result;
}

void encode(const metadata& meta, std::span<std::byte> target) {
  check_limits(meta);
  assert(target.size() == encoded_size(meta));
  byte_writer writer{target};
  write_fields(writer, meta);
  writer.u64(checksum_of(target.first(writer.offset())));
  assert(writer.remaining() == 0);
}

decoded<metadata> decode_metadata(std::span<const std::byte> bytes) {
  if (bytes.size() < fixed_bytes + checksum_bytes)
    return format_error{.message = "the bytes end too early", .offset = bytes.size()};
  auto [content, seal] =
    std::pair{bytes.first(bytes.size() - checksum_bytes), bytes.last(checksum_bytes)};
  byte_reader reader{content};
  header_lengths lengths;
  metadata meta;
  read_start(reader, lengths, meta);
  if (reader.u32() != bytes.size())
    reader.fail("the header length is not the number of bytes", 8);
  if (byte_reader{seal}.u64() != checksum_of(content))
    reader.fail("the header's checksum does not match", content.size());
  read_fixed_fields(reader, lengths, meta);
  read_variable_fields(reader, lengths, meta);
  if (!reader.ok())
    return reader.error();
  return meta;
}

} // namespace mobula
