// Checks what another node said of a value, and seals an entry with it.

#include "received_value.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/objects/stored_copy.hpp"

namespace mobula {

namespace {

std::vector<enclosed_reference> references_in(const metadata& metadata, const object_reply& reply) {
  std::vector<const type_descriptor*> types;
  for (const auto& type : reply.types)
    types.push_back(intern_type(type.name, type.codec));
  std::vector<enclosed_reference> result;
  for (std::size_t index = 0; index < metadata.nested.size(); ++index)
    result.push_back({metadata.nested[index], types[reply.nested_types[index]]});
  for (const auto& successor : reply.successors)
    result[successor.index].object = successor.successor;
  return result;
}

} // namespace

error_info bad_reply(const object_entry& entry, std::string_view why) {
  return {.type = error_type::decode_failed,
          .message = fmt::format("the reply of node {} for object {} is malformed: {}",
                                 to_string(entry.id().owner), to_string(entry.id()), why),
          .origin = entry.core().origin()};
}

std::optional<std::string> fault_of(const object_entry& entry, const metadata& metadata,
                                    std::size_t size, const object_reply& reply) {
  if (metadata.error || metadata.size_bytes != size)
    return "its metadata are those of something else";
  if (metadata.type_name != entry.type().name)
    return fmt::format("it is of type {}, not {}", metadata.type_name, entry.type().name);
  if (metadata.codec != entry.type().codec)
    return fmt::format("it is encoded as {}, not as {}", to_string(metadata.codec),
                       to_string(entry.type().codec));
  if (reply.types.size() > reply.nested_types.size())
    return "it names more types than references";
  if (std::ranges::any_of(reply.types, [](const auto& type) {
        return !codec_id_from_number(static_cast<std::uint8_t>(type.codec));
      }))
    return "a reference has an unknown codec";
  if (metadata.nested.size() != reply.nested_types.size())
    return "the types of its references do not fit";
  if (std::ranges::any_of(reply.nested_types,
                          [&](std::uint32_t index) { return index >= reply.types.size(); }))
    return "a reference has no type";
  if (std::ranges::any_of(reply.types, [](const auto& type) {
        return type.name.size() > metadata_limits::type_name_bytes
               || intern_type(type.name, type.codec) == nullptr;
      }))
    return "the name of a type is too long, or one more than this process keeps";
  if (std::ranges::any_of(reply.successors, [&](const nested_successor& successor) {
        return successor.index >= metadata.nested.size() || successor.successor.empty();
      }))
    return "it names a successor of no reference";
  return std::nullopt;
}

std::unique_ptr<object_extras> make_extras(object_entry& entry, const metadata& metadata,
                                           const object_reply& reply) {
  auto extras = std::make_unique<object_extras>();
  extras->shape = array_shape{metadata.shape};
  extras->layout = metadata.layout;
  if (metadata.nested.empty())
    return extras;
  entry.add_handle();
  auto outer = object_handle::adopt(&entry);
  auto inner = entry.core().gateway().value_read(outer, references_in(metadata, reply));
  for (std::size_t index = 0; index < inner.size(); ++index)
    extras->nested.add(*inner[index].get(), metadata.nested[index]);
  return extras;
}

bool seal_here(object_entry& entry, carried_bytes& data, std::unique_ptr<object_extras> extras) {
  auto& core = entry.core();
  auto size = data.bytes().size();
  auto charge = core.heap_of_values().take_anyway(size);
  if (size < least_movable_bytes)
    return entry.seal_inline(data.take(), size, std::move(extras), std::move(charge));
  copy_pointer copy{new stored_copy(0, size, 0, entry.type()), false};
  copy->value.assign({}, std::move(extras));
  copy->place = std::make_unique<mapped_copy>(core, entry.id());
  copy->place->move_here(*copy, data.take(), std::move(charge));
  auto sealed = entry.seal_stored(*copy);
  if (!sealed) {
    copy.reset();
    core.heap_freed();
  }
  return sealed;
}

} // namespace mobula
