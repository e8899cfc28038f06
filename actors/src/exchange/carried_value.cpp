// Small values that travel in messages along with references to their objects.

#include "mobula/actors/exchange/carried_value.hpp"

#include <utility>

#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/wire/peer_messages.hpp"
#include "received_value.hpp"

namespace mobula {

std::optional<carried_value> carry_value(object_entry& entry, std::uint64_t max_bytes) {
  if (entry.phase() != object_phase::inline_value && entry.phase() != object_phase::stored)
    return std::nullopt;
  // A value of the shard's does not travel, and to pin it would count as a use of it.
  if (in_shard(entry))
    return std::nullopt;
  // It may be another one by now, or none.
  auto pin = entry.try_pin();
  if (!pin || !pin.in_heap() || pin.value().bytes().size() > max_bytes
      || (pin.value().extras() != nullptr && !pin.value().extras()->nested.empty()))
    return std::nullopt;
  auto metadata = encode(pin.value().describe());
  return carried_value{carried_bytes{std::move(metadata)}, carried_bytes{std::move(pin)}};
}

void take_carried(object_entry& entry, carried_value& value) {
  if (entry.kind() != entry_kind::borrowed || entry.phase() != object_phase::pending)
    return;
  auto size = value.data.bytes().size();
  auto metadata = decode_metadata(value.metadata.bytes());
  static const object_reply empty_reply;
  if (metadata && !fault_of(entry, *metadata, size, empty_reply))
    seal_here(entry, value.data, make_extras(entry, *metadata, empty_reply));
}

} // namespace mobula
