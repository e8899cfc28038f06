// What nearly every source of this layer reads first (see actors/src/pch).

#include <caf/all.hpp>
#include <fmt/format.h>

#include "mobula/mobula.hpp"
#include "mobula/testing.hpp"
