// What nearly every source here reads first (see actors/src/pch).

#include <doctest/doctest.h>

#include "mobula/mobula.hpp"
#include "mobula/testing.hpp"
