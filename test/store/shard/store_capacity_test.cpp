// How much fits: a put is refused only if less than it needs is free. What it needs is its size of
// the store's space, and one extent of the heap: its bytes and metadata, rounded to 64 bytes, or
// from 256 KiB on to pages. While nothing has been freed, the space alone decides. Later the heap
// may lie in pieces: with n objects in it there are at most n + 1, each smaller than what was
// refused, so that less than n + 1 times that is free.

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "../numbered_ids.hpp"
#include "mobula/store/arena/arena_heap.hpp"
#include "mobula/store/shard/store_table.hpp"

#include <doctest/doctest.h>

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr std::uint64_t kib = 1'024;
constexpr std::uint64_t mib = 1'024 * kib;
constexpr std::uint64_t metadata_bytes = 100;

/// A store whose objects all stay where they are until they are dropped.
class full_store {
public:
  full_store(std::uint32_t shards, std::uint64_t space)
    : table_({.capacity_bytes = space, .shards = shards}),
      heap_({mib, arena_heap::size_for(space, 4 * kib) / arena_region_alignment
                    * arena_region_alignment}) {
  }

  /// Returns whether there was space for an object, which has the number `puts()` then.
  bool put(std::uint64_t size) {
    auto id = object_number(++puts_);
    store_effects effects;
    table_.create(token(), id, size, copy_kind::primary, effects);
    for (std::size_t next = 0; next < effects.size(); ++next)
      if (std::holds_alternative<grant_create>(effects[next].effect)) {
        if (take_memory(size))
          return true;
        table_.memory_refused(id, effects);
      }
    table_.cancel(token(), effects);
    table_.check_invariants();
    return false;
  }

  void drop(std::uint64_t number) {
    auto found = extents_.find(number);
    heap_.free(found->second);
    extents_.erase(found);
    store_effects effects;
    table_.abort(object_number(number), effects);
  }

  void drop_any(std::mt19937_64& random) {
    auto victim =
      std::next(extents_.begin(), static_cast<std::ptrdiff_t>(random() % extents_.size()));
    drop(victim->first);
  }

  [[nodiscard]] std::uint64_t free_space() const {
    return table_.use().free_bytes();
  }

  [[nodiscard]] bool has_extent_for(std::uint64_t size) const {
    return heap_.largest_free() >= size + metadata_bytes;
  }

  [[nodiscard]] const arena_heap& heap() const {
    return heap_;
  }

  [[nodiscard]] std::size_t objects() const {
    return extents_.size();
  }

private:
  [[nodiscard]] request_token token() const {
    return request_token{puts_};
  }

  bool take_memory(std::uint64_t size) {
    auto memory = heap_.allocate(size + metadata_bytes);
    if (!memory)
      return false;
    heap_.committed(memory->to_commit);
    extents_.emplace(puts_, memory->extent);
    return true;
  }

  store_table table_;
  arena_heap heap_;
  std::map<std::uint64_t, arena_range> extents_; ///< by number
  std::uint64_t puts_ = 0;
};

/// Sizes as likely to be of one order of magnitude as of another.
std::uint64_t random_size(std::mt19937_64& random, std::uint64_t least, std::uint64_t most) {
  auto position = std::uniform_real_distribution{0.0, 1.0}(random);
  auto factor = static_cast<double>(most) / static_cast<double>(least);
  return static_cast<std::uint64_t>(static_cast<double>(least) * std::pow(factor, position));
}

} // namespace

TEST_CASE("a store takes as many objects of one size as its space divided by it, on any shards") {
  constexpr auto space = 16 * mib;
  for (std::uint32_t shards = 1; shards <= 64; ++shards)
    for (auto size :
         {4 * kib, 100 * kib, std::uint64_t{3'000'000}, space / 3, space / 2 + 1, space}) {
      CAPTURE(shards);
      CAPTURE(size);
      full_store store{shards, space};
      std::uint64_t count = 0;
      while (store.put(size))
        ++count;
      REQUIRE(count == space / size);
    }
}

TEST_CASE("objects smaller than 4 KiB fit until their metadata and rounding have filled the heap") {
  constexpr auto space = 16 * mib;
  for (auto size : {kib, kib + 1, 2 * kib, 3 * kib}) {
    full_store store{8, space};
    while (store.put(size)) {
    }
    CHECK((store.free_space() < size || store.heap().free_bytes() < size + metadata_bytes + 64));
  }
}

TEST_CASE("objects of mixed sizes fit until less than the next one is free") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    auto space = 8 * mib + random() % (32 * mib);
    full_store store{1 + static_cast<std::uint32_t>(random() % 64), space};
    auto size = random_size(random, 4 * kib, space);
    while (store.put(size))
      size = random_size(random, 4 * kib, space);
    REQUIRE(store.free_space() < size);
  }
}

TEST_CASE("in pieces, a store refuses only what fits into none of them") {
  std::size_t in_pieces = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    constexpr auto space = 32 * mib;
    full_store store{1 + static_cast<std::uint32_t>(random() % 64), space};
    for (int step = 0; step < 400; ++step) {
      auto size = random_size(random, kib, space);
      if (store.put(size))
        continue;
      REQUIRE((store.free_space() < size || !store.has_extent_for(size)));
      auto max_of_piece = size + metadata_bytes + 2 * arena_heap::page_alignment;
      REQUIRE((store.free_space() < size
               || store.heap().free_bytes() < (store.objects() + 1) * max_of_piece));
      in_pieces += store.free_space() >= size ? 1 : 0;
      store.drop_any(random);
    }
  }
  CHECK(in_pieces > 100);
}
