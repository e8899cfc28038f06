#pragma once

#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/serialization/error.hpp"

namespace mobula {

/// Returns what a reader is told whose object could not be fetched, for want of something else than
/// space here. It has no origin yet.
[[nodiscard]] error_info fetch_error(const object_id& object, error_type error,
                                     pull_outcome outcome);

} // namespace mobula
