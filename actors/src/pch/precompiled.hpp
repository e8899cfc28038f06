// What nearly every source of this layer reads first: CAF and the hub of its own headers. Parsed
// once for each build; sources include what they use all the same, so that each also compiles
// without.

#include <caf/all.hpp>
#include <fmt/format.h>

#include "mobula/actors/node/node_core.hpp"
