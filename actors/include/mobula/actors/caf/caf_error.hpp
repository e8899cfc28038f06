#pragma once

#include <caf/deserializer.hpp>
#include <caf/error.hpp>
#include <caf/fwd.hpp>
#include <caf/serializer.hpp>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/packed_fields.hpp"
#include "mobula/serialization/error.hpp"

/// Errors of ours as CAF's.

namespace mobula {

/// Lets CAF print an error and carry it in messages.
MOBULA_MESSAGE(mobula::error_origin, task, node, process)

/// Errors travel as their own encoding: it bounds how deep causes nest, which CAF does not, and a
/// reader of what another node wrote must not run out of stack.
caf::error apply_encoded(caf::serializer& sink, const error_info& info);
caf::error apply_encoded(caf::deserializer& source, error_info& info);

template <class Inspector>
inspection_result<Inspector> inspect(Inspector& f, error_info& info) {
  if constexpr (byte_inspector<Inspector>)
    return apply_encoded(f, info);
  else
    return show_fields(f, "mobula::error_info", info.type, info.message, info.origin,
                       info.exception_type, info.stack_trace, info.causes);
}

/// Wraps `info` into an error that actors can pass on; nothing of it is lost.
caf::error to_caf_error(error_info info);

/// Unwraps what `to_caf_error` wrapped. Other errors come back as an `error_info` that carries
/// CAF's own text; a request that timed out becomes `get_timed_out`.
error_info to_error_info(const caf::error& error);

/// Returns an error as it arrives from a system that did not write its text: only the type is left.
caf::error error_without_text(error_type type);

/// Has systems that run with `config` show our errors as sentences that say what is wrong.
void add_error_rendering(caf::actor_system_config& config);

} // namespace mobula
