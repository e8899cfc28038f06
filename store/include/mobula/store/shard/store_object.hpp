#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/shard/shard_effects.hpp"
#include "mobula/store/shard/use_list.hpp"

namespace mobula {

/// Where an object of a `store_table` is in its life.
enum class store_place : std::uint8_t {
  waiting,         ///< a create in the queue
  unsealed,        ///< granted, its creator writes
  idle,            ///< sealed, in one of the orders of last use
  asked,           ///< sealed, an answer about its pins is on the way
  pinned,          ///< sealed, found pinned, its last reader will report
  releasing,       ///< released, the answer whether it has readers is on the way
  doomed,          ///< released, found pinned, its last reader will report
  spilling,        ///< sealed, its bytes are being written
  spilled,         ///< on disk only
  restore_waiting, ///< on disk only, a restore in the queue
  restoring        ///< space taken, its bytes are being read
};

inline constexpr std::size_t store_place_count = 11;

enum class pin_question : std::uint8_t { is_idle, give_space };

/// What a `store_table` knows of one object. Its events raise and lower all fields.
struct store_object : use_links<store_object> {
  [[nodiscard]] bool in_memory() const noexcept {
    return where != store_place::waiting && where != store_place::spilled
           && where != store_place::restore_waiting;
  }

  [[nodiscard]] bool in_queue() const noexcept {
    return where == store_place::waiting || where == store_place::restore_waiting;
  }

  object_id id;
  std::size_t size_bytes = 0;
  copy_kind kind = copy_kind::primary;
  store_place where = store_place::waiting;
  pin_question asked = pin_question::is_idle; ///< in place `asked`
  bool has_record = false;  ///< raised by `spill_finished`, lowered by release and loss
  bool released = false;    ///< raised by `release`, never lowered
  bool unpin_hint = false;  ///< `unpinned` came while a question was open: refusals are stale
  use_stamp known_use{};    ///< what the shell last told
  std::uint64_t spared = 0; ///< the spell of pressure in which it was spared
  /// The latest in which it was found too large for what is left on disk.
  std::optional<spill_round> set_aside_in;
  // While in the queue:
  std::uint64_t granted_after = 0; ///< `heap_pieces::returns` when it was granted
  request_token creator{};         ///< of a create, until it is sealed; restores have `readers`
  std::uint64_t arrival = 0;       ///< order in the queue
  std::size_t overtaken_bytes = 0; ///< what younger requests took while this was the oldest
  std::uint64_t overtook = 0;      ///< the arrival of whom it overtook when it was granted
  std::vector<request_token> readers;
};

} // namespace mobula
