// Finds values in the arenas of their owners, on the same host, and seals entries with them.

#include "mobula/actors/exchange/value_in_place.hpp"

#include <utility>
#include <vector>

#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/actors/wire/peer_messages.hpp"
#include "received_value.hpp"

namespace mobula {

std::optional<value_in_place> pin_in_place(const object_entry& entry) {
  auto& core = entry.core();
  auto id = entry.id();
  auto arena = core.arenas().reader_of(id.owner);
  if (arena == nullptr)
    return std::nullopt;
  auto found = arena->find(id);
  if (found.to_report)
    core.report_unpinned_elsewhere(*found.to_report);
  if (!found.object)
    return std::nullopt;
  value_in_place result{
    .place = std::make_unique<mapped_copy>(core, std::move(arena), id, found.object->slot),
    .data = found.object->data,
    .metadata_bytes = found.object->metadata.size(),
    .metadata = {}};
  // Copied first: other processes of the user can write there.
  std::vector<std::byte> described(found.object->metadata.begin(), found.object->metadata.end());
  auto metadata = decode_metadata(described);
  if (!metadata)
    return std::nullopt;
  result.metadata = *std::move(metadata);
  return result;
}

void seal_in_place(object_entry& entry, value_in_place value, const object_reply& reply) {
  copy_pointer copy{new stored_copy(0, value.data.size(), value.metadata_bytes, entry.type()),
                    false};
  copy->value.assign(value.data, make_extras(entry, value.metadata, reply));
  copy->place = std::move(value.place);
  copy->place->open(*copy);
  entry.seal_stored(*copy);
  // The pin that opening took. Another thread may have sealed it first.
  if (copy->pins.unpin() == unpin_result::tell_shard)
    copy->place->settle(*copy);
}

bool find_in_place(object_entry& entry) {
  auto value = pin_in_place(entry);
  static const object_reply empty_reply;
  if (!value || !value->metadata.nested.empty()
      || fault_of(entry, value->metadata, value->data.size(), empty_reply))
    return false;
  seal_in_place(entry, *std::move(value), empty_reply);
  return true;
}

} // namespace mobula
