// Makes a successor for an object whose owner is gone: a copy of its value as an object of this
// node, which other nodes are given instead. It is made when the reference goes to another node,
// not before.

#include "mobula/actors/exchange/successor.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/messages/shard_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/objects/entry_draft.hpp"
#include "mobula/actors/objects/stored_copy.hpp"

namespace mobula {

namespace {

/// Returns what belongs to a value, once more, or null.
std::unique_ptr<object_extras> same_extras(const object_value& value) {
  if (value.extras() == nullptr)
    return nullptr;
  auto result = std::make_unique<object_extras>();
  result->shape = value.extras()->shape;
  result->layout = value.layout();
  const auto& nested = value.extras()->nested;
  for (std::size_t index = 0; index < nested.entries().size(); ++index)
    result->nested.add(*nested.entries()[index], nested.id_in_value(index));
  return result;
}

object_handle make_inline(node_core& core, const object_value& value) {
  auto size = value.bytes().size();
  entry_draft draft{core, size, value.type(), {}};
  std::ranges::copy(value.bytes(), draft->storage(size).begin());
  draft.publish_inline(size, same_extras(value), core.heap_of_values().take_anyway(size));
  return draft.announce();
}

/// Returns a copy of the value's bytes for `entry`, with so many bytes of metadata.
copy_pointer copy_into(copy_memory memory, std::size_t metadata_bytes, const object_entry& entry,
                       const object_value& value) {
  copy_pointer copy{new stored_copy(entry.core().shard_of(entry.sequence()), value.bytes().size(),
                                    metadata_bytes, value.type()),
                    false};
  copy->memory = std::move(memory);
  std::ranges::copy(value.bytes(), copy->storage().begin());
  return copy;
}

/// Never in the store at once: who hands a reference on may be a thread that must not wait.
object_handle make_stored(node_core& core, const object_value& value) {
  auto size = value.bytes().size();
  auto metadata_bytes = encoded_size(value.describe());
  auto memory = copy_memory::outside(size, core.heap_of_values().take_anyway(size));
  entry_draft draft{core, 0, value.type(), {}};
  auto copy = copy_into(std::move(memory), metadata_bytes, *draft, value);
  copy->value.assign(copy->storage(), same_extras(value));
  auto result = draft.announce();
  core.send_to_shard(copy->shard, move_into_store{copy, result});
  return result;
}

/// In the process heap if it may be there, until it moves on.
object_handle make_movable(node_core& core, const object_value& value) {
  auto size = value.bytes().size();
  auto charge = size <= core.options().inline_limit_bytes ? core.heap_of_values().try_take(size)
                                                          : heap_charge{};
  if (!charge)
    return make_stored(core, value);
  auto metadata_bytes = encoded_size(value.describe());
  auto memory = copy_memory::in_heap(size, std::move(charge));
  entry_draft draft{core, 0, value.type(), {}};
  auto copy = copy_into(std::move(memory), metadata_bytes, *draft, value);
  copy->in_heap.store(true, std::memory_order_relaxed);
  open_heap_copy(*copy, same_extras(value));
  draft.publish_stored(*copy);
  return draft.announce();
}

} // namespace

object_handle successor_of(object_entry& entry) {
  auto& core = entry.core();
  if (entry.kind() == entry_kind::own)
    return {};
  auto known = core.gateway().find_successor(entry);
  if (!known.needed)
    return std::move(known.successor);
  auto pin = entry.try_pin();
  if (!pin)
    return {};
  const auto& value = pin.value();
  auto size = value.bytes().size();
  auto stays = size < least_movable_bytes && size <= core.options().inline_limit_bytes;
  try {
    auto made = stays ? make_inline(core, value) : make_movable(core, value);
    return core.gateway().adopt(entry, std::move(made));
  } catch (const std::exception& no_memory) {
    // The caller writes a message, in an actor that others depend on.
    log_warning(fmt::format("nodes that get a reference to object {} cannot read it, since its "
                            "owner is gone, and there is no memory for a copy: {}",
                            to_string(entry.id()), no_memory.what()));
    return {};
  }
}

} // namespace mobula
