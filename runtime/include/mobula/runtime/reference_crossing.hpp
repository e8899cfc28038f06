#pragma once

#include <string_view>

#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/fwd.hpp>

#include "mobula/actors/objects/object_handle.hpp"

namespace mobula::internal {

/// Lets a reference leave its node in what `sink` writes: its object stays alive until the receiver
/// is known. Fails with `reference_not_portable` if that is no message, or without a cluster.
[[nodiscard]] caf::error write_reference(caf::serializer& sink, const object_handle& reference);

/// Lets a reference enter the node that receives in this thread. Fails with `type_mismatch` unless
/// the object is of the type called `wanted`; empty stands for any.
[[nodiscard]] caf::expected<object_handle> read_reference(caf::deserializer& source,
                                                          std::string_view wanted);

} // namespace mobula::internal
