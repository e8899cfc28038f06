#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace mobula {

/// Numbers of objects in one message to a peer: half a megabyte of them. What follows it on the
/// connection, heartbeats among it, does not wait for long.
constexpr std::size_t sequences_a_message = 65'536;

/// Calls `f` with one part of the list after the other, each of at most so many elements.
template <class T, class F>
void in_parts(const std::vector<T>& list, std::size_t most, F&& f) {
  for (std::span<const T> rest{list}; !rest.empty();) {
    auto part = rest.first(std::min(rest.size(), most));
    rest = rest.subspan(part.size());
    f(part);
  }
}

} // namespace mobula
