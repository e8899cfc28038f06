// Makes and applies object replies: what an owner says of a value (its bytes, where to read or pull
// them, or an error), and how a borrowed entry takes that. What came is checked before it is
// believed.

#include "mobula/actors/exchange/object_reply.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/exchange/successor.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/serialization/codec_error.hpp"
#include "mobula/store/system/assertion.hpp"
#include "mobula/store/transfer/transfer_frames.hpp"

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

error_info bad_bytes(const object_entry& entry, std::string_view why) {
  return {.type = error_type::decode_failed,
          .message = fmt::format("the reply of node {} for object {} is malformed: {}",
                                 to_string(entry.id().owner), to_string(entry.id()), why),
          .origin = entry.core().origin()};
}

/// Returns the error that came in place of a value.
error_info error_in(const object_entry& entry, const object_reply& reply) {
  auto reason = decode_error_info(reply.data.bytes());
  return reason ? *std::move(reason) : bad_bytes(entry, to_string(reason.error()));
}

/// Returns what is wrong with a value of so many bytes; nothing if it is sound.
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

// Any thread may settle the entry while the cluster actor looks at it: by a value that came along
// with a reference, or was found in place, or by a free. So nothing here follows from a phase that
// was seen before, but what holds in all later phases: that there is a copy, and which one.

/// There will be no value, or not any more.
void fail(object_entry& entry, error_info reason) {
  if (reason.type == error_type::object_freed)
    entry.free_value();
  else if (!entry.seal_failed(reason) && entry.phase() == object_phase::stored)
    entry.lose(std::move(reason));
}

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

/// Makes what belongs to a value; its references come through the gateway with it.
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

/// Seals a pending entry with bytes that came in a message: for good if they are few, else so that
/// they can be given up when the heap is above its limit. Returns whether it was pending.
bool seal_here(object_entry& entry, carried_bytes& data, std::unique_ptr<object_extras> extras) {
  auto& core = entry.core();
  auto size = data.bytes().size();
  auto charge = core.take_heap_anyway(size);
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

void take_value(object_entry& entry, object_reply& reply, metadata_reader& reader) {
  auto size = reply.data.bytes().size();
  const auto& metadata = reader.read(reply.metadata);
  auto fault =
    metadata ? fault_of(entry, *metadata, size, reply) : std::optional{to_string(metadata.error())};
  auto* copy = entry.copy();
  if (!fault && copy != nullptr && (copy->place == nullptr || copy->size_bytes != size))
    fault = "it has another size than before";
  if (fault)
    return fail(entry, bad_bytes(entry, *fault));
  if (copy != nullptr) {
    entry.core().gateway().reset_request(entry.id());
    copy->place->move_here(*copy, reply.data.take(), entry.core().take_heap_anyway(size));
    entry.back_in_heap();
    entry.restored();
    return;
  }
  // In this order: what can be given up may be so at once, and its next reader asks again.
  if (size >= least_movable_bytes)
    entry.core().gateway().reset_request(entry.id());
  if (entry.phase() != object_phase::pending
      || !seal_here(entry, reply.data, make_extras(entry, *metadata, reply)))
    // Another thread has settled it: found it in place, was given it along with a reference, or
    // freed it.
    entry.core().gateway().reset_request(entry.id());
}

// -- in place -------------------------------------------------------------------------------------

/// Pinned in the arena of its owner, for as long as this exists.
struct value_in_place {
  std::unique_ptr<mapped_copy> place;
  std::span<const std::byte> data;
  std::size_t metadata_bytes = 0;
  mobula::metadata metadata;
};

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

/// The value of a stored entry may have come back without the answer that says so.
bool is_there(object_entry& entry) {
  auto pin = entry.try_pin();
  if (!pin)
    return false;
  entry.core().gateway().reset_request(entry.id());
  entry.restored();
  return true;
}

reply_result take_place(object_entry& entry, const object_reply& reply) {
  auto& gateway = entry.core().gateway();
  if (entry.phase() == object_phase::stored)
    return is_there(entry) ? reply_result::settled : reply_result::stale;
  auto value = pin_in_place(entry);
  if (!value || fault_of(entry, value->metadata, value->data.size(), reply))
    return reply_result::stale;
  gateway.reset_request(entry.id());
  seal_in_place(entry, *std::move(value), reply);
  return reply_result::settled;
}

// -- pulled ---------------------------------------------------------------------------------------

reply_result take_description(object_entry& entry, const object_reply& reply,
                              metadata_reader& reader) {
  const auto& metadata = reader.read(reply.metadata);
  auto fault = metadata ? fault_of(entry, *metadata, metadata->size_bytes, reply)
                        : std::optional{to_string(metadata.error())};
  if (!fault && (metadata->size_bytes == 0 || metadata->size_bytes > frame_limits::object_bytes))
    fault = fmt::format("it is stored with {} bytes", metadata->size_bytes);
  if (!fault && entry.phase() == object_phase::stored) {
    if (is_there(entry))
      return reply_result::settled;
    // Its owner can give nothing but what was read before, whose bytes are those of its id.
    if (!is_pulled(entry))
      return reply_result::stale;
    if (entry.copy()->size_bytes != metadata->size_bytes)
      fault = "it has another size than before";
  }
  if (!fault)
    return reply_result::to_pull;
  fail(entry, bad_bytes(entry, *fault));
  return reply_result::settled;
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

const decoded<metadata>& metadata_reader::read(const carried_bytes& bytes) {
  if (!decoded_ || !bytes.shares(last_)) {
    decoded_ = decode_metadata(bytes.bytes());
    last_ = bytes;
  }
  return *decoded_;
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

copy_pointer copy_to_pull(object_entry& entry, const object_reply& reply, metadata_reader& reader) {
  // Any other copy was found in place meanwhile: the pull then ends without use.
  if (is_pulled(entry))
    return copy_pointer{entry.copy()};
  const auto& metadata = reader.read(reply.metadata);
  MOBULA_ASSERT(metadata.has_value());
  auto& core = entry.core();
  auto number = core.next_pull_number();
  auto shard = core.shard_of(static_cast<std::uint64_t>(number));
  copy_pointer copy{new stored_copy(shard, metadata->size_bytes, 0, entry.type()), false};
  copy->pulled_as = number;
  copy->value.assign({}, make_extras(entry, *metadata, reply));
  return copy;
}

reply_result apply_reply(const object_handle& handle, object_reply& reply,
                         metadata_reader& reader) {
  auto& entry = *handle.get();
  // It will never have a value, or has one of its own, which only its end can touch.
  if (entry.has_failed()
      || (entry.phase() == object_phase::inline_value && reply.outcome != reply_outcome::failed))
    return reply_result::settled;
  switch (reply.outcome) {
    case reply_outcome::value:
      take_value(entry, reply, reader);
      return reply_result::settled;
    case reply_outcome::failed:
      fail(entry, error_in(entry, reply));
      return reply_result::settled;
    case reply_outcome::refused:
      // In this order: a reader that learns of the refusal and tries again must send a new request.
      entry.core().gateway().reset_request(entry.id());
      entry.refuse_readers(error_in(entry, reply));
      return reply_result::settled;
    case reply_outcome::in_arena:
      return take_place(entry, reply);
    case reply_outcome::stored:
      return take_description(entry, reply, reader);
    case reply_outcome::deferred:
      return reply_result::deferred;
  }
  fail(entry, bad_bytes(entry, "unknown outcome"));
  return reply_result::settled;
}

std::optional<carried_value> carry_value(object_entry& entry, std::uint64_t max_bytes) {
  if (entry.phase() != object_phase::inline_value && entry.phase() != object_phase::stored)
    return std::nullopt;
  // A value of the shard's does not travel, and to pin it would count as a use of it.
  if (entry.in_shard())
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

bool find_in_place(object_entry& entry) {
  auto value = pin_in_place(entry);
  static const object_reply empty_reply;
  if (!value || !value->metadata.nested.empty()
      || fault_of(entry, value->metadata, value->data.size(), empty_reply))
    return false;
  seal_in_place(entry, *std::move(value), empty_reply);
  return true;
}

void end_waiting(object_entry& entry, error_info reason) {
  if (entry.seal_failed(reason) || entry.phase() != object_phase::stored)
    return;
  auto& copy = *entry.copy();
  if (copy.place != nullptr && copy.place->keep(copy))
    entry.restored();
  else
    entry.lose(std::move(reason));
}

} // namespace mobula
