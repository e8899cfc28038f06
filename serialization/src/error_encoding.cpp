// The encoding of `error_info`: a fixed head, then one record that contains its causes as records.
// Sizes are computed first, so that the bytes are written once into memory of the right size.

#include "mobula/serialization/byte_stream.hpp"
#include "mobula/serialization/error.hpp"
#include "mobula/serialization/text_beginning.hpp"

#include <algorithm>
#include <cassert>
#include <string_view>

namespace mobula {

namespace {

constexpr std::string_view error_magic = "MBER";
constexpr std::uint8_t format_version = 1;
constexpr std::size_t head_bytes = 8;
constexpr std::size_t length_bytes = 4;

/// Type, process, and the lengths of four texts and two lists.
constexpr std::size_t smallest_record_bytes = 2 + 8 + 6 * length_bytes;

std::string_view cut(std::string_view text) {
  return beginning_of(text, error_limits::text_bytes);
}

std::span<const std::string> cut_frames(const error_info& info) {
  return std::span{info.stack_trace}.first(std::min(info.stack_trace.size(), error_limits::frames));
}

/// The causes that are written for an error at the given depth: none on the last level.
std::span<const error_info> cut_causes(const error_info& info, std::size_t depth) {
  auto limit = depth + 1 < error_limits::depth ? error_limits::causes : 0;
  return std::span{info.causes}.first(std::min(info.causes.size(), limit));
}

std::size_t record_size(const error_info& info, std::size_t depth) {
  auto result = smallest_record_bytes + cut(info.message).size() + cut(info.origin.task).size()
                + cut(info.origin.node).size() + cut(info.exception_type).size();
  for (const auto& frame : cut_frames(info))
    result += length_bytes + cut(frame).size();
  for (const auto& cause : cut_causes(info, depth))
    result += record_size(cause, depth + 1);
  return result;
}

void write_record(byte_writer& writer, const error_info& info, std::size_t depth) {
  writer.u16(static_cast<std::uint16_t>(info.type));
  writer.u64(static_cast<std::uint64_t>(info.origin.process));
  writer.text(cut(info.message));
  writer.text(cut(info.origin.task));
  writer.text(cut(info.origin.node));
  writer.text(cut(info.exception_type));
  auto frames = cut_frames(info);
  writer.u32(static_cast<std::uint32_t>(frames.size()));
  for (const auto& frame : frames)
    writer.text(cut(frame));
  auto causes = cut_causes(info, depth);
  writer.u32(static_cast<std::uint32_t>(causes.size()));
  for (const auto& cause : causes)
    write_record(writer, cause, depth + 1);
}

error_type read_type(byte_reader& reader) {
  auto start = reader.offset();
  auto type = error_type_from_number(reader.u16());
  if (!type)
    reader.fail("unknown error type", start);
  return type.value_or(error_type::worker_died);
}

error_info read_record(byte_reader& reader, std::size_t depth) {
  error_info result;
  result.type = read_type(reader);
  result.origin.process = static_cast<std::int64_t>(reader.u64());
  result.message = reader.text(error_limits::text_bytes);
  result.origin.task = reader.text(error_limits::text_bytes);
  result.origin.node = reader.text(error_limits::text_bytes);
  result.exception_type = reader.text(error_limits::text_bytes);
  auto frames = reader.count(error_limits::frames, length_bytes);
  for (std::size_t i = 0; i < frames && reader.ok(); ++i)
    result.stack_trace.push_back(reader.text(error_limits::text_bytes));
  auto max_causes = depth + 1 < error_limits::depth ? error_limits::causes : 0;
  auto causes = reader.count(max_causes, smallest_record_bytes);
  for (std::size_t i = 0; i < causes && reader.ok(); ++i)
    result.causes.push_back(read_record(reader, depth + 1));
  return result;
}

void read_head(byte_reader& reader) {
  auto start = reader.raw(error_magic.size());
  if (!std::ranges::equal(start, std::as_bytes(std::span{error_magic})))
    reader.fail("not an encoded error", 0);
  if (reader.u8() != format_version)
    reader.fail("unknown version of an encoded error", error_magic.size());
  for (auto offset = reader.offset(); offset < head_bytes; ++offset)
    if (reader.u8() != 0)
      reader.fail("a reserved byte is not zero", offset);
}

} // namespace

std::vector<std::byte> encode(const error_info& info) {
  std::vector<std::byte> result(head_bytes + record_size(info, 0));
  byte_writer writer{result};
  writer.raw(error_magic);
  writer.u8(format_version);
  while (writer.offset() < head_bytes)
    writer.u8(0);
  write_record(writer, info, 0);
  assert(writer.remaining() == 0);
  return result;
}

decoded<error_info> decode_error_info(std::span<const std::byte> bytes) {
  byte_reader reader{bytes};
  read_head(reader);
  auto result = read_record(reader, 0);
  reader.expect_end();
  if (!reader.ok())
    return reader.error();
  return result;
}

} // namespace mobula
