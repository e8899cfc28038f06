#pragma once

#include <cstddef>

#include <caf/atom.hpp>

#include "mobula/actors/caf/caf_version.hpp"

namespace mobula {

/// Returns the key of an actor that CAF's registry knows by a name: at most ten characters.
template <std::size_t Size>
constexpr auto registry_key(const char (&name)[Size]) {
  return caf::atom(name);
}

} // namespace mobula
