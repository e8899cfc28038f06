#pragma once

#include "mobula/actors/caf/caf_compat.hpp"
#include "mobula/actors/messages/service_interfaces.hpp"

namespace mobula {

/// Says that references came or went since the last time; many changes share one such message.
struct flush_references {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, flush_references&) {
  return f(caf::meta::type_name("mobula::flush_references"));
}

} // namespace mobula
