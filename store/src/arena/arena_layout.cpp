// Where the regions of an arena lie, and the header that says so. All offsets follow from a few
// fields: a decoder computes them anew and compares every byte, so that no damaged header is
// believed.

#include "mobula/store/arena/arena_layout.hpp"

#include <bit>
#include <cstring>
#include <string_view>

#include "mobula/serialization/byte_stream.hpp"
#include "mobula/serialization/checksum.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

constexpr std::string_view magic = "MOBARENA";
constexpr std::uint32_t format_version = 2;
constexpr std::size_t hash_offset = arena_header_bytes - 8;

// Keeps sums of offsets and sizes from hostile headers below 2^64.
constexpr std::uint64_t max_total_bytes = 1ULL << 56;

std::uint64_t round_up(std::uint64_t bytes) {
  return (bytes + arena_region_alignment - 1) / arena_region_alignment * arena_region_alignment;
}

std::uint64_t hash_of(std::span<const std::byte> header) {
  return checksum_of(header.first(hash_offset));
}

std::uint64_t stored_hash(std::span<const std::byte> header) {
  byte_reader reader{header.subspan(hash_offset)};
  return reader.u64();
}

constexpr arena_range readers_range{arena_region_alignment, arena_region_alignment};

struct header_fields {
  std::uint64_t total_bytes;
  incarnation_id incarnation;
  std::uint32_t shards;
  std::uint64_t slots_per_shard;
  std::string cluster;
};

/// Returns the layout that these fields stand for: everything else in a header follows from them.
std::optional<arena_layout> layout_for(const header_fields& fields) {
  if (fields.shards == 0 || fields.shards > max_arena_shards
      || !std::has_single_bit(fields.slots_per_shard) || fields.total_bytes > max_total_bytes
      || fields.slots_per_shard > max_slots_per_shard
      || fields.cluster.size() > max_cluster_name_bytes)
    return std::nullopt;
  arena_layout result;
  result.cluster = fields.cluster;
  result.incarnation = fields.incarnation;
  result.slots_per_shard = fields.slots_per_shard;
  result.readers = readers_range;
  result.table = {result.readers.end(), fields.shards * fields.slots_per_shard * arena_slot_bytes};
  result.shards = fields.shards;
  auto heap_start = round_up(result.table.end());
  if (fields.total_bytes < heap_start + arena_region_alignment)
    return std::nullopt;
  result.heap = {heap_start, (fields.total_bytes - heap_start) / arena_region_alignment
                               * arena_region_alignment};
  result.total_bytes = result.heap.end();
  return result;
}

} // namespace

arena_range arena_layout::table_of(std::size_t shard) const noexcept {
  MOBULA_ASSERT(shard < shards);
  auto bytes = slots_per_shard * arena_slot_bytes;
  return {table.offset + shard * bytes, bytes};
}

arena_shape shape_for_heap(std::uint64_t heap_bytes, std::uint32_t shards,
                           std::uint64_t slots_per_shard) noexcept {
  auto heap_start = round_up(readers_range.end() + shards * slots_per_shard * arena_slot_bytes);
  return {.size_bytes = heap_start + round_up(heap_bytes),
          .shards = shards,
          .slots_per_shard = slots_per_shard};
}

std::optional<arena_layout> plan_arena(const arena_shape& shape, const std::string& cluster,
                                       const incarnation_id& incarnation) {
  return layout_for({shape.size_bytes, incarnation, shape.shards, shape.slots_per_shard, cluster});
}

arena_header encode_header(const arena_layout& layout) {
  arena_header header{};
  byte_writer writer{header};
  writer.raw(magic);
  writer.u32(format_version);
  writer.u32(static_cast<std::uint32_t>(arena_header_bytes));
  writer.u64(layout.total_bytes);
  writer.u64(layout.incarnation.high);
  writer.u64(layout.incarnation.low);
  writer.u64(layout.readers.offset);
  writer.u64(layout.table.offset);
  writer.u64(layout.slots_per_shard);
  writer.u32(static_cast<std::uint32_t>(arena_slot_bytes));
  writer.u32(layout.shards);
  writer.u64(layout.heap.offset);
  writer.u64(layout.heap.size);
  writer.text(layout.cluster);
  byte_writer{std::span{header}.subspan(hash_offset)}.u64(hash_of(header));
  return header;
}

std::variant<arena_layout, arena_flaw>
decode_header(std::span<const std::byte, arena_header_bytes> header, std::uint64_t file_bytes) {
  if (std::memcmp(header.data(), magic.data(), magic.size()) != 0)
    return arena_flaw::not_an_arena;
  byte_reader reader{header.subspan(magic.size())};
  if (reader.u32() != format_version)
    return arena_flaw::wrong_version;
  if (stored_hash(header) != hash_of(header))
    return arena_flaw::damaged;
  header_fields fields{};
  reader.u32();
  fields.total_bytes = reader.u64();
  fields.incarnation.high = reader.u64();
  fields.incarnation.low = reader.u64();
  reader.u64();
  reader.u64();
  fields.slots_per_shard = reader.u64();
  reader.u32();
  fields.shards = reader.u32();
  reader.u64();
  reader.u64();
  fields.cluster = reader.text(max_cluster_name_bytes);
  auto layout = layout_for(fields);
  // Whatever was skipped above must be what follows from the rest.
  if (!reader.ok() || !layout
      || std::memcmp(encode_header(*layout).data(), header.data(), header.size()) != 0)
    return arena_flaw::damaged;
  if (layout->total_bytes > file_bytes)
    return arena_flaw::truncated;
  return *std::move(layout);
}

} // namespace mobula
