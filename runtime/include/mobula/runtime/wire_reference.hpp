#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

#include "mobula/actors/caf/packed_fields.hpp"
#include "mobula/actors/exchange/object_reply.hpp"
#include "mobula/actors/objects/object_handle.hpp"
#include "mobula/actors/protocol/references/reference_messages.hpp"
#include "mobula/serialization/codec_id.hpp"
#include "mobula/serialization/metadata.hpp"

namespace mobula {

class node_core;

/// A reference as it travels in a CAF message to another node (docs/formats.md).
struct wire_reference {
  object_id object; ///< empty for an empty reference, which has none of the rest
  std::string type;
  codec_id codec = codec_id::raw;
  incarnation_id sender;
  transit_number transit = transit_number::none;
  std::optional<carried_value> value; ///< if it is small and there
};

template <class Inspector>
inspection_result<Inspector> inspect(Inspector& f, wire_reference& x) {
  if constexpr (!byte_inspector<Inspector>) {
    return show_fields(f, "mobula::wire_reference", x.object.sequence);
  } else {
    if (auto error = f(x.object.sequence))
      return error;
    if (x.object.empty())
      return {};
    auto carries = static_cast<std::uint8_t>(x.value ? 1 : 0);
    auto name_bytes = static_cast<std::uint32_t>(x.type.size());
    if (auto error = apply_packed(f, x.object.owner.high, x.object.owner.low, x.sender.high,
                                  x.sender.low, x.transit, x.codec, carries, name_bytes))
      return error;
    if (name_bytes > metadata_limits::type_name_bytes)
      return caf::sec::invalid_argument;
    x.type.resize(name_bytes);
    if (name_bytes > 0)
      if (auto error = apply_bytes(f, name_bytes, x.type.data()))
        return error;
    if (carries == 0)
      return {};
    if (!x.value)
      x.value.emplace();
    return f(x.value->metadata, x.value->data);
  }
}

/// Lets a reference leave its node in what `sink` writes: its object stays alive until the receiver
/// is known. Fails with `reference_not_portable` if that is no message, or without a cluster.
[[nodiscard]] caf::expected<wire_reference> export_reference(const object_handle& reference,
                                                             caf::serializer& sink);

/// The exported reference was not written after all.
void cancel_export(const object_handle& reference, const wire_reference& exported);

/// Lets a reference enter the node that receives in this thread. Fails with `type_mismatch` unless
/// the object is of the type called `wanted`; empty stands for any.
[[nodiscard]] caf::expected<object_handle>
import_reference(wire_reference& reference, caf::execution_unit* context, std::string_view wanted);

/// Watches references that leave or enter in this thread, while it lives. CAF 0.17 forgets the
/// error when a part of a message cannot be written or read: who needs to know asks here. Scopes
/// nest.
class crossing_scope {
public:
  crossing_scope() noexcept;

  /// Lets only references of `sender` leave: the simulation's way to find actors that use those of
  /// a node that is not theirs.
  explicit crossing_scope(const node_core& sender) noexcept;

  /// Nothing is sent yet: what is inspected is looked at only, so that references stay.
  struct trial_t {};
  explicit crossing_scope(trial_t) noexcept;

  ~crossing_scope();

  crossing_scope(const crossing_scope&) = delete;
  crossing_scope& operator=(const crossing_scope&) = delete;

  static crossing_scope* current() noexcept;

  /// Returns why the first reference could not cross, if one could not.
  [[nodiscard]] const caf::error& failure() const noexcept {
    return failure_;
  }

  void note(const caf::error& reason);

  [[nodiscard]] const node_core* sender() const noexcept {
    return sender_;
  }

  [[nodiscard]] bool is_trial() const noexcept {
    return is_trial_;
  }

private:
  crossing_scope* outer_;
  const node_core* sender_ = nullptr;
  bool is_trial_ = false;
  caf::error failure_;
};

} // namespace mobula
