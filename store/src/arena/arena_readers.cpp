// Drops what dead readers have pinned in an arena. A reader whose lock can be taken is dead: the
// kernel gave the lock back, however its process ended.

#include "mobula/store/arena/arena_readers.hpp"

#include <cerrno>
#include <vector>

#include "mobula/store/arena/arena_slot.hpp"
#include "reader_places.hpp"

namespace mobula {

namespace {

void drop_pins(const arena_segment& arena, reader_set dead) {
  auto bytes = arena.bytes(arena.layout().table);
  auto* slots = reinterpret_cast<arena_slot*>(bytes.data());
  for (std::size_t i = 0; i < bytes.size() / sizeof(arena_slot); ++i)
    slots[i].word.drop_dead(dead);
}

} // namespace

reader_census arena_readers::clear_dead() {
  reader_census result;
  std::vector<reader_place> dead;
  std::uint64_t bits = 0;
  for (std::uint8_t i = 0; i < max_arena_readers; ++i) {
    reader_place place{arena_->mapping(), arena_->layout(), reader_index{i}};
    if (place.holder() == 0)
      continue;
    if (auto error = place.try_lock(); error != 0) {
      ++result.living;
      if (error != EAGAIN)
        result.failure = {arena_->path().string(), io_operation::lock, error};
      continue;
    }
    // Only now it cannot change: the reader may have left in order just before we had the lock.
    if (place.holder() == 0) {
      place.unlock();
      continue;
    }
    dead.push_back(place);
    bits |= static_cast<std::uint64_t>(set_of(place.index()));
  }
  if (!dead.empty())
    drop_pins(*arena_, reader_set{bits});
  for (const auto& place : dead) {
    place.write(0);
    place.unlock();
  }
  result.cleared = dead.size();
  return result;
}

std::vector<std::uint64_t> arena_readers::processes_of(reader_set readers) const {
  std::vector<std::uint64_t> result;
  for (std::uint8_t i = 0; i < max_arena_readers; ++i) {
    reader_index index{i};
    if ((static_cast<std::uint64_t>(readers) & static_cast<std::uint64_t>(set_of(index))) != 0)
      result.push_back(reader_place{arena_->mapping(), arena_->layout(), index}.holder());
  }
  return result;
}

} // namespace mobula
