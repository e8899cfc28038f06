#include "mobula/serialization/array_shape.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace mobula {

namespace {

constexpr auto most_elements = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

} // namespace

array_shape::array_shape(std::span<const std::uint64_t> extents) {
  if (!valid(extents))
    throw std::invalid_argument("a shape has too many dimensions or elements");
  std::ranges::copy(extents, extents_.begin());
  dimensions_ = extents.size();
  elements_ = extents.empty() ? 0 : 1;
  for (auto extent : extents)
    elements_ *= extent;
}

array_shape::array_shape(std::initializer_list<std::uint64_t> extents)
  : array_shape(std::span<const std::uint64_t>{extents.begin(), extents.size()}) {
  // nop
}

bool array_shape::valid(std::span<const std::uint64_t> extents) noexcept {
  if (extents.size() > most_dimensions)
    return false;
  std::uint64_t product = 1;
  for (auto extent : extents) {
    if (extent > most_elements / product)
      return false;
    product *= std::max<std::uint64_t>(extent, 1);
  }
  return true;
}

} // namespace mobula
