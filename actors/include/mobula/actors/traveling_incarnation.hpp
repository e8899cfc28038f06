#pragma once

#include "mobula/actors/caf_compat.hpp"
#include "mobula/serialization/ids.hpp"

namespace mobula {

/// How an incarnation travels in CAF. Apart from the type, whose layer knows nothing of CAF, and
/// from the messages, since those about members and those about references both have it.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, incarnation_id& x) {
  return f(caf::meta::type_name("mobula::incarnation_id"), x.high, x.low);
}

} // namespace mobula
