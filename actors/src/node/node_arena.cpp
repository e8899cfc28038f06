// Makes a node's arena, and decides how large it, the heap's limit and the stock of ready pages are
// where the options leave that open.

#include "mobula/actors/node/node_arena.hpp"

#include <algorithm>
#include <bit>
#include <filesystem>

#include <fmt/format.h>

#include "mobula/serialization/counted.hpp"
#include "mobula/serialization/error.hpp"
#include "mobula/store/arena/arena_capacity.hpp"
#include "mobula/store/system/memory_grant.hpp"

namespace mobula {

namespace {

constexpr std::uint64_t least_store_bytes = 64ULL * 1024;
constexpr std::uint64_t least_heap_bytes = 1ULL << 20U;

// What is kept faulted in unless the options say: little in a node that hardly uses its store, and
// enough for some objects of 64 MiB in one that does.
constexpr std::uint64_t first_stock_bytes = 4ULL << 20U;
constexpr std::uint64_t full_stock_bytes = 256ULL << 20U;

constexpr std::uint64_t least_object_bytes = 4096;

/// So that not what objects take beside their bytes ends the space, but their bytes: of objects
/// that were put into the store. Smaller ones come there only when the process heap is full.
std::uint64_t heap_bytes_for(const node_options& options) {
  auto least = std::max<std::uint64_t>(options.inline_limit_bytes, least_object_bytes);
  return arena_heap::size_for(options.store_size_bytes, least);
}

/// Twice as many as there may be objects, so that most find a slot near their first choice. Those
/// are counted that were put into the store, which are larger than the inline limit: a store full
/// of what came from the process heap (4 KiB up to that limit) leaves many without a slot. So does
/// one of objects of less than 4 KiB, where the limit is lower.
std::uint64_t slots_for(const node_options& options) {
  auto least_object = std::max<std::uint64_t>(options.inline_limit_bytes, least_object_bytes);
  auto objects = options.store_size_bytes / options.shards / least_object;
  return std::bit_ceil(std::clamp<std::uint64_t>(2 * objects, 1024, 1 << 20));
}

arena_shape shape_of(const node_options& options) {
  return shape_for_heap(heap_bytes_for(options), options.shards, slots_for(options));
}

/// Returns the largest store, of whole regions, whose arena has at most `arena_bytes`: tables,
/// rounding and gaps need some of it.
std::uint64_t largest_store_in(node_options options, std::uint64_t arena_bytes) {
  std::uint64_t fits = 0;
  auto exceeds = arena_bytes / arena_region_alignment + 1;
  while (exceeds - fits > 1) {
    auto middle = fits + (exceeds - fits) / 2;
    options.store_size_bytes = middle * arena_region_alignment;
    (shape_of(options).size_bytes <= arena_bytes ? fits : exceeds) = middle;
  }
  return fits * arena_region_alignment;
}

[[noreturn]] void refuse(std::string message) {
  throw object_error{{.type = error_type::invalid_argument, .message = std::move(message)}};
}

[[noreturn]] void refuse_directory(const node_options& options, const io_failure& failure) {
  refuse(
    fmt::format("option mobula.arena-dir names {}, where no arena of {} bytes can be made: {}; "
                "free memory there, lower mobula.store-size, or name another tmpfs",
                options.arena_directory, options.store_size_bytes, explain(failure)));
}

} // namespace

std::uint64_t resolve_store_size(const node_options& options) {
  // What cannot be swept belongs to others, or goes with a later start.
  static_cast<void>(sweep_arenas(options.arena_directory));
  if (options.store_size_bytes != 0)
    return options.store_size_bytes;
  auto most = default_arena_bytes(options.arena_directory);
  auto available = available_bytes(options.arena_directory);
  for (auto* answer : {&most, &available})
    if (auto* failure = std::get_if<io_failure>(answer))
      refuse_directory(options, *failure);
  auto size = std::min(std::get<std::uint64_t>(most),
                       largest_store_in(options, std::get<std::uint64_t>(available)));
  if (size < least_store_bytes)
    refuse(
      fmt::format("{} has only {} bytes free, too little for a store of {} bytes and the tables of "
                  "{}; free memory there, lower mobula.shards, or name another tmpfs as "
                  "mobula.arena-dir",
                  options.arena_directory, std::get<std::uint64_t>(available), least_store_bytes,
                  counted(options.shards, "shard")));
  return size;
}

page_stock stock_of_heap(const node_options& options) noexcept {
  auto greatest =
    std::min(options.prefault_bytes.value_or(full_stock_bytes), options.store_size_bytes / 4);
  auto least = std::min(options.prefault_bytes.value_or(first_stock_bytes), greatest);
  return {least, greatest};
}

std::uint64_t resolve_heap_limit(const node_options& options) {
  if (options.heap_limit_bytes != 0)
    return options.heap_limit_bytes;
  return std::max(granted_memory_bytes() / 5, least_heap_bytes);
}

node_arena open_arena(const node_options& options, const incarnation_id& incarnation,
                      std::string_view label) {
  auto layout = plan_arena(shape_of(options), options.cluster, incarnation);
  if (!layout)
    refuse(fmt::format("an arena cannot have {} bytes in {}; lower mobula.store-size",
                       options.store_size_bytes, counted(options.shards, "shard")));
  auto path = std::filesystem::path{options.arena_directory} / arena_file_name(label, incarnation);
  auto made = arena_segment::create(std::move(path), *std::move(layout));
  if (auto* failure = std::get_if<io_failure>(&made))
    refuse_directory(options, *failure);
  node_arena result;
  result.segment = std::make_shared<arena_segment>(std::get<arena_segment>(std::move(made)));
  result.heap = shared_heap::make(result.segment);
  return result;
}

} // namespace mobula
