// The words for a refusal of the store: what its space is used for, what would make space, and what
// the disks said. Why a request is refused is decided by the store's table.

#include "mobula/actors/shard/refusal_error.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "mobula/serialization/counted.hpp"

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

std::string join(const std::vector<std::string>& parts, std::string_view between,
                 std::string_view last) {
  std::string result;
  for (std::size_t i = 0; i < parts.size(); ++i)
    result.append(i == 0 ? "" : i + 1 == parts.size() ? last : between).append(parts[i]);
  return result;
}

/// Returns what the space is used for.
std::string describe(const store_use& use, const shared_heap_figures& memory,
                     const node_options& options) {
  std::vector<std::string> parts;
  auto add = [&](std::size_t bytes, std::string_view what) {
    if (bytes > 0)
      parts.push_back(fmt::format("{} {}", counted(bytes, "byte"), what));
  };
  add(use.pinned_bytes, "are being read");
  add(use.kept_bytes, options.spill_directories.empty()
                        ? "are referenced, without a directory to spill them to"
                        : "are referenced");
  add(use.moving_bytes, "are on their way out");
  add(use.making_bytes, "are being made or restored");
  add(use.lent_bytes, "are taken by creators");
  parts.push_back(fmt::format("{} are free", use.free_bytes()));
  if (use.free_bytes() > memory.largest_free_bytes)
    parts.back() += fmt::format(" in pieces of at most {}", memory.largest_free_bytes);
  return join(parts, ", ", " and ");
}

/// Returns what would make space.
std::string remedy_for(const store_use& use, const node_options& options) {
  std::vector<std::string> parts;
  if (use.pinned_bytes > 0)
    parts.emplace_back("let go of views");
  if (use.kept_bytes > 0 && options.spill_directories.empty())
    parts.emplace_back("let go of references, set mobula.spill-dirs");
  // Credit that nobody has taken is back before anybody is refused.
  if (use.making_bytes > 0 || use.lent_bytes > 0)
    parts.emplace_back("seal or destroy what is being made");
  parts.emplace_back("raise mobula.store-size");
  return join(parts, ", ", ", or ");
}

/// Returns why nothing goes to disk, and what to do about it.
std::string describe_disk(const node_options& options, const disk_trouble& disks) {
  if (!disks.writing.empty())
    return disks.writing;
  if (options.spill_limit_bytes > 0)
    return fmt::format("spill files may take {}, and no more fits; raise mobula.spill-limit, "
                       "or let go of references",
                       counted(options.spill_limit_bytes, "byte"));
  return "the spill directories take no more; look at the log of this node for what they said";
}

std::string text_of(const refuse_request& refused, const node_options& options,
                    const shared_heap& heap, const disk_trouble& disks) {
  auto id = to_string(refused.id);
  const auto& use = refused.use;
  // Whatever the system gives, there is no space for more than is free.
  auto shortage = use.free_bytes() >= refused.size_bytes ? heap.shortage() : std::nullopt;
  switch (refused.error) {
    case refusal::larger_than_store:
      return larger_than_store(options, refused.id, refused.size_bytes).message;
    case refusal::out_of_disk:
      return fmt::format("no space for the {} of object {} in a store of {}: {}; the rest could "
                         "only go to disk, but {}",
                         counted(refused.size_bytes, "byte"), id, use.capacity_bytes,
                         describe(use, heap.figures(), options), describe_disk(options, disks));
    case refusal::too_many_waiting:
      return fmt::format(
        "too many requests wait for space in the store of {} bytes already; object "
        "{} is refused: {}; {}",
        use.capacity_bytes, id, describe(use, heap.figures(), options), remedy_for(use, options));
    case refusal::copy_lost:
      return fmt::format(
        "the bytes of object {} on disk are missing or damaged; keep cleaners away "
        "from the spill directories while nodes run",
        id);
    case refusal::restore_failed:
      return fmt::format("the bytes of object {} could not be read from disk: {}", id,
                         disks.reading.empty() ? "look at the log of its node, and try again"
                                               : disks.reading);
    case refusal::shutting_down:
      return fmt::format("the node shut down before object {} had space", id);
    case refusal::released:
      return fmt::format("object {} was released before it had space", id);
    case refusal::not_here:
      return fmt::format("the store does not have object {} any more", id);
    case refusal::already_exists:
      return fmt::format("the store has object {} already", id);
    case refusal::store_full:
      break;
  }
  return fmt::format("no space for the {} of object {} in a store of {}: {}; {}",
                     counted(refused.size_bytes, "byte"), id, use.capacity_bytes,
                     describe(use, heap.figures(), options),
                     shortage ? fmt::format("the system gives the arena no more memory ({}); free "
                                            "memory there, or let go of references and views",
                                            explain(*shortage))
                              : remedy_for(use, options));
}

} // namespace

error_info refusal_error(const refuse_request& refused, const node_options& options,
                         const shared_heap& heap, const disk_trouble& disks) {
  auto adjusted = refused;
  // Without a directory there is no disk that could be full.
  if (refused.error == refusal::out_of_disk && options.spill_directories.empty())
    adjusted.error = refusal::store_full;
  return {.type = type_of(adjusted.error), .message = text_of(adjusted, options, heap, disks)};
}

error_info larger_than_store(const node_options& options, const object_id& id,
                             std::uint64_t size_bytes) {
  return {.type = error_type::store_full,
          .message = fmt::format("object {} has {} bytes, but the whole store only {}; raise "
                                 "mobula.store-size",
                                 to_string(id), size_bytes, options.store_size_bytes)};
}

} // namespace mobula
