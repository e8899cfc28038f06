// The one table of error types and their names. A number that is not in it is no error, and
// decoders refuse it.

#include "mobula/serialization/error_type.hpp"

#include <algorithm>
#include <array>

namespace mobula {

namespace {

struct entry {
  error_type type;
  std::string_view name;
};

constexpr std::array entries{
  entry{error_type::worker_died, "worker_died"},
  entry{error_type::actor_died, "actor_died"},
  entry{error_type::task_execution_exception, "task_execution_exception"},
  entry{error_type::object_in_plasma, "object_in_plasma"},
  entry{error_type::task_cancelled, "task_cancelled"},
  entry{error_type::actor_creation_failed, "actor_creation_failed"},
  entry{error_type::runtime_env_setup_failed, "runtime_env_setup_failed"},
  entry{error_type::object_lost, "object_lost"},
  entry{error_type::owner_died, "owner_died"},
  entry{error_type::object_deleted, "object_deleted"},
  entry{error_type::dependency_resolution_failed, "dependency_resolution_failed"},
  entry{error_type::object_unreconstructable_max_attempts_exceeded,
        "object_unreconstructable_max_attempts_exceeded"},
  entry{error_type::object_unreconstructable_lineage_evicted,
        "object_unreconstructable_lineage_evicted"},
  entry{error_type::object_fetch_timed_out, "object_fetch_timed_out"},
  entry{error_type::local_raylet_died, "local_raylet_died"},
  entry{error_type::task_placement_group_removed, "task_placement_group_removed"},
  entry{error_type::actor_placement_group_removed, "actor_placement_group_removed"},
  entry{error_type::task_unschedulable_error, "task_unschedulable_error"},
  entry{error_type::actor_unschedulable_error, "actor_unschedulable_error"},
  entry{error_type::out_of_disk_error, "out_of_disk_error"},
  entry{error_type::object_freed, "object_freed"},
  entry{error_type::out_of_memory, "out_of_memory"},
  entry{error_type::node_died, "node_died"},
  entry{error_type::end_of_streaming_generator, "end_of_streaming_generator"},
  entry{error_type::actor_unavailable, "actor_unavailable"},
  entry{error_type::generator_task_failed_for_object_reconstruction,
        "generator_task_failed_for_object_reconstruction"},
  entry{error_type::object_unreconstructable_put, "object_unreconstructable_put"},
  entry{error_type::object_unreconstructable_retries_disabled,
        "object_unreconstructable_retries_disabled"},
  entry{error_type::object_unreconstructable_borrowed, "object_unreconstructable_borrowed"},
  entry{error_type::object_unreconstructable_ref_not_found,
        "object_unreconstructable_ref_not_found"},
  entry{error_type::object_unreconstructable_task_cancelled,
        "object_unreconstructable_task_cancelled"},
  entry{error_type::object_unreconstructable_lineage_disabled,
        "object_unreconstructable_lineage_disabled"},
  entry{error_type::worker_startup_failed, "worker_startup_failed"},
  entry{error_type::streaming_generator_replay_inconsistent,
        "streaming_generator_replay_inconsistent"},
  entry{error_type::store_full, "store_full"},
  entry{error_type::type_mismatch, "type_mismatch"},
  entry{error_type::shutting_down, "shutting_down"},
  entry{error_type::get_timed_out, "get_timed_out"},
  entry{error_type::invalid_reference, "invalid_reference"},
  entry{error_type::decode_failed, "decode_failed"},
  entry{error_type::encode_failed, "encode_failed"},
  entry{error_type::promise_broken, "promise_broken"},
  entry{error_type::already_set, "already_set"},
  entry{error_type::would_block_forever, "would_block_forever"},
  entry{error_type::reference_not_portable, "reference_not_portable"},
  entry{error_type::invalid_argument, "invalid_argument"},
  entry{error_type::name_not_found, "name_not_found"},
};

} // namespace

std::string_view to_string(error_type type) noexcept {
  const auto* found = std::ranges::find(entries, type, &entry::type);
  return found != entries.end() ? found->name : std::string_view{"unknown"};
}

std::optional<error_type> parse_error_type(std::string_view name) noexcept {
  const auto* found = std::ranges::find(entries, name, &entry::name);
  return found != entries.end() ? std::optional{found->type} : std::nullopt;
}

std::optional<error_type> error_type_from_number(std::uint16_t number) noexcept {
  const auto* found = std::ranges::find(entries, static_cast<error_type>(number), &entry::type);
  return found != entries.end() ? std::optional{found->type} : std::nullopt;
}

} // namespace mobula
