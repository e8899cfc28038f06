#pragma once

// What nearly every source here reads first (see actors/src/pch).

#include "mobula/mobula.hpp"
