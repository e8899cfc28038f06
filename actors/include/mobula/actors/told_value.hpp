#pragma once

#include "mobula/actors/object_handle.hpp"
#include "mobula/actors/peer_messages.hpp"

namespace mobula {

/// What another node is told of the value that `pin` pins. All values travel inside of the message,
/// whatever their size: the one place to change when large ones are to be pulled instead.
[[nodiscard]] told_object tell_value(std::uint64_t sequence, pinned_value pin);

/// What another node is told of an object that has `reason` in place of a value, for now
/// (`refused`) or for good (`failed`).
[[nodiscard]] told_object tell_error(std::uint64_t sequence, told_outcome outcome,
                                     const error_info& reason);

/// Gives the foreign entry behind `entry` what its owner told. Bytes that are not what they should
/// be make it an error. REQUIRES: called by the cluster actor.
void take_told(const object_handle& entry, told_object& told);

} // namespace mobula
