// Applies object replies: how a borrowed entry takes what its owner says of a value (its bytes,
// where to read or pull them, or an error).

#include "mobula/actors/exchange/reply_intake.hpp"

#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/exchange/value_in_place.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/objects/waiting_readers.hpp"
#include "mobula/store/system/assertion.hpp"
#include "mobula/store/transfer/transfer_frames.hpp"
#include "received_value.hpp"

namespace mobula {

namespace {

// Any thread may settle the entry while the cluster actor looks at it: by a value that came along
// with a reference, or was found in place, or by a free. So nothing here follows from a phase that
// was seen before, but what holds in all later phases: that there is a copy, and which one.

/// Returns the error that came in place of a value.
error_info error_in(const object_entry& entry, const object_reply& reply) {
  auto reason = decode_error_info(reply.data.bytes());
  return reason ? *std::move(reason) : bad_reply(entry, to_string(reason.error()));
}

/// There will be no value, or not any more.
void fail(object_entry& entry, error_info reason) {
  if (reason.type == error_type::object_freed)
    entry.free_value();
  else if (!entry.seal_failed(reason) && entry.phase() == object_phase::stored)
    entry.lose(std::move(reason));
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
    return fail(entry, bad_reply(entry, *fault));
  if (copy != nullptr) {
    entry.core().gateway().reset_request(entry.id());
    copy->place->move_here(*copy, reply.data.take(),
                           entry.core().heap_of_values().take_anyway(size));
    entry.stripe().order().back_in_heap(entry);
    waiting_readers{entry}.restored();
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

/// The value of a stored entry may have come back without the answer that says so.
bool is_there(object_entry& entry) {
  auto pin = entry.try_pin();
  if (!pin)
    return false;
  entry.core().gateway().reset_request(entry.id());
  waiting_readers{entry}.restored();
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
  fail(entry, bad_reply(entry, *fault));
  return reply_result::settled;
}

} // namespace

const decoded<metadata>& metadata_reader::read(const carried_bytes& bytes) {
  if (!decoded_ || !bytes.shares(last_)) {
    decoded_ = decode_metadata(bytes.bytes());
    last_ = bytes;
  }
  return *decoded_;
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
      waiting_readers{entry}.refuse(error_in(entry, reply));
      return reply_result::settled;
    case reply_outcome::in_arena:
      return take_place(entry, reply);
    case reply_outcome::stored:
      return take_description(entry, reply, reader);
    case reply_outcome::deferred:
      return reply_result::deferred;
  }
  fail(entry, bad_reply(entry, "unknown outcome"));
  return reply_result::settled;
}

void end_waiting(object_entry& entry, error_info reason) {
  if (entry.seal_failed(reason) || entry.phase() != object_phase::stored)
    return;
  auto& copy = *entry.copy();
  if (copy.place != nullptr && copy.place->keep(copy))
    waiting_readers{entry}.restored();
  else
    entry.lose(std::move(reason));
}

} // namespace mobula
