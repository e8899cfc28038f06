#pragma once

#include "mobula/actors/caf/caf_compat.hpp"

namespace mobula {

/// Tells an actor that what it waits for is there; it looks at the objects itself.
struct objects_ready {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, objects_ready&) {
  return f(caf::meta::type_name("mobula::objects_ready"));
}

} // namespace mobula
