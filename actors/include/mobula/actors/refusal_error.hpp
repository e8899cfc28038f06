#pragma once

#include <optional>

#include "mobula/actors/node_options.hpp"
#include "mobula/serialization/error.hpp"
#include "mobula/store/io_calls.hpp"
#include "mobula/store/shard_effects.hpp"

namespace mobula {

/// Says why a shard refuses a request, with sizes and remedy, as the error that readers and
/// creators get. `shortage` is why the system gives the arena no memory, if it does not.
error_info refusal_error(const refuse_request& refused, const node_options& options,
                         const std::optional<io_failure>& shortage);

} // namespace mobula
