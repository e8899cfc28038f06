#pragma once

#include <cstdint>
#include <optional>

#include "mobula/actors/objects/object_entry.hpp"
#include "mobula/actors/wire/carried_bytes.hpp"

namespace mobula {

/// A value that comes along with a reference to its object.
struct carried_value {
  carried_bytes metadata; ///< encoded metadata
  carried_bytes data;
};

/// Returns what may come along with a reference to `entry`: its value, if that is in the process
/// heap, has at most `max_bytes` and refers to nothing. Any thread. REQUIRES: the caller owns a
/// handle.
[[nodiscard]] std::optional<carried_value> carry_value(object_entry& entry,
                                                       std::uint64_t max_bytes);

/// Seals a pending borrowed entry with a value that came along. Ignores one that does not fit: it
/// is not the owner's word. Any thread. REQUIRES: the caller owns a handle.
void take_carried(object_entry& entry, carried_value& value);

} // namespace mobula
