#pragma once

#include "mobula/actors/caf/caf_compat.hpp"
#include "mobula/serialization/ids.hpp"

namespace mobula {

/// How an incarnation, and an id that holds one, travel in CAF. Apart from the types, whose layer
/// knows nothing of CAF, and from the messages, since those about members and those about
/// references both have it.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, incarnation_id& x) {
  return f(caf::meta::type_name("mobula::incarnation_id"), x.high, x.low);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, object_id& x) {
  return f(caf::meta::type_name("mobula::object_id"), x.owner, x.sequence);
}

} // namespace mobula
