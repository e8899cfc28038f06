// The reading side of another process's arena: takes one of its places for readers, finds sealed
// objects in its table and pins them, without a message or a system call for each.

#include "mobula/store/arena/arena_reader.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>

#include "mobula/store/system/assertion.hpp"
#include "reader_places.hpp"

namespace mobula {

namespace {

/// Takes the first free place. Returns what keeps it from that, if anything: `EAGAIN` if all are
/// taken.
std::variant<reader_index, int> take_place(const mapped_arena& arena) {
  for (std::uint8_t i = 0; i < max_arena_readers; ++i) {
    reader_place place{arena.mapping(), arena.layout(), reader_index{i}};
    if (place.holder() != 0)
      continue;
    auto error = place.try_lock();
    if (error == EAGAIN)
      continue;
    if (error != 0)
      return error;
    // Only now it cannot change: its last reader may have died since we looked.
    if (place.holder() == 0) {
      place.write(static_cast<std::uint64_t>(::getpid()));
      return place.index();
    }
    place.unlock();
  }
  return EAGAIN;
}

/// Zeros that take memory only where they are written.
std::optional<arena_mapping> map_zeros(std::size_t size) {
  auto* base = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    return std::nullopt;
  return arena_mapping{-1, static_cast<std::byte*>(base), size};
}

std::size_t slots_of(const arena_layout& layout) {
  return layout.table.size / arena_slot_bytes;
}

} // namespace

std::string explain(const reader_refusal& refusal) {
  return fmt::format("{} has {} reader processes, and no place for more; end some of them, or try "
                     "again when its node has noticed those that died",
                     refusal.path, max_arena_readers);
}

std::variant<std::unique_ptr<arena_reader>, io_failure, arena_refusal, reader_refusal>
arena_reader::open(const std::filesystem::path& path) {
  auto opened = mapped_arena::open(path);
  if (auto* failure = std::get_if<io_failure>(&opened))
    return std::move(*failure);
  if (auto* refusal = std::get_if<arena_refusal>(&opened))
    return std::move(*refusal);
  auto& arena = std::get<mapped_arena>(opened);
  auto pins = map_zeros(slots_of(arena.layout()) * sizeof(slot_pins));
  if (!pins)
    return io_failure{path.string(), io_operation::map, errno};
  auto place = take_place(arena);
  if (auto* error = std::get_if<int>(&place)) {
    if (*error == EAGAIN)
      return reader_refusal{path.string()};
    return io_failure{path.string(), io_operation::lock, *error};
  }
  return std::unique_ptr<arena_reader>{
    new arena_reader{std::move(arena), std::get<reader_index>(place), *std::move(pins)}};
}

arena_reader::arena_reader(mapped_arena arena, reader_index index, arena_mapping pins) noexcept
  : arena_(std::move(arena)), index_(index), pins_memory_(std::move(pins)) {
  auto count = slots_of(layout());
  auto* table = arena_.mapping().at(layout().table.offset);
  slots_ = {reinterpret_cast<arena_slot*>(table), count};
  pins_ = {reinterpret_cast<slot_pins*>(pins_memory_.at(0)), count};
}

arena_reader::~arena_reader() {
  if (!home_.is_this())
    return;
  MOBULA_ASSERT(std::ranges::none_of(pins_, &slot_pins::pinned));
  reader_place place{arena_.mapping(), layout(), index_};
  place.write(0);
  place.unlock();
}

bool arena_reader::owner_lives() const noexcept {
  auto descriptor = arena_.mapping().descriptor();
  // Shared, so that two who ask at the same moment do not take each other for the owner.
  if (::flock(descriptor, LOCK_SH | LOCK_NB) != 0)
    return errno == EWOULDBLOCK;
  ::flock(descriptor, LOCK_UN);
  return false;
}

object_lookup arena_reader::find(const object_id& id) noexcept {
  if (id.empty() || !home_.is_this())
    return {};
  auto slots = layout().slots_per_shard;
  auto shard = home_shard(id.sequence, layout().shards);
  auto home = home_slot(id.sequence, slots);
  // Relaxed: a hint, as is what the loop finds; `pin` decides.
  auto neighbours = slots_[shard * slots + home].neighbours.load(std::memory_order_relaxed);
  for (; neighbours != 0; neighbours &= neighbours - 1) {
    auto distance = static_cast<std::uint64_t>(std::countr_zero(neighbours));
    auto index = shard * slots + ((home + distance) & (slots - 1));
    const auto& slot = slots_[index];
    if (slot.word.open() && slot.id() == id)
      return pin(index, id);
  }
  return {};
}

object_lookup arena_reader::pin(std::uint64_t index, const object_id& id) noexcept {
  auto& slot = slots_[index];
  if (!pins_[index].try_pin(slot.word, index_))
    return {};
  // From here to the unpin the shard writes nothing into the slot. It may have done so since the
  // id was compared, though.
  auto held = slot.id();
  auto place = slot.place();
  if (held == id && is_well_formed(place, layout().heap)) {
    slot.mark_read();
    return {.object = pinned_object{table_index{index}, arena_.bytes(place.data),
                                    arena_.bytes(place.metadata())}};
  }
  if (unpin(table_index{index}) == unpin_result::tell_shard)
    return {.to_report = held};
  return {};
}

void arena_reader::add_pin(table_index slot) noexcept {
  MOBULA_ASSERT(static_cast<std::uint64_t>(slot) < pins_.size());
  pins_[static_cast<std::uint64_t>(slot)].add_pin();
}

unpin_result arena_reader::unpin(table_index slot) noexcept {
  MOBULA_ASSERT(static_cast<std::uint64_t>(slot) < pins_.size());
  if (!home_.is_this())
    return unpin_result::nothing;
  auto index = static_cast<std::uint64_t>(slot);
  return pins_[index].unpin(slots_[index].word, index_);
}

} // namespace mobula
