// How large a node's arena becomes where nobody says, on small disks of its own.

#include "mobula/actors/node/node_arena.hpp"
#include "mobula/serialization/error.hpp"

#include <fstream>

#include "../../small_disk.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr std::uint64_t mib = 1ULL << 20;
constexpr incarnation_id dead_node{.high = 1, .low = 1};
constexpr incarnation_id this_node{.high = 1, .low = 2};

node_options options_on(const small_disk& disk, std::uint32_t shards = 2) {
  node_options result;
  result.arena_directory = disk.path();
  result.shards = shards;
  return result;
}

/// Default options but for the store's size, which is given.
page_stock stock_of(std::uint64_t store_bytes, std::optional<std::uint64_t> prefault_bytes = {}) {
  node_options options;
  options.store_size_bytes = store_bytes;
  options.prefault_bytes = prefault_bytes;
  options.shards = 1;
  return stock_of_heap(options);
}

} // namespace

TEST_CASE("a node starts on a small disk with what that has") {
  for (const auto* size : {"size=2m", "size=3m", "size=6m", "size=16m"})
    for (std::uint32_t shards : {1, 2, 4}) {
      const small_disk disk{size};
      if (!disk.mounted())
        return;
      CAPTURE(size);
      CAPTURE(shards);
      auto options = options_on(disk, shards);
      options.store_size_bytes = resolve_store_size(options);
      const auto arena = open_arena(options, this_node, options.cluster);
      auto total = std::filesystem::space(disk.path()).capacity;
      CHECK(arena.segment->layout().total_bytes <= total);
      CHECK(options.store_size_bytes >= total / 4);
      if (total >= 6 * mib)
        CHECK(options.store_size_bytes >= total / 4 * 3);
    }
}

TEST_CASE("what dead nodes left counts as free") {
  const small_disk disk{"size=16m"};
  if (!disk.mounted())
    return;
  auto size = resolve_store_size(options_on(disk));
  std::ofstream{disk.path() / arena_file_name("mobula", dead_node)} << std::string(12 * mib, 'd');
  CHECK(resolve_store_size(options_on(disk)) == size);
}

TEST_CASE("what others have on the disk does not") {
  const small_disk disk{"size=16m"};
  if (!disk.mounted())
    return;
  std::ofstream{disk.path() / "other"} << std::string(12 * mib, 'o');
  CHECK(resolve_store_size(options_on(disk)) < 4 * mib);
}

TEST_CASE("a disk without space for all shards is refused with what it has and the remedy") {
  const small_disk disk{"size=512k"};
  if (!disk.mounted())
    return;
  try {
    static_cast<void>(resolve_store_size(options_on(disk, 8)));
    FAIL("a store was found space for");
  } catch (const object_error& error) {
    CHECK(error.type() == error_type::invalid_argument);
    CHECK(error.info().message.find("524288 bytes free") != std::string::npos);
    CHECK(error.info().message.find("mobula.shards") != std::string::npos);
  }
}

TEST_CASE("an unused store keeps little memory ready, and a used one more") {
  CHECK(stock_of(8192 * mib) == page_stock{4 * mib, 256 * mib});
  CHECK(stock_of(64 * mib) == page_stock{4 * mib, 16 * mib});
  CHECK(stock_of(4 * mib) == page_stock{mib, mib});
}

TEST_CASE("what a user wants ready is so from the start, up to a quarter of the store") {
  CHECK(stock_of(8192 * mib, 512 * mib) == page_stock{512 * mib});
  CHECK(stock_of(64 * mib, 512 * mib) == page_stock{16 * mib});
  CHECK(stock_of(8192 * mib, 0) == page_stock{0});
}
