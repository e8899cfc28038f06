// What nearly every source here and in test/protocol reads first (see actors/src/pch).

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "mobula/serialization/ids.hpp"
