#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/arena/arena_segment.hpp"
#include "mobula/store/arena/arena_slot.hpp"
#include "mobula/store/arena/slot_pins.hpp"

namespace mobula {

/// A slot as its readers count: through the tables of all shards.
enum class table_index : std::uint64_t {};

/// A sealed object of another node that cannot change, move or go until it is unpinned. Its bytes
/// are not to be believed more than their writer: any process of the user can make such an object.
struct pinned_object {
  table_index slot;
  std::span<const std::byte> data;     ///< at a multiple of 64
  std::span<const std::byte> metadata; ///< at a multiple of 8
};

/// What a search came back with.
struct object_lookup {
  /// Nothing: the object is not in the table at present, and its owner knows where else it is.
  std::optional<pinned_object> object{};
  /// An object, most likely another one, that was pinned for a moment while it was asked for: it
  /// must be reported to its shard as unpinned.
  std::optional<object_id> to_report{};
};

/// All places for readers of an arena are taken.
struct reader_refusal {
  std::string path;
};

/// Returns the path, what is wrong, and what to do about it.
[[nodiscard]] std::string explain(const reader_refusal& refusal);

/// A process's way into the arena of another node: finds sealed objects, pins and reads them in
/// place, without a message, a system call or an allocation.
///
/// The idea: the arena has one bit in each slot for each reader, and this holds one of them for its
/// life. How an object is found and pinned is in docs/formats.md ("Reading an object"); how threads
/// share the bit in slot_pins.hpp; how the owner learns of our death in
/// src/arena/reader_places.hpp.
///
/// Nothing that shared memory holds is believed: the place of an object is checked against its
/// shard's heap before it is used. What cannot be checked for free is whether a page holds memory:
/// a process of the same user that describes an object where there is none, or cuts the file, can
/// still end its readers (SIGBUS).
///
/// Several in one process, also of one arena, are several readers. Thread-safe, but for the
/// destructor. A forked child must not use it: it would share the place of its parent.
class arena_reader {
public:
  [[nodiscard]] static std::variant<std::unique_ptr<arena_reader>, io_failure, arena_refusal,
                                    reader_refusal>
  open(const std::filesystem::path& path);

  arena_reader(const arena_reader&) = delete;
  arena_reader& operator=(const arena_reader&) = delete;

  /// Gives the place back. REQUIRES: all is unpinned.
  ~arena_reader();

  // In a forked child, which shares the place with its parent, an arena has no objects, and what
  // the parent has pinned stays pinned.

  /// Pins an object and marks it as read. Looks at `slot_window` slots at most.
  [[nodiscard]] object_lookup find(const object_id& id) noexcept;

  /// Takes one more pin, also of an object on its way out. REQUIRES: it is pinned through this.
  void add_pin(table_index slot) noexcept;

  /// Gives a pin back. On `tell_shard` the caller must report the object as unpinned. REQUIRES: as
  /// for `add_pin`.
  [[nodiscard]] unpin_result unpin(table_index slot) noexcept;

  // -- properties -------------------------------------------------------------

  /// Returns whether a living process has this very file locked as its arena: it is no copy, and
  /// its node is not dead. One system call.
  [[nodiscard]] bool owner_lives() const noexcept;

  [[nodiscard]] const arena_layout& layout() const noexcept {
    return arena_.layout();
  }

  [[nodiscard]] reader_index index() const noexcept {
    return index_;
  }

private:
  arena_reader(mapped_arena arena, reader_index index, arena_mapping pins) noexcept;

  [[nodiscard]] object_lookup pin(std::uint64_t slot, const object_id& id) noexcept;

  mapped_arena arena_;
  home_process home_;
  reader_index index_;
  arena_mapping pins_memory_;
  std::span<arena_slot> slots_;
  std::span<slot_pins> pins_; ///< for each slot, what our threads have pinned
};

} // namespace mobula
