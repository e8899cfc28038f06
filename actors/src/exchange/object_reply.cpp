// Makes object replies: what an owner says of a value (its bytes, where to read or pull them, or an
// error).

#include "mobula/actors/exchange/object_reply.hpp"

#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/exchange/successor.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/serialization/codec_error.hpp"

namespace mobula {

namespace {

/// Names the types of what the value refers to, each once, and what stands in for objects whose
/// owner is gone.
void add_nested(object_reply& reply, const nested_references& nested) {
  std::map<const type_descriptor*, std::uint32_t> known;
  for (std::size_t index = 0; index < nested.entries().size(); ++index) {
    auto& entry = *nested.entries()[index];
    auto next = static_cast<std::uint32_t>(reply.types.size());
    auto [type, is_new] = known.try_emplace(&entry.type(), next);
    if (is_new)
      reply.types.push_back({std::string{entry.type().name}, entry.type().codec});
    reply.nested_types.push_back(type->second);
    auto successor = successor_of(entry);
    if (auto id = successor ? successor->id() : entry.id(); id != nested.id_in_value(index))
      reply.successors.push_back({static_cast<std::uint32_t>(index), id});
  }
}

object_reply reply_without_bytes(std::uint64_t sequence, reply_outcome outcome,
                                 const object_extras* extras) {
  object_reply result{.sequence = sequence,
                      .outcome = outcome,
                      .metadata = {},
                      .data = {},
                      .types = {},
                      .nested_types = {},
                      .successors = {},
                      .source = {}};
  if (extras != nullptr)
    add_nested(result, extras->nested);
  return result;
}

} // namespace

carried_bytes metadata_writer::write(const object_value& value, std::size_t size_bytes) {
  // What only some values have is not compared.
  if (value.extras() != nullptr)
    return carried_bytes{encode(value.describe_as(size_bytes))};
  if (type_ != &value.type() || size_ != size_bytes) {
    written_ = carried_bytes{encode(value.describe_as(size_bytes))};
    type_ = &value.type();
    size_ = size_bytes;
  }
  return written_;
}

object_reply reply_with_error(std::uint64_t sequence, reply_outcome outcome,
                              const error_info& reason) {
  auto data = encode(reason);
  mobula::metadata metadata{.error = reason.type, .size_bytes = data.size()};
  auto result = reply_without_bytes(sequence, outcome, nullptr);
  result.metadata = carried_bytes{encode(metadata)};
  result.data = carried_bytes{std::move(data)};
  return result;
}

object_reply reply_with_value(std::uint64_t sequence, pinned_value pin, metadata_writer& writer) {
  const auto& value = pin.value();
  try {
    auto result = reply_without_bytes(sequence, reply_outcome::value, value.extras());
    result.metadata = writer.write(value, value.bytes().size());
    result.data = carried_bytes{std::move(pin)};
    return result;
  } catch (const codec_error& error) {
    return reply_with_error(sequence, reply_outcome::failed,
                            {.type = error_type::encode_failed,
                             .message = fmt::format("object {} cannot be sent to another node: {}",
                                                    to_string(pin.entry().id()), error.what()),
                             .origin = pin.entry().core().origin()});
  }
}

object_reply reply_with_place(std::uint64_t sequence, const pinned_value& pin) {
  return reply_without_bytes(sequence, reply_outcome::in_arena, pin.value().extras());
}

object_reply reply_with_description(std::uint64_t sequence, const object_value& value,
                                    std::size_t size_bytes, metadata_writer& writer) {
  auto result = reply_without_bytes(sequence, reply_outcome::stored, value.extras());
  result.metadata = writer.write(value, size_bytes);
  return result;
}

} // namespace mobula
