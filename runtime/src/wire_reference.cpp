// Has references cross between nodes: the sender opens a transit, and sends a small value along;
// the receiver gets an entry at its gateway. Bytes that are no message are refused.

#include "mobula/runtime/wire_reference.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/exchange/successor.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/receiving_node.hpp"
#include "mobula/serialization/metadata.hpp"

namespace mobula {

namespace {

thread_local crossing_scope* current_scope = nullptr;

caf::error not_portable(std::string text) {
  return to_caf_error({.type = error_type::reference_not_portable, .message = std::move(text)});
}

/// CAF gives a serializer of messages the context of the actor or broker that sends. Without one,
/// or with the stand-in that an actor system has, bytes go somewhere else.
bool is_message_context(caf::execution_unit* context) {
  return context != nullptr && context != context->system().dummy_execution_unit();
}

/// Sees to it that somebody learns why a reference could not cross.
template <class T>
caf::expected<T> reported(caf::expected<T> result) {
  if (result)
    return result;
  if (current_scope != nullptr)
    current_scope->note(result.error());
  else
    log_warning(to_error_info(result.error()).message);
  return result;
}

caf::error refuse_unless_portable(const object_entry& entry, caf::execution_unit* context) {
  if (!is_message_context(context))
    return not_portable(
      fmt::format("ObjectRef({}) can leave its node only in a message to an actor: "
                  "bytes elsewhere keep no object alive; write the value instead",
                  to_string(entry.id())));
  const auto* sender = current_scope != nullptr ? current_scope->sender() : nullptr;
  if (sender != nullptr && sender != &entry.core())
    return not_portable(
      fmt::format("ObjectRef({}) belongs to node {} and cannot be sent by node {}; "
                  "send it from one to the other first",
                  to_string(entry.id()), to_string(entry.core().incarnation()),
                  to_string(sender->incarnation())));
  return {};
}

} // namespace

// -- scopes ---------------------------------------------------------------------------------------

crossing_scope::crossing_scope() noexcept : outer_(std::exchange(current_scope, this)) {
  // nop
}

crossing_scope::crossing_scope(const node_core& sender) noexcept
  : outer_(std::exchange(current_scope, this)), sender_(&sender) {
  // nop
}

crossing_scope::crossing_scope(trial_t) noexcept
  : outer_(std::exchange(current_scope, this)), is_trial_(true) {
  // nop
}

crossing_scope::~crossing_scope() {
  current_scope = outer_;
}

crossing_scope* crossing_scope::current() noexcept {
  return current_scope;
}

void crossing_scope::note(const caf::error& reason) {
  if (!failure_)
    failure_ = reason;
}

// -- leaving --------------------------------------------------------------------------------------

namespace {

/// How much of what a thread writes were values that came along.
///
/// CAF tells nobody where a message begins. What a thread writes to one buffer at growing places
/// counts as one, so messages that wait together for a connection share what is allowed.
class allowance {
public:
  /// Returns how many bytes may still come along at `position`.
  std::uint64_t left(const write_position& position, std::uint64_t max_bytes) {
    if (position.buffer != last_.buffer || position.offset <= last_.offset)
      used_ = 0;
    last_ = position;
    return max_bytes - std::min(used_, max_bytes);
  }

  void use(std::uint64_t bytes) {
    used_ += bytes;
  }

private:
  write_position last_;
  std::uint64_t used_ = 0;
};

std::optional<carried_value> value_to_carry(object_entry& entry, const caf::serializer& sink) {
  thread_local allowance allowed;
  auto position = position_of(sink);
  if (!position)
    return std::nullopt;
  auto result = carry_value(entry, allowed.left(*position, entry.core().options().piggyback_bytes));
  if (result)
    allowed.use(result->data.bytes().size());
  return result;
}

caf::expected<wire_reference> try_export(const object_handle& reference, caf::serializer& sink) {
  if (!reference || (current_scope != nullptr && current_scope->is_trial()))
    return wire_reference{};
  if (!reference->core().at_home())
    return to_caf_error(reference->core().shutting_down_error());
  if (auto error = refuse_unless_portable(*reference.get(), sink.context()))
    return error;
  auto successor = successor_of(*reference.get());
  auto& entry = successor ? *successor.get() : *reference.get();
  auto& core = entry.core();
  auto transit = core.gateway().open_transit(entry);
  if (!transit && core.closing())
    return to_caf_error(core.shutting_down_error());
  if (!transit)
    return not_portable(
      fmt::format("ObjectRef({}) cannot leave node {}, which is in no cluster; have "
                  "it listen or join first",
                  to_string(entry.id()), to_string(core.incarnation())));
  return wire_reference{.object = entry.id(),
                        .type = std::string{entry.type().name},
                        .codec = entry.type().codec,
                        .sender = core.incarnation(),
                        .transit = *transit,
                        .value = value_to_carry(entry, sink)};
}

} // namespace

caf::expected<wire_reference> export_reference(const object_handle& reference,
                                               caf::serializer& sink) {
  return reported(try_export(reference, sink));
}

void cancel_export(const object_handle& reference, const wire_reference& exported) {
  if (reference)
    reference->core().gateway().cancel_transit(exported.transit);
}

// -- arriving -------------------------------------------------------------------------------------

namespace {

caf::expected<object_handle> try_import(wire_reference& reference, caf::execution_unit* context,
                                        std::string_view wanted) {
  if (reference.object.empty())
    return object_handle{};
  auto core = context != nullptr ? receiving_nodes::find(context->system()) : core_pointer{};
  if (core == nullptr)
    return not_portable(
      fmt::format("a reference to object {} came to a process without a node in a "
                  "cluster",
                  to_string(reference.object)));
  auto codec = codec_id_from_number(static_cast<std::uint8_t>(reference.codec));
  if (!codec)
    return not_portable(
      fmt::format("a reference to object {} has an unknown codec", to_string(reference.object)));
  if (reference.type.size() > metadata_limits::type_name_bytes)
    return not_portable(fmt::format("a reference to object {} has a type name of {} bytes; the "
                                    "longest has 64 KiB",
                                    to_string(reference.object), reference.type.size()));
  const auto* type = intern_type(reference.type, *codec);
  if (type == nullptr)
    return not_portable(fmt::format("a reference to object {} has a type that is new here, and "
                                    "other nodes have named as many as this process keeps",
                                    to_string(reference.object)));
  auto handle = core->gateway().import_reference({.object = reference.object,
                                                  .type = type,
                                                  .sender = reference.sender,
                                                  .transit = reference.transit});
  if (!handle)
    return to_caf_error(core->shutting_down_error());
  if (reference.value)
    take_carried(*handle.get(), *reference.value);
  // Only now: the owner must hear of the arrival even if nobody wants it.
  if (!wanted.empty() && handle->type().name != wanted)
    return to_caf_error(
      {.type = error_type::type_mismatch,
       .message = fmt::format("object {} is of type {} and cannot be received as "
                              "{}",
                              to_string(reference.object), handle->type().name, wanted),
       .origin = core->origin()});
  return handle;
}

} // namespace

caf::expected<object_handle>
import_reference(wire_reference& reference, caf::execution_unit* context, std::string_view wanted) {
  return reported(try_import(reference, context, wanted));
}

} // namespace mobula
