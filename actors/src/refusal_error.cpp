#include "mobula/actors/refusal_error.hpp"

#include <fmt/format.h>

namespace mobula {

namespace {

error_type type_of(refusal reason) {
  switch (reason) {
    case refusal::out_of_disk:
      return error_type::out_of_disk_error;
    case refusal::copy_lost:
    case refusal::restore_failed:
    case refusal::released:
    case refusal::not_here:
      return error_type::object_lost;
    case refusal::shutting_down:
      return error_type::shutting_down;
    default:
      return error_type::store_full;
  }
}

std::string text_of(const refuse_request& refused) {
  auto id = to_string(refused.id);
  switch (refused.error) {
    case refusal::larger_than_store:
      return fmt::format("object {} has {} bytes, but a shard of the store only {}; raise "
                         "mobula.store-size or lower mobula.shards",
                         id, refused.size_bytes, refused.capacity_bytes);
    case refusal::out_of_disk:
      return fmt::format("no room for the {} bytes of object {}: all that could move would go to "
                         "disk, which takes no more; free disk space, or raise mobula.spill-limit",
                         refused.size_bytes, id);
    case refusal::too_many_waiting:
      return fmt::format("too many puts wait for room in the store already; object {} is refused",
                         id);
    case refusal::copy_lost:
      return fmt::format("the bytes of object {} on disk are missing or damaged", id);
    case refusal::restore_failed:
      return fmt::format("the bytes of object {} could not be read from disk", id);
    case refusal::shutting_down:
      return fmt::format("the node shut down before object {} had room", id);
    default:
      return fmt::format("no room for the {} bytes of object {} in a shard of {} bytes: all of it "
                         "is in use, or there is no directory to spill to; let go of references "
                         "and views, raise mobula.store-size, or set mobula.spill-dirs",
                         refused.size_bytes, id, refused.capacity_bytes);
  }
}

} // namespace

error_info refusal_error(const refuse_request& refused, const node_options& options,
                         const std::optional<io_failure>& shortage) {
  auto adjusted = refused;
  // Without a directory there is no disk that could be full.
  if (refused.error == refusal::out_of_disk && options.spill_directories.empty())
    adjusted.error = refusal::store_full;
  error_info result{.type = type_of(adjusted.error), .message = text_of(adjusted)};
  if (shortage && adjusted.error == refusal::store_full)
    result.message +=
      fmt::format("; the system gives the arena no more memory: {}", explain(*shortage));
  return result;
}

} // namespace mobula
