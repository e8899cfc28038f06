#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mobula {

/// Says why an object has no value. Numbers below 100 are Ray's; ours start at 100. A number is
/// part of the wire format and never changes its meaning. All stay at most 254, so that shifted
/// by one (zero means success there) they fit an 8-bit error code of an actor library.
enum class error_type : std::uint16_t {
  // -- Ray's --------------------------------------------------------------------------------------
  worker_died = 0,
  actor_died = 1,
  // 2 was retired by Ray and must never be used.
  task_execution_exception = 3,
  object_in_plasma = 4, ///< a marker (the value is in shared memory), never raised as an error
  task_cancelled = 5,
  actor_creation_failed = 6,
  runtime_env_setup_failed = 7,
  object_lost = 8,
  owner_died = 9,
  object_deleted = 10,
  dependency_resolution_failed = 11,
  object_unreconstructable_max_attempts_exceeded = 12,
  object_unreconstructable_lineage_evicted = 13,
  object_fetch_timed_out = 14,
  local_raylet_died = 15,
  task_placement_group_removed = 16,
  actor_placement_group_removed = 17,
  task_unschedulable_error = 18,
  actor_unschedulable_error = 19,
  out_of_disk_error = 20,
  object_freed = 21,
  out_of_memory = 22,
  node_died = 23,
  end_of_streaming_generator = 24, ///< a marker (no more elements), never raised as an error
  actor_unavailable = 25,
  generator_task_failed_for_object_reconstruction = 26,
  object_unreconstructable_put = 27,
  object_unreconstructable_retries_disabled = 28,
  object_unreconstructable_borrowed = 29,
  object_unreconstructable_ref_not_found = 30,
  object_unreconstructable_task_cancelled = 31,
  object_unreconstructable_lineage_disabled = 32,
  worker_startup_failed = 33,
  streaming_generator_replay_inconsistent = 34,

  // -- Mobula's -----------------------------------------------------------------------------------
  store_full = 100,
  type_mismatch = 101,
  shutting_down = 102,
  get_timed_out = 103,
  invalid_reference = 104, ///< an empty reference, or one of another system
  decode_failed = 105,
  encode_failed = 106,
  promise_broken = 107, ///< the promise was dropped before it was set
  already_set = 108,
  would_block_forever = 109,    ///< the deterministic scheduler is idle: nothing can make it ready
  reference_not_portable = 110, ///< a reference was serialized where no node can stand for it
  invalid_argument = 111,
  name_not_found = 112, ///< no node of the cluster publishes this name
};

/// Returns the enumerator's name; `unknown` for a number without one.
[[nodiscard]] std::string_view to_string(error_type type) noexcept;

/// Inverse of `to_string`; nothing for any other text.
[[nodiscard]] std::optional<error_type> parse_error_type(std::string_view name) noexcept;

/// Returns the error with this number; nothing for a retired or unknown one.
[[nodiscard]] std::optional<error_type> error_type_from_number(std::uint16_t number) noexcept;

} // namespace mobula
